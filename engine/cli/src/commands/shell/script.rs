//! Lines in, statements and commands out.

use std::mem;

use super::lexer::{Kind, tokens};

/// Something to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// SQL up to its `;`.
    Statement(String),
    /// A line that begins with a backslash, or one of the words that end a shell.
    Command(String),
}

/// Takes lines one by one and holds the statement that has no end yet.
#[derive(Debug, Default)]
pub(super) struct Script {
    unfinished: String,
}

impl Script {
    /// Takes a line, and gives what it completes. A command in the middle of a statement leaves
    /// the statement as it is.
    pub(super) fn push(&mut self, line: &str) -> Vec<Item> {
        let trimmed = line.trim();
        if trimmed.starts_with('\\') && !self.is_quoted() {
            return vec![Item::Command(trimmed.to_owned())];
        }
        let word = trimmed.trim_end_matches(';').trim_end();
        let is_end = |end: &&str| word.eq_ignore_ascii_case(end);
        if self.unfinished.is_empty() && ["quit", "exit"].iter().any(is_end) {
            return vec![Item::Command(word.to_owned())];
        }
        self.unfinished.push_str(line);
        self.unfinished.push('\n');
        let mut items = Vec::new();
        if !line.contains(';') {
            // Nothing ends here: most lines of a long statement need no second look at all of it.
            self.forget_blanks();
            return items;
        }
        let mut start = 0;
        for token in tokens(&self.unfinished) {
            if token.kind == Kind::Symbol && token.text == ";" {
                let statement = &self.unfinished[start..=token.start];
                if !is_blank(statement.trim_end_matches(';')) {
                    items.push(Item::Statement(statement.trim_start().to_owned()));
                }
                start = token.start + 1;
            }
        }
        self.unfinished.drain(..start);
        self.forget_blanks();
        items
    }

    fn forget_blanks(&mut self) {
        if is_blank(&self.unfinished) {
            self.unfinished.clear();
        }
    }

    /// Takes the statement that has no end yet.
    pub(super) fn take_unfinished(&mut self) -> Option<String> {
        let unfinished = mem::take(&mut self.unfinished);
        (!unfinished.is_empty()).then(|| unfinished.trim_start().to_owned())
    }

    /// Whether the next line begins inside quotes or a comment.
    fn is_quoted(&self) -> bool {
        tokens(&self.unfinished)
            .last()
            .is_some_and(|token| !token.closed)
    }
}

/// Whether there is nothing to run. A comment that goes on is more than nothing.
fn is_blank(sql: &str) -> bool {
    tokens(sql).all(|token| token.is_blank() && (token.closed || token.kind != Kind::BlockComment))
}

/// Whether there is something to do, and nothing that waits for another line.
pub(super) fn is_complete(text: &str) -> bool {
    let mut script = Script::default();
    let mut ends_in_command = false;
    for line in text.lines() {
        let items = script.push(line);
        ends_in_command = matches!(items.last(), Some(Item::Command(_)));
    }
    ends_in_command || script.unfinished.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(text: &str) -> Item {
        Item::Statement(text.to_owned())
    }

    fn command(text: &str) -> Item {
        Item::Command(text.to_owned())
    }

    #[test]
    fn statements_and_commands() {
        let rows: &[(&str, &[Item], Option<&str>)] = &[
            ("", &[], None),
            ("  \n-- nothing\n/* at all */\n;;", &[], None),
            ("SELECT 1;", &[statement("SELECT 1;")], None),
            ("SELECT 1", &[], Some("SELECT 1\n")),
            (
                "SELECT 1; SELECT\n2 ;SELECT 3",
                &[statement("SELECT 1;"), statement("SELECT\n2 ;")],
                Some("SELECT 3\n"),
            ),
            (
                "SELECT ';', \";\" -- ;\n/* ; */, $$;$$;",
                &[statement("SELECT ';', \";\" -- ;\n/* ; */, $$;$$;")],
                None,
            ),
            ("SELECT 1; -- done", &[statement("SELECT 1;")], None),
            ("-- why\nSELECT 1;", &[statement("SELECT 1;")], None),
            ("/* why\n", &[], Some("/* why\n")),
            ("SELECT 'a\n;", &[], Some("SELECT 'a\n;\n")),
            (
                "\\d t\nSELECT 1;\n  \\x on",
                &[command("\\d t"), statement("SELECT 1;"), command("\\x on")],
                None,
            ),
            (
                "SELECT\n\\d\n1;",
                &[command("\\d"), statement("SELECT\n1;")],
                None,
            ),
            ("SELECT '\n\\d';", &[statement("SELECT '\n\\d';")], None),
            ("exit\n quit; ", &[command("exit"), command("quit")], None),
            ("SELECT\nexit;", &[statement("SELECT\nexit;")], None),
        ];
        for (text, items, unfinished) in rows {
            let mut script = Script::default();
            let found: Vec<_> = text.lines().flat_map(|line| script.push(line)).collect();
            assert_eq!(found, *items, "{text}");
            assert_eq!(script.take_unfinished().as_deref(), *unfinished, "{text}");
        }
    }

    #[test]
    fn completeness() {
        for (text, expected) in [
            ("", true),
            ("SELECT", false),
            ("SELECT 1;", true),
            ("SELECT 1; SELECT", false),
            ("SELECT 1;\n-- and", true),
            ("SELECT ';", false),
            ("/* ;", false),
            ("\\timing", true),
            ("SELECT\n\\d", true),
            ("SELECT '\n\\d", false),
            ("\\d\nSELECT", false),
            ("quit", true),
        ] {
            assert_eq!(is_complete(text), expected, "{text}");
        }
    }
}
