//! What Tab offers.

use arrow::datatypes::{DataType, Fields};
use clap::ValueEnum;
use clap::builder::PossibleValue;
use rustyline::completion::{FilenameCompleter, Pair};

use super::catalog::{Catalog, Table};
use super::command::{Action, COMMANDS};
use super::lexer::{Kind, Token, tokens};
use crate::output::Format;

/// Keywords that statements begin with.
pub(super) const STARTERS: &[&str] = &[
    "CREATE", "DESCRIBE", "DROP", "EXPLAIN", "SELECT", "SHOW", "VALUES", "WITH",
];

/// Keywords that stand elsewhere.
const KEYWORDS: &[&str] = &[
    "ALL",
    "ANALYZE",
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CROSS",
    "CURRENT",
    "DATE",
    "DESC",
    "DISTINCT",
    "ELSE",
    "END",
    "ESCAPE",
    "EXCEPT",
    "EXISTS",
    "FALSE",
    "FETCH",
    "FILTER",
    "FIRST",
    "FOLLOWING",
    "FROM",
    "FULL",
    "FUNCTIONS",
    "GROUP",
    "GROUPING",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LAST",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NATURAL",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "PRECEDING",
    "RANGE",
    "RIGHT",
    "ROLLUP",
    "ROW",
    "ROWS",
    "SETS",
    "TABLE",
    "TABLES",
    "THEN",
    "TIMESTAMP",
    "TRUE",
    "UNBOUNDED",
    "UNION",
    "UNNEST",
    "USING",
    "VIEW",
    "WHEN",
    "WHERE",
    "WINDOW",
];

/// Keywords that a table follows.
const BEFORE_TABLES: &[&str] = &["DESCRIBE", "FROM", "INTO", "JOIN", "TABLE", "VIEW"];

/// Keywords that begin a clause.
const CLAUSES: &[&str] = &[
    "SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "ON", "USING", "WINDOW",
];

/// What can stand at `at` in the place of the word that ends there: where that begins, and the
/// words.
pub(super) fn complete(catalog: &Catalog, text: &str, at: usize) -> (usize, Vec<Pair>) {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let command = line + (text[line..at].len() - text[line..at].trim_start().len());
    let in_quotes = tokens(&text[..line])
        .last()
        .is_some_and(|token| !token.closed);
    if text[command..at].starts_with('\\') && !in_quotes {
        let (start, words) = complete_command(catalog, &text[command + 1..at]);
        return (command + 1 + start, words);
    }
    match Cursor::at(text, at) {
        Some(cursor) => (cursor.start, cursor.words(catalog)),
        None => (at, Vec::new()),
    }
}

/// What can follow a backslash.
fn complete_command(catalog: &Catalog, typed: &str) -> (usize, Vec<Pair>) {
    let Some((name, argument)) = typed.split_once(' ') else {
        let names = COMMANDS.iter().map(|command| command.name);
        return (0, beginning_with(typed, names));
    };
    let action = COMMANDS
        .iter()
        .find(|command| command.name == name)
        .map(|command| command.action);
    let start = typed.len() - argument.len();
    let words = match action {
        Some(Action::Describe) => {
            let names = catalog.tables.iter().map(|table| table.name.as_str());
            beginning_with(argument, names)
        }
        Some(Action::Run) => {
            let names = catalog.queries.iter().map(String::as_str);
            beginning_with(argument, names)
        }
        Some(Action::Format) => {
            let values: Vec<_> = Format::value_variants()
                .iter()
                .filter_map(Format::to_possible_value)
                .collect();
            let names = values.iter().map(PossibleValue::get_name);
            beginning_with(argument, names)
        }
        Some(Action::Expanded | Action::Pager | Action::Stats | Action::Timing) => {
            beginning_with(argument, ["off", "on"].into_iter())
        }
        Some(Action::Include | Action::Output) => {
            let files = FilenameCompleter::new().complete_path(argument, argument.len());
            let (inside, files) = files.unwrap_or_default();
            return (start + inside, files);
        }
        _ => Vec::new(),
    };
    (start, words)
}

fn beginning_with<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Vec<Pair> {
    names
        .filter(|name| name.starts_with(typed))
        .map(|name| pair(name, name.to_owned()))
        .collect()
}

fn pair(display: &str, replacement: String) -> Pair {
    Pair {
        display: display.to_owned(),
        replacement,
    }
}

/// The word to complete and the statement around it.
struct Cursor<'a> {
    /// Where the word begins in the text.
    start: usize,
    /// The word, without the quote it may begin with.
    word: &'a str,
    is_quoted: bool,
    /// What of the statement stands before the word.
    before: Vec<Token<'a>>,
    statement: Vec<Token<'a>>,
}

impl<'a> Cursor<'a> {
    /// None where no word can stand: in strings, comments and numbers.
    fn at(text: &'a str, at: usize) -> Option<Self> {
        let is_end = |token: &Token| token.kind == Kind::Symbol && token.text == ";";
        let mut before: Vec<_> = tokens(&text[..at]).collect();
        if let Some(end) = before.iter().rposition(is_end) {
            before.drain(..=end);
        }
        let (start, word, is_quoted) = match before.last() {
            Some(last) => match last.kind {
                Kind::Word => (last.start, last.text, false),
                Kind::Name if !last.closed => (last.start, &last.text[1..], true),
                Kind::Name | Kind::Text | Kind::LineComment => return None,
                Kind::BlockComment if !last.closed => return None,
                Kind::BlockComment | Kind::Space | Kind::Symbol => (at, "", false),
            },
            None => (at, "", false),
        };
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        before.retain(|token| token.start < start && !token.is_blank());
        let begin = before.first().map_or(start, |token| token.start);
        let statement = tokens(&text[begin..])
            .take_while(|token| !is_end(token))
            .filter(|token| !token.is_blank())
            .collect();
        Some(Self {
            start,
            word,
            is_quoted,
            before,
            statement,
        })
    }

    fn words(&self, catalog: &Catalog) -> Vec<Pair> {
        let mut words = Words::new(self);
        if let Some(path) = self.path() {
            words.columns(&self.members(catalog, &path));
        } else if self.expects_table() {
            words.tables(catalog);
        } else if self.before.is_empty() && !self.is_quoted {
            words.keywords(STARTERS);
        } else {
            for table in self.tables(catalog) {
                words.columns(&table.columns);
                words.hidden(table);
            }
            if !self.word.is_empty() {
                words.tables(catalog);
                words.keywords(STARTERS);
                words.keywords(KEYWORDS);
                words.functions(catalog);
            }
        }
        words.found
    }

    /// The names before the word, where a dot ties it to them: `a.b.` gives a and b.
    fn path(&self) -> Option<Vec<String>> {
        let mut path = Vec::new();
        let mut end = self.start;
        let mut rest = self.before.as_slice();
        while let [start @ .., name, dot] = rest
            && dot.text == "."
            && dot.start + 1 == end
            && name.start + name.text.len() == dot.start
        {
            path.insert(0, unquoted(name)?);
            end = name.start;
            rest = start;
        }
        (!path.is_empty()).then_some(path)
    }

    /// What a path leads to: the columns of a table, or the fields of a structure.
    fn members(&self, catalog: &Catalog, path: &[String]) -> Fields {
        let table = path.first().and_then(|name| self.table(catalog, name));
        if let Some(fields) = table.and_then(|table| fields_at(&table.columns, &path[1..])) {
            return fields;
        }
        self.tables(catalog)
            .iter()
            .find_map(|table| fields_at(&table.columns, path))
            .unwrap_or_default()
    }

    /// The table that a name means in this statement.
    fn table<'c>(&self, catalog: &'c Catalog, name: &str) -> Option<&'c Table> {
        let renamed = self
            .statement
            .windows(2)
            .enumerate()
            .find_map(|(at, pair)| {
                let table = catalog.table(&unquoted(&pair[0])?)?;
                let next = if pair[1].text.eq_ignore_ascii_case("as") {
                    self.statement.get(at + 2)?
                } else {
                    &pair[1]
                };
                unquoted(next)?.eq_ignore_ascii_case(name).then_some(table)
            });
        renamed.or_else(|| catalog.table(name))
    }

    /// The tables that the statement names, or else all.
    fn tables<'c>(&self, catalog: &'c Catalog) -> Vec<&'c Table> {
        let named: Vec<_> = catalog
            .tables
            .iter()
            .filter(|table| {
                let mut names = self.statement.iter().filter_map(unquoted);
                names.any(|name| {
                    catalog
                        .table(&name)
                        .is_some_and(|t| std::ptr::eq(t, *table))
                })
            })
            .collect();
        if named.is_empty() {
            catalog.tables.iter().collect()
        } else {
            named
        }
    }

    fn expects_table(&self) -> bool {
        let Some(last) = self.before.last() else {
            return false;
        };
        if last.text == "," {
            let mut words = self.before.iter().rev();
            return words
                .find(|token| is_one_of(token, CLAUSES))
                .is_some_and(|clause| clause.text.eq_ignore_ascii_case("FROM"));
        }
        is_one_of(last, BEFORE_TABLES)
    }
}

/// The name that a token is.
fn unquoted(token: &Token) -> Option<String> {
    match token.kind {
        Kind::Word => Some(token.text.to_owned()),
        Kind::Name => Some(token.text.trim_matches(['"', '`']).to_owned()),
        _ => None,
    }
}

fn is_one_of(token: &Token, keywords: &[&str]) -> bool {
    token.kind == Kind::Word
        && keywords
            .iter()
            .any(|keyword| token.text.eq_ignore_ascii_case(keyword))
}

/// The fields below a path of names.
fn fields_at(fields: &Fields, path: &[String]) -> Option<Fields> {
    let Some((name, path)) = path.split_first() else {
        return Some(fields.clone());
    };
    let field = fields
        .iter()
        .find(|field| field.name().eq_ignore_ascii_case(name))?;
    match field.data_type() {
        DataType::Struct(fields) => fields_at(fields, path),
        _ => None,
    }
}

/// The words that begin as the typed one does.
struct Words<'a> {
    typed: &'a str,
    is_quoted: bool,
    found: Vec<Pair>,
}

impl<'a> Words<'a> {
    fn new(cursor: &Cursor<'a>) -> Self {
        Self {
            typed: cursor.word,
            is_quoted: cursor.is_quoted,
            found: Vec::new(),
        }
    }

    fn push(&mut self, name: &str, display: &str, replacement: String) {
        let begins = name
            .get(..self.typed.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(self.typed));
        let is_new = || {
            let mut found = self.found.iter();
            found.all(|pair| !pair.display.eq_ignore_ascii_case(display))
        };
        if begins && is_new() {
            self.found.push(pair(display, replacement));
        }
    }

    /// A name, in quotes where it needs them.
    fn name(&mut self, name: &str) {
        let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        let replacement = if is_plain && !self.is_quoted {
            name.to_owned()
        } else {
            format!("\"{}\"", name.replace('"', "\"\""))
        };
        self.push(name, name, replacement);
    }

    fn columns(&mut self, columns: &Fields) {
        for column in columns {
            self.name(column.name());
        }
    }

    /// Columns that are in nobody's way unless their dollar is typed.
    fn hidden(&mut self, table: &Table) {
        if self.typed.starts_with('$') {
            for name in &table.hidden {
                self.name(name);
            }
        }
    }

    fn tables(&mut self, catalog: &Catalog) {
        for table in &catalog.tables {
            self.name(&table.name);
        }
        if self.found.is_empty() {
            // Beside the names themselves they would only be in the way.
            for alias in catalog.tables.iter().flat_map(|table| &table.aliases) {
                self.name(alias);
            }
        }
    }

    /// Shown in capitals; they are written as the word was begun.
    fn keywords(&mut self, keywords: &[&str]) {
        if self.is_quoted {
            return;
        }
        let is_lower = self.typed.contains(|c: char| c.is_ascii_lowercase());
        for keyword in keywords {
            let replacement = if is_lower {
                keyword.to_lowercase()
            } else {
                (*keyword).to_owned()
            };
            self.push(keyword, keyword, replacement);
        }
    }

    fn functions(&mut self, catalog: &Catalog) {
        if self.is_quoted {
            return;
        }
        for name in &catalog.functions {
            self.push(name, name, format!("{name}("));
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;

    use super::*;

    fn catalog() -> Catalog {
        let texts = |names: &[&str]| -> Fields {
            let field = |name: &&str| Field::new(*name, DataType::Utf8, true);
            names.iter().map(field).collect()
        };
        let nested = |name: &str, fields: Fields| Field::new(name, DataType::Struct(fields), true);
        let table = |name: &str, alias: &[&str], columns: Fields| Table {
            name: name.to_owned(),
            aliases: alias.iter().map(|&alias| alias.to_owned()).collect(),
            columns,
            hidden: vec!["$path".to_owned(), "$line".to_owned()],
        };
        let issuer = nested("issuer", texts(&["arn", "username"]));
        let identity: Fields = [Field::new("type", DataType::Utf8, true), issuer]
            .into_iter()
            .collect();
        let trail: Fields = [
            nested("useridentity", identity),
            Field::new("eventName", DataType::Utf8, true),
        ]
        .into_iter()
        .collect();
        Catalog {
            tables: vec![
                table("cloudtrail", &["ct"], trail),
                table("flows", &["vpc"], texts(&["srcaddr", "srcport", "bytes"])),
                table("rejects", &[], texts(&["reason", "line"])),
            ],
            functions: ["sum", "substr", "date_trunc"].map(str::to_owned).into(),
            queries: ["top-ports", "top-talkers"].map(str::to_owned).into(),
        }
    }

    /// `|` is the cursor; what the text becomes with each word.
    #[test]
    fn words() {
        let rows: &[(&str, &[&str])] = &[
            // How statements begin.
            ("se|", &["select"]),
            ("SE|", &["SELECT"]),
            ("SELECT 1; D|", &["DESCRIBE", "DROP"]),
            ("x|", &[]),
            // Columns of the tables named, wherever the cursor is.
            ("SELECT src| FROM flows", &["srcaddr", "srcport"]),
            ("SELECT SRC|", &["srcaddr", "srcport"]),
            (
                "SELECT | FROM flows WHERE",
                &["srcaddr", "srcport", "bytes"],
            ),
            ("SELECT rea| FROM flows", &[]),
            ("SELECT rea| FROM flows JOIN rejects", &["reason"]),
            ("SELECT rea| FROM \"rejects\"", &["reason"]),
            ("SELECT rea|; SELECT 1 FROM flows", &["reason"]),
            ("SELECT by| FROM vpc", &["bytes", "by"]),
            ("SELECT ev| FROM ct", &["\"eventName\""]),
            ("SELECT \"src| FROM flows", &["\"srcaddr\"", "\"srcport\""]),
            // Hidden ones when their dollar is typed.
            ("SELECT $p| FROM flows", &["\"$path\""]),
            ("SELECT \"$| FROM flows", &["\"$path\"", "\"$line\""]),
            // Through names and structures.
            ("SELECT f.s| FROM flows f", &["srcaddr", "srcport"]),
            ("SELECT f.b| FROM flows AS f", &["bytes"]),
            ("SELECT flows.|", &["srcaddr", "srcport", "bytes"]),
            ("SELECT x.| FROM flows f", &[]),
            ("SELECT useridentity.| FROM ct", &["type", "issuer"]),
            ("SELECT useridentity.issuer.u| FROM ct", &["username"]),
            ("SELECT c.useridentity.t| FROM ct c", &["type"]),
            ("SELECT srcaddr.| FROM flows", &[]),
            // Tables.
            ("SELECT * FROM |", &["cloudtrail", "flows", "rejects"]),
            ("SELECT * FROM c|", &["cloudtrail"]),
            ("SELECT * FROM ct|", &["ct"]),
            ("SELECT * FROM flows, re|", &["rejects"]),
            ("SELECT a, re| FROM flows, rejects", &["reason", "rejects"]),
            ("DESCRIBE fl|", &["flows"]),
            // Keywords and functions.
            ("SELECT * FROM flows wh|", &["when", "where"]),
            ("SELECT su| FROM flows", &["substr(", "sum("]),
            ("SELECT DAT|", &["DATE", "date_trunc("]),
            // Where no word is wanted.
            ("SELECT 'src|", &[]),
            ("SELECT 1|", &[]),
            ("SELECT 1 -- src|", &[]),
            ("SELECT /* src|", &[]),
            ("SELECT \"src\"|", &[]),
            // Commands.
            ("\\r|", &["run", "rejects", "refresh"]),
            (
                "\\|",
                &[
                    "?", "q", "d", "run", "rejects", "i", "o", "format", "x", "pager", "timing",
                    "stats", "refresh",
                ],
            ),
            ("\\d f|", &["flows"]),
            ("\\run top-t|", &["top-talkers"]),
            ("\\format nd|", &["ndjson"]),
            ("\\timing |", &["off", "on"]),
            ("\\q |", &[]),
            ("SELECT\n  \\d re|", &["rejects"]),
            ("SELECT '\n\\d re|", &[]),
            ("\\i Cargo.t|", &["Cargo.toml"]),
            ("\\o src/ma|", &["src/main.rs"]),
        ];
        let catalog = catalog();
        for (text, expected) in rows {
            let (before, after) = text.split_once('|').unwrap_or((text, ""));
            let at = before.len();
            let (start, words) = complete(&catalog, &format!("{before}{after}"), at);
            let words: Vec<_> = words.iter().map(|pair| pair.replacement.as_str()).collect();
            assert_eq!(words, *expected, "{text}");
            assert!(start <= at, "{text}");
        }
    }

    /// The word is replaced from its first letter, or quote, on.
    #[test]
    fn starts() {
        for (text, expected) in [
            ("SELECT srcaddr, by", 16),
            ("SELECT \"by", 7),
            ("SELECT f.by", 9),
            ("SELECT ", 7),
            ("\\run top", 5),
            ("  \\i src/ma", 5),
            ("", 0),
        ] {
            assert_eq!(complete(&catalog(), text, text.len()).0, expected, "{text}");
        }
    }
}
