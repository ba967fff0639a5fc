//! Where words, quotes and comments of SQL begin and end: all that splitting statements and
//! completing words need to know. It follows sqlparser's tokens in the Athena dialect.

/// What a piece of SQL is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword, name or number.
    Word,
    /// A name in quotes.
    Name,
    /// A string.
    Text,
    /// A comment to the end of its line, without the line's end.
    LineComment,
    /// A comment between `/*` and `*/`, with others inside.
    BlockComment,
    /// White space.
    Space,
    /// Any other character.
    Symbol,
}

/// A piece of SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// Where it begins, in bytes.
    pub(super) start: usize,
    pub(super) text: &'a str,
    /// Whether its end was found: what a quote or comment opened goes on otherwise.
    pub(super) closed: bool,
}

impl Token<'_> {
    /// Whether it is only there for people.
    pub(super) fn is_blank(&self) -> bool {
        matches!(
            self.kind,
            Kind::Space | Kind::LineComment | Kind::BlockComment
        )
    }
}

/// The pieces of `sql`; together they are all of it.
pub(super) fn tokens(sql: &str) -> impl Iterator<Item = Token<'_>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = &sql[start..];
        let (kind, length) = first(rest)?;
        let token = Token {
            kind,
            start,
            text: &rest[..length.unwrap_or(rest.len())],
            closed: length.is_some(),
        };
        start += token.text.len();
        Some(token)
    })
}

/// The kind of the first piece and its length, which is None where its end is missing.
fn first(sql: &str) -> Option<(Kind, Option<usize>)> {
    let c = sql.chars().next()?;
    let until = |stop: fn(char) -> bool| Some(sql.find(stop).unwrap_or(sql.len()));
    Some(match c {
        '\'' => (Kind::Text, quoted(sql, '\'', false)),
        'e' | 'E' if sql[1..].starts_with('\'') => {
            let length = quoted(&sql[1..], '\'', true);
            (Kind::Text, length.map(|length| length + 1))
        }
        '"' | '`' => (Kind::Name, quoted(sql, c, false)),
        '$' if dollar_quote(sql).is_some() => {
            let quote = dollar_quote(sql)?;
            let end = sql[quote.len()..].find(quote);
            (Kind::Text, end.map(|end| end + 2 * quote.len()))
        }
        '-' if sql.starts_with("--") => (Kind::LineComment, sql.find('\n')),
        '/' if sql.starts_with("/*") => (Kind::BlockComment, block_comment(sql)),
        c if c.is_whitespace() => (Kind::Space, until(|c| !c.is_whitespace())),
        c if is_word(c) => (Kind::Word, until(|c| !is_word(c))),
        c => (Kind::Symbol, Some(c.len_utf8())),
    })
}

/// Whether a character can stand in a word.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// The length of what stands in quotes, which doubled ones do not end.
fn quoted(sql: &str, quote: char, backslash_escapes: bool) -> Option<usize> {
    let mut chars = sql.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && backslash_escapes {
            chars.next();
        } else if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return Some(at + quote.len_utf8());
        }
    }
    None
}

/// `$$` or `$tag$` at the start.
fn dollar_quote(sql: &str) -> Option<&str> {
    let tag = sql[1..].find(|c: char| !c.is_alphanumeric() && c != '_')?;
    let end = 1 + tag;
    sql[end..].starts_with('$').then(|| &sql[..=end])
}

fn block_comment(sql: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        let rest = &sql[at..];
        let next = rest.find(['/', '*'])?;
        at += next + 1;
        let rest = &rest[next..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 1;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces, those without an end followed by `…`.
    fn pieces(sql: &str) -> Vec<String> {
        tokens(sql)
            .filter(|token| token.kind != Kind::Space)
            .map(|token| {
                let end = if token.closed { "" } else { "…" };
                format!("{:?} {}{end}", token.kind, token.text)
            })
            .collect()
    }

    #[test]
    fn kinds() {
        let rows: &[(&str, &[&str])] = &[
            ("", &[]),
            (
                "a.b=1",
                &["Word a", "Symbol .", "Word b", "Symbol =", "Word 1"],
            ),
            ("'it''s'x", &["Text 'it''s'", "Word x"]),
            ("'it''", &["Text 'it''…"]),
            (r"E'a\'b' c", &[r"Text E'a\'b'", "Word c"]),
            (r"'a\' b", &[r"Text 'a\'", "Word b"]),
            ("\"$path\" `x;`", &["Name \"$path\"", "Name `x;`"]),
            ("$$a;$b$$ $t$ $$ $t$", &["Text $$a;$b$$", "Text $t$ $$ $t$"]),
            ("$limit + $1", &["Word $limit", "Symbol +", "Word $1"]),
            ("1 -- ;\n2", &["Word 1", "LineComment -- ;", "Word 2"]),
            ("1 -- ;", &["Word 1", "LineComment -- ;…"]),
            ("1 - -2", &["Word 1", "Symbol -", "Symbol -", "Word 2"]),
            (
                "/* /* ; */ ' */ x",
                &["BlockComment /* /* ; */ ' */", "Word x"],
            ),
            ("/*/ x", &["BlockComment /*/ x…"]),
            ("größe€", &["Word größe", "Symbol €"]),
        ];
        for (sql, expected) in rows {
            assert_eq!(pieces(sql), *expected, "{sql}");
        }
    }
}
