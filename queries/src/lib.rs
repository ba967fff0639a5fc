//! Named queries: SQL files with a front matter, embedded.
//!
//! A file under `sql/` begins with comment lines that are TOML once `-- ` is taken off, up to the
//! first line that is no comment:
//!
//! ```sql
//! -- title = "Top talkers"
//! -- question = "Which sources have the most flows?"
//! -- tables = ["vpc_flow_logs"]
//! -- answer = "One row for each source, most flows first."
//! SELECT ...
//! ```
//!
//! The file's name is the query's. Adding a query is adding a file.

use std::sync::OnceLock;

use serde::Deserialize;

/// A named query.
#[derive(Debug)]
pub struct NamedQuery {
    /// Name: that of its file.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// The question it answers.
    pub question: String,
    /// Tables it reads.
    pub tables: Vec<String>,
    /// What the answer means.
    pub answer: String,
    /// The SQL.
    pub sql: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    title: String,
    question: String,
    tables: Vec<String>,
    answer: String,
}

/// Why a query's file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct QueryError {
    name: String,
    problem: String,
}

impl NamedQuery {
    /// Reads a query's file.
    pub fn parse(name: &str, text: &str) -> Result<Self, QueryError> {
        let error = |problem: String| QueryError {
            name: name.to_owned(),
            problem,
        };
        let comments = text.lines().take_while(|line| line.starts_with("--"));
        let matter: Vec<_> = comments
            .map(|line| line.trim_start_matches("--").trim_start())
            .collect();
        let sql: Vec<_> = text.lines().skip(matter.len()).collect();
        let matter: FrontMatter =
            toml::from_str(&matter.join("\n")).map_err(|e| error(e.message().to_owned()))?;
        if sql.iter().all(|line| line.trim().is_empty()) {
            return Err(error("it has no SQL".to_owned()));
        }
        Ok(Self {
            name: name.to_owned(),
            title: matter.title,
            question: matter.question,
            tables: matter.tables,
            answer: matter.answer,
            sql: sql.join("\n").trim().to_owned(),
        })
    }
}

const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/queries.rs"));

/// The built-in queries, by name.
///
/// # Panics
/// Never in a build that passed its tests: every embedded file is read by one.
pub fn all() -> &'static [NamedQuery] {
    static QUERIES: OnceLock<Vec<NamedQuery>> = OnceLock::new();
    QUERIES.get_or_init(|| {
        let parse = |(name, text): &(&str, &str)| match NamedQuery::parse(name, text) {
            Ok(query) => query,
            Err(error) => panic!("built-in query {error}"),
        };
        FILES.iter().map(parse).collect()
    })
}

/// The built-in query of this name.
pub fn by_name(name: &str) -> Option<&'static NamedQuery> {
    all().iter().find(|query| query.name == name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_built_in_query_is_sound() {
        assert!(!all().is_empty());
        for query in all() {
            for text in [&query.title, &query.question, &query.answer] {
                assert!(!text.is_empty(), "{}", query.name);
            }
            assert!(!query.tables.is_empty(), "{}", query.name);
        }
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text| NamedQuery::parse("q", text).unwrap_err().to_string();
        assert!(error("SELECT 1").starts_with("q: missing field"));
        let matter = "-- title = \"t\"\n-- question = \"q\"\n-- tables = []\n-- answer = \"a\"\n";
        assert_eq!(error(matter), "q: it has no SQL");
        assert_eq!(
            NamedQuery::parse("q", &format!("{matter}SELECT 1\n"))
                .unwrap()
                .sql,
            "SELECT 1"
        );
    }
}
