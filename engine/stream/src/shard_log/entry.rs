//! An entry of a shard's log.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use loglens_engine::error::{Error, Owner};
use loglens_engine::shard::Start;
use serde::{Deserialize, Serialize};

use super::hash_keys::HashKeys;
use super::range::CutRange;

/// The version of the form of entries.
const VERSION: u32 = 1;

/// An entry: a line of JSON. That of a commit is followed by its state, as bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<T> {
    version: u32,
    /// Who wrote it.
    pub writer: Writer,
    /// What it says.
    #[serde(flatten)]
    pub says: T,
}

/// Who wrote an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writer {
    /// The worker.
    pub worker: Arc<str>,
    /// The epoch of its lease: the counter with which it took it.
    pub epoch: u64,
    /// The version of the program.
    pub program: Arc<str>,
}

/// Only who wrote this may write the objects that it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The records that the objects hold.
    pub range: CutRange,
    /// The exact names of all objects of the cut, within the place where they are written to.
    pub objects: Vec<String>,
    /// The hash keys of the shard, by which records in aggregates are told that belong to another one:
    /// who finishes the cut may find the shard gone from the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_keys: Option<HashKeys>,
    /// What the names were made by ([`CutMaker::configuration`](crate::cut::CutMaker::configuration)):
    /// who finishes the cut makes them by the same.
    pub configuration: String,
    /// Nothing comes after it in the shard.
    pub ended: bool,
}

/// All objects of a cut are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The records of the cut.
    pub range: CutRange,
    /// Where the next cut begins.
    pub next: Start,
    /// There is no next cut: the shard was read to its end.
    pub ended: bool,
    /// Of the records of the claim, those that were gone from the stream before their cut could be
    /// finished. Objects that the first owner did not write lack them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missing: u64,
    /// The event time up to which all records are thought to be here, in microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<i64>,
    /// The objects.
    pub outputs: Vec<Output>,
    /// What whoever goes on with the shard must know: open windows.
    #[serde(skip)]
    pub state: Bytes,
}

/// An object of a committed cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Its name, within the place where objects are written to.
    pub name: String,
    /// How many rows it holds.
    pub rows: u64,
    /// How many bytes it has; None if it was there already when the cut was finished by another
    /// worker, whose objects may have other bytes for the same rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What an entry can say.
pub(super) trait Says: Serialize + for<'a> Deserialize<'a> {
    /// What follows after the line of JSON.
    fn tail(&self) -> &[u8] {
        &[]
    }

    fn with_tail(self, _tail: Bytes) -> Self {
        self
    }
}

impl Says for Claim {}

impl Says for Commit {
    fn tail(&self) -> &[u8] {
        &self.state
    }

    fn with_tail(self, state: Bytes) -> Self {
        Self { state, ..self }
    }
}

impl<T> Entry<T> {
    /// An entry of the newest form.
    pub fn new(writer: Writer, says: T) -> Self {
        Self {
            version: VERSION,
            writer,
            says,
        }
    }
}

#[expect(private_bounds, reason = "there are two kinds of entries")]
impl<T: Says> Entry<T> {
    pub(super) fn bytes(&self) -> Result<Bytes, Error> {
        let line = serde_json::to_vec(self);
        let line = line.map_err(|error| Error::new(Owner::Internal, error.to_string()))?;
        let tail = self.says.tail();
        let mut bytes = BytesMut::with_capacity(line.len() + 1 + tail.len());
        bytes.put_slice(&line);
        bytes.put_u8(b'\n');
        bytes.put_slice(tail);
        Ok(bytes.freeze())
    }

    pub(super) fn read(key: &str, bytes: &Bytes) -> Result<Self, Error> {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let line = &bytes[..end.unwrap_or(bytes.len())];
        check_version(key, line)?;
        let entry: Self = serde_json::from_slice(line).map_err(|error| damaged(key, &error))?;
        let tail = end.map_or_else(Bytes::new, |end| bytes.slice(end + 1..));
        Ok(Self {
            says: entry.says.with_tail(tail),
            ..entry
        })
    }
}

/// Fails unless the line of JSON says that it is of this version. What a newer one means is not
/// guessed at.
pub(super) fn check_version(key: &str, line: &[u8]) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let Versioned { version } =
        serde_json::from_slice(line).map_err(|error| damaged(key, &error))?;
    if version == VERSION {
        return Ok(());
    }
    let message = format!("{key}: expected version {VERSION} of a shard's log, found {version}");
    Err(Error::new(Owner::External, message).hint("a newer loglens has written here: use that one"))
}

pub(super) fn damaged(key: &str, error: &serde_json::Error) -> Error {
    let message = format!("{key}: no entry of a shard's log: {error}");
    Error::new(Owner::External, message)
        .hint("it was not written by this version of loglens; do not edit what it says")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn commit(state: &'static [u8]) -> Entry<Commit> {
        let writer = Writer {
            worker: Arc::from("w"),
            epoch: 3,
            program: Arc::from("0.1.0"),
        };
        let says = Commit {
            range: CutRange::new(Start::Oldest),
            next: Start::Oldest,
            ended: false,
            missing: 0,
            watermark: Some(5),
            outputs: vec![Output {
                name: "day=1/s-1-2".to_owned(),
                rows: 2,
                bytes: None,
            }],
            state: Bytes::from_static(state),
        };
        Entry::new(writer, says)
    }

    #[test]
    fn state_follows_the_line() {
        for state in [&b""[..], b"a\nb\0", b"\n"] {
            let entry = commit(state);
            let bytes = entry.bytes().unwrap();
            assert_eq!(Entry::read("k", &bytes).unwrap(), entry);
        }
        let text = String::from_utf8(commit(b"").bytes().unwrap().to_vec()).unwrap();
        let expected = r#"{"version":1,"writer":{"worker":"w","epoch":3,"program":"0.1.0"},"#;
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn what_another_version_wrote_is_not_guessed_at() {
        for (text, expected) in [
            (
                "{\"version\":2}\n",
                "expected version 1 of a shard's log, found 2",
            ),
            ("{}\n", "no entry of a shard's log"),
            ("", "no entry of a shard's log"),
        ] {
            let read = Entry::<Claim>::read("k", &Bytes::from_static(text.as_bytes()));
            let error = read.unwrap_err();
            assert!(error.message.contains(expected), "{error}");
        }
    }
}
