//! A query: a file's front matter and its SQL.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::parameter::Parameter;

/// A named query.
#[derive(Debug)]
pub struct NamedQuery {
    /// Name: that of its file.
    pub name: String,
    /// The file; None if it is built in.
    pub file: Option<PathBuf>,
    /// Title for people.
    pub title: String,
    /// The question it answers.
    pub question: String,
    /// Tables it reads.
    pub tables: Vec<String>,
    /// What the answer means.
    pub answer: String,
    /// What people can choose, by name.
    pub parameters: BTreeMap<String, Parameter>,
    /// The whole file, which is SQL: its front matter is comments.
    pub sql: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    title: String,
    question: String,
    tables: Vec<String>,
    answer: String,
    #[serde(default)]
    parameters: BTreeMap<String, Parameter>,
}

/// Why a query's file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct QueryError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: String,
}

impl NamedQuery {
    /// Reads the text of a query's file; `file` is None for a built-in one.
    pub fn parse(name: &str, file: Option<&Path>, text: &str) -> Result<Self, QueryError> {
        let error = |line: usize, problem: &str| QueryError {
            file: file.map_or_else(|| format!("{name}.sql"), |file| file.display().to_string()),
            line,
            problem: problem.to_owned(),
        };
        // Each line of the file is one of the TOML, so that their numbers are the same.
        let matter: Vec<_> = text
            .lines()
            .map_while(|line| line.strip_prefix("--"))
            .map(str::trim_start)
            .collect();
        let has_sql = text
            .lines()
            .skip(matter.len())
            .any(|line| !line.trim().is_empty());
        let end = matter.len().max(1);
        let matter = matter.join("\n");
        let front: FrontMatter = toml::from_str(&matter).map_err(|mistake| {
            let before = mistake.span().map_or(0, |span| span.start);
            let line = matter.bytes().take(before).filter(|&b| b == b'\n').count() + 1;
            error(line, mistake.message().lines().next().unwrap_or_default())
        })?;
        if !has_sql {
            return Err(error(end, "there is no SQL below the front matter"));
        }
        Ok(Self {
            name: name.to_owned(),
            file: file.map(Path::to_owned),
            title: front.title,
            question: front.question,
            tables: front.tables,
            answer: front.answer,
            parameters: front.parameters,
            sql: text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ParameterType;

    const MATTER: &str =
        "-- title = \"t\"\n-- question = \"q\"\n-- tables = []\n-- answer = \"a\"\n";

    fn parse(text: &str) -> Result<NamedQuery, QueryError> {
        NamedQuery::parse("q", None, text)
    }

    #[test]
    fn the_text_is_the_sql() {
        let text = format!("{MATTER}SELECT 1\n");
        let query = parse(&text).unwrap();
        assert_eq!((query.title.as_str(), query.sql), ("t", text));
    }

    #[test]
    fn parameters_have_types_and_defaults() {
        let rows = [
            ("integer", "10", Some("10")),
            ("number", "10", Some("10")),
            ("number", "0.5", Some("0.5")),
            ("text", "\"a b\"", Some("a b")),
            ("timestamp", "\"7d\"", Some("7d")),
            ("interval", "\"5m\"", Some("5m")),
            ("boolean", "false", Some("false")),
            ("list", "[\"a\", \"b\"]", Some("a,b")),
            ("list", "[]", Some("")),
            ("integer", "\"10\"", None),
            ("integer", "1.5", None),
            ("text", "10", None),
            ("boolean", "\"true\"", None),
            ("list", "[1]", None),
        ];
        for (kind, default, expected) in rows {
            let text = format!(
                "{MATTER}-- [parameters]\n-- p = {{ type = \"{kind}\", default = {default}, doc = \"d\" }}\nSELECT $p"
            );
            let found = parse(&text);
            match expected {
                Some(expected) => {
                    let parameter = &found.unwrap().parameters["p"];
                    assert_eq!(parameter.kind.name(), kind);
                    assert_eq!(parameter.default.as_deref(), Some(expected), "{default}");
                }
                None => assert!(found.unwrap_err().problem.starts_with("a default of type")),
            }
        }
    }

    #[test]
    fn a_parameter_without_a_default() {
        let text = format!(
            "{MATTER}-- [parameters]\n-- p = {{ type = \"text\", doc = \"d\" }}\nSELECT $p"
        );
        let parameter = Parameter {
            kind: ParameterType::Text,
            default: None,
            doc: "d".to_owned(),
        };
        assert_eq!(parse(&text).unwrap().parameters["p"], parameter);
    }

    #[test]
    fn mistakes_have_their_line() {
        let rows = [
            ("SELECT 1".to_owned(), "q.sql:1: missing field `title`"),
            (
                MATTER.to_owned(),
                "q.sql:4: there is no SQL below the front matter",
            ),
            (
                format!("{MATTER}-- limit: 5\nSELECT 1"),
                "q.sql:5: key with no value, expected `=`",
            ),
            (
                format!("{MATTER}-- rows = 5\nSELECT 1"),
                "q.sql:5: unknown field `rows`, expected one of `title`, `question`, `tables`, `answer`, `parameters`",
            ),
            (
                format!(
                    "{MATTER}-- [parameters]\n-- p = {{ type = \"int\", doc = \"d\" }}\nSELECT 1"
                ),
                "q.sql:6: unknown variant `int`, expected one of `integer`, `number`, `text`, `timestamp`, `interval`, `boolean`, `list`",
            ),
            (
                format!(
                    "{MATTER}-- [parameters]\n-- p = {{ type = \"integer\", default = \"x\", doc = \"d\" }}\nSELECT 1"
                ),
                "q.sql:6: a default of type string for a parameter of type integer",
            ),
        ];
        for (text, expected) in rows {
            assert_eq!(parse(&text).unwrap_err().to_string(), expected);
        }
    }
}
