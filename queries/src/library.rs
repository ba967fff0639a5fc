//! The library: the built-in queries and those of people's own folders.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use crate::query::{NamedQuery, QueryError};

const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/queries.rs"));

/// Queries by name, and the files that are none.
#[derive(Debug)]
pub struct Library {
    entries: BTreeMap<String, Result<NamedQuery, QueryError>>,
}

impl Library {
    /// The built-in queries.
    pub fn built_in() -> Self {
        let entries = BUILT_IN
            .iter()
            .map(|(name, text)| ((*name).to_owned(), NamedQuery::parse(name, None, text)));
        Self {
            entries: entries.collect(),
        }
    }

    /// Adds every `*.sql` of a folder; they go before those of the same name that are there.
    pub fn add_folder(&mut self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == "sql") {
                let name = file.file_stem().unwrap_or_default().to_string_lossy();
                self.entries
                    .insert(name.clone().into_owned(), read(&name, &file));
            }
        }
        Ok(())
    }

    /// What is called that: a query, or why its file is none.
    pub fn get(&self, name: &str) -> Option<Result<&NamedQuery, &QueryError>> {
        self.entries.get(name).map(Result::as_ref)
    }

    /// The queries, by name.
    pub fn queries(&self) -> impl Iterator<Item = &NamedQuery> {
        self.entries
            .values()
            .filter_map(|entry| entry.as_ref().ok())
    }

    /// The files that are no queries, by name.
    pub fn broken(&self) -> impl Iterator<Item = &QueryError> {
        self.entries
            .values()
            .filter_map(|entry| entry.as_ref().err())
    }
}

fn read(name: &str, file: &Path) -> Result<NamedQuery, QueryError> {
    let text = fs::read_to_string(file).map_err(|error| QueryError {
        file: file.display().to_string(),
        line: 1,
        problem: error.to_string(),
    })?;
    NamedQuery::parse(name, Some(file), &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_query_is_sound() {
        let library = Library::built_in();
        assert_eq!(library.broken().map(ToString::to_string).next(), None);
        for query in library.queries() {
            let docs = query.parameters.values().map(|parameter| &parameter.doc);
            for text in docs.chain([&query.title, &query.question, &query.answer]) {
                assert!(!text.is_empty(), "{}", query.name);
            }
            assert!(!query.tables.is_empty(), "{}", query.name);
        }
        assert_eq!(library.queries().count(), BUILT_IN.len());
    }
}
