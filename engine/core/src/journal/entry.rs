//! An entry of a journal.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::FOLDER;
use crate::error::{Error, Owner};
use crate::object::Object;

/// The version of the form of entries.
const VERSION: u32 = 1;

/// What some files of a place are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    version: u32,
    pub(crate) state: State,
    /// The files, by their keys within the place.
    pub(crate) files: Vec<String>,
    /// What they were made from, if they are of a conversion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) chunk: Option<Chunk>,
}

/// What became of the files of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// They are being made visible, or their writer was killed meanwhile.
    Claimed,
    /// All are there, and are of the table.
    Committed,
    /// They were deleted, and none is of the table.
    TakenBack,
}

/// A part of a conversion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chunk {
    pub(crate) settings: Settings,
    /// The objects whose rows the files hold.
    pub(crate) objects: Vec<ConvertedObject>,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

/// What must be the same for all chunks of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) table: String,
    pub(crate) partitioned_by: Vec<String>,
    /// The time zone of `event_time`.
    pub(crate) zone: String,
}

/// An object that was converted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConvertedObject {
    pub(crate) key: String,
    pub(crate) size: Option<u64>,
    /// What tells its content from others: the etag, or, where there is none, its last change in
    /// microseconds since 1970.
    pub(crate) content: Option<String>,
}

impl From<&Object> for ConvertedObject {
    fn from(object: &Object) -> Self {
        let modified = || object.modified.map(|time| time.to_string());
        let etag = object.etag.as_deref().map(str::to_owned);
        Self {
            key: object.key.to_string(),
            size: object.size,
            content: etag.or_else(modified),
        }
    }
}

impl Entry {
    /// An entry of files that are not visible yet. Without any there is nothing to wait for.
    pub(crate) fn new(files: Vec<String>, chunk: Option<Chunk>) -> Self {
        Self {
            version: VERSION,
            state: match files.is_empty() {
                true => State::Committed,
                false => State::Claimed,
            },
            files,
            chunk,
        }
    }

    pub(super) fn bytes(&self) -> Result<Bytes, Error> {
        let bytes = serde_json::to_vec(self);
        let bytes = bytes.map_err(|error| Error::new(Owner::Internal, error.to_string()))?;
        Ok(bytes.into())
    }

    pub(super) fn read(key: &str, bytes: &[u8]) -> Result<Self, Error> {
        let entry: Self = serde_json::from_slice(bytes).map_err(|error| {
            Error::new(
                Owner::External,
                format!("{key}: no entry of a journal: {error}"),
            )
            .hint("it was not written by this version of loglens; do not edit what it says")
        })?;
        match entry.version {
            VERSION => Ok(entry),
            other => Err(Error::new(
                Owner::External,
                format!("{key}: expected version {VERSION} of a journal, found {other}"),
            )
            .hint("a newer loglens has written here: use that one")),
        }
    }
}

/// The name of an entry, by its key.
pub(super) fn name(key: &str) -> Option<&str> {
    let (_, name) = key.rsplit_once(FOLDER)?;
    name.strip_suffix(".json")
}

/// What entries of conversions are called.
pub(crate) fn name_of_number(number: u32) -> String {
    format!("{number:05}")
}

/// What the entry of a statement is called.
pub(crate) fn name_of_statement(run: u64) -> String {
    format!("{run:016x}")
}

/// The number of an entry of a conversion. Names of statements have sixteen digits.
pub(super) fn number(name: &str) -> Option<u32> {
    name.parse().ok().filter(|_| name.len() < 16)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_tell_conversions_from_statements() {
        for number_of in [0, 99_999, u32::MAX] {
            assert_eq!(number(&name_of_number(number_of)), Some(number_of));
        }
        for run in [0, 7, u64::MAX] {
            assert_eq!(number(&name_of_statement(run)), None);
        }
        assert_eq!(name("s3://b/lake/_loglens/00007.json"), Some("00007"));
        assert_eq!(name("lake/_loglens/.loglens-lock"), None);
    }

    #[test]
    fn what_another_version_wrote_is_not_guessed_at() {
        for (text, expected) in [
            (
                "{\"version\":2,\"state\":\"claimed\",\"files\":[]}",
                "expected version 1 of a journal, found 2",
            ),
            ("{}", "no entry of a journal"),
        ] {
            let error = Entry::read("k", text.as_bytes()).unwrap_err();
            assert!(error.message.contains(expected), "{error}");
        }
    }
}
