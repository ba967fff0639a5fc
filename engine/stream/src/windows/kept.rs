//! What is kept of a statement between two steps: one object, `<control>/<app>/windows/<name>`.
//!
//! A line of JSON, the state of the stream
//! ([`Stream::save`](loglens_engine::stream::Stream::save)), and the windows that are to be written, as
//! Arrow IPC streams.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use loglens_engine::arrow::array::RecordBatch;
use loglens_engine::arrow::datatypes::SchemaRef;
use loglens_engine::arrow::error::ArrowError;
use loglens_engine::arrow::ipc::reader::StreamReader;
use loglens_engine::arrow::ipc::writer::StreamWriter;
use loglens_engine::error::{Error, Owner};
use serde::{Deserialize, Serialize};

use super::episodes::Episodes;

/// Counts up whenever the form changes.
const VERSION: u32 = 1;

/// Windows that closed and are to be given.
#[derive(Debug, Clone)]
pub struct Closing {
    /// The end of the last of them, in microseconds since 1970.
    pub end: i64,
    /// How often they were given before.
    pub revision: u32,
    /// Their rows.
    pub rows: Vec<RecordBatch>,
}

/// How far the log of a shard was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// The shard.
    pub shard: Arc<str>,
    /// The cut that is used next.
    pub next: u64,
    /// There is none: the shard was read to its end.
    pub ended: bool,
    /// The shards that it was split or merged into are inputs too. Until then it holds time up, which
    /// would go on in the others without what is in those.
    pub followed: bool,
    /// Something of it is in the windows: from then on every cut has a part of the statement.
    pub begun: bool,
}

/// What is kept beside the state of the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    version: u32,
    /// The statement; of another one the rest is of no use.
    pub sql: Arc<str>,
    /// The worker that wrote it, for people.
    pub worker: Arc<str>,
    /// Counts up with each step.
    pub step: u64,
    /// Inputs of the stream, in their order.
    pub used: Vec<Used>,
    /// Conditions that hold.
    #[serde(default)]
    pub episodes: Episodes,
    /// Notices that wait for those who are notified, by their names; the oldest first.
    #[serde(default)]
    pub waiting: BTreeMap<String, Vec<String>>,
    state_bytes: usize,
    closings: Vec<ClosingBytes>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ClosingBytes {
    end: i64,
    revision: u32,
    bytes: usize,
}

impl Kept {
    /// What is kept before anything was used.
    pub fn new(sql: &Arc<str>, worker: &Arc<str>) -> Self {
        Self {
            version: VERSION,
            sql: Arc::clone(sql),
            worker: Arc::clone(worker),
            step: 0,
            used: Vec::new(),
            episodes: Episodes::default(),
            waiting: BTreeMap::new(),
            state_bytes: 0,
            closings: Vec::new(),
        }
    }

    /// All of it as an object.
    ///
    /// # Errors
    /// None that can be expected.
    pub fn write(
        &self,
        state: &[u8],
        closings: &[Closing],
        schema: &SchemaRef,
    ) -> Result<Bytes, Error> {
        let internal = |error: String| Error::new(Owner::Internal, error);
        let mut encoded = Vec::new();
        for closing in closings {
            encoded.push(ipc(&closing.rows, schema).map_err(|error| internal(error.to_string()))?);
        }
        let of_each = closings.iter().zip(&encoded);
        let header = Self {
            state_bytes: state.len(),
            closings: of_each
                .map(|(closing, bytes)| ClosingBytes {
                    end: closing.end,
                    revision: closing.revision,
                    bytes: bytes.len(),
                })
                .collect(),
            ..self.clone()
        };
        let header = serde_json::to_vec(&header).map_err(|error| internal(error.to_string()))?;
        let mut bytes = BytesMut::from(&*header);
        bytes.put_u8(b'\n');
        bytes.put_slice(state);
        encoded.iter().for_each(|closing| bytes.put_slice(closing));
        Ok(bytes.freeze())
    }

    /// All of an object: what is kept, the state of the stream, and the windows to be written.
    ///
    /// # Errors
    /// It is damaged, or of another version.
    pub fn read(key: &str, bytes: &Bytes) -> Result<(Self, Bytes, Vec<Closing>), Error> {
        let damaged = |why: String| {
            Error::new(Owner::External, format!("{key}: no state of windows: {why}")).hint(
                "it was not written by this version of loglens; delete it to begin anew from the cuts that are kept",
            )
        };
        let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
        let kept: Self =
            serde_json::from_slice(&bytes[..end]).map_err(|error| damaged(error.to_string()))?;
        if kept.version != VERSION {
            let found = kept.version;
            return Err(damaged(format!(
                "expected version {VERSION}, found {found}"
            )));
        }
        let mut rest = bytes.slice((end + 1).min(bytes.len())..);
        let all: usize = kept.closings.iter().map(|closing| closing.bytes).sum();
        if rest.len() != kept.state_bytes + all {
            return Err(damaged("it breaks off".to_owned()));
        }
        let state = rest.split_to(kept.state_bytes);
        let mut closings = Vec::new();
        for closing in &kept.closings {
            let rows = rest.split_to(closing.bytes);
            closings.push(Closing {
                end: closing.end,
                revision: closing.revision,
                rows: batches(&rows).map_err(|error| damaged(error.to_string()))?,
            });
        }
        Ok((kept, state, closings))
    }
}

fn ipc(rows: &[RecordBatch], schema: &SchemaRef) -> Result<Vec<u8>, ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), schema)?;
    for rows in rows {
        writer.write(rows)?;
    }
    writer.into_inner()
}

fn batches(bytes: &[u8]) -> Result<Vec<RecordBatch>, ArrowError> {
    StreamReader::try_new(Cursor::new(bytes), None)?.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use loglens_engine::arrow::array::{ArrayRef, Int64Array};

    use super::*;

    fn rows(values: &[i64]) -> RecordBatch {
        let column: ArrayRef = Arc::new(Int64Array::from(values.to_vec()));
        RecordBatch::try_from_iter([("n", column)]).unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let mut kept = Kept::new(&Arc::from("SELECT\n1"), &Arc::from("w"));
        kept.step = 7;
        kept.used.push(Used {
            shard: Arc::from("a"),
            next: 3,
            ended: false,
            followed: false,
            begun: true,
        });
        kept.waiting
            .insert("hook".to_owned(), vec!["{}".to_owned()]);
        let closings = [
            Closing {
                end: 5,
                revision: 1,
                rows: vec![rows(&[1, 2]), rows(&[3])],
            },
            Closing {
                end: 6,
                revision: 0,
                rows: vec![],
            },
        ];
        let schema = rows(&[]).schema();
        let written = kept.write(b"state\n", &closings, &schema).unwrap();
        let (read, state, closed) = Kept::read("k", &written).unwrap();
        assert_eq!(
            (read.step, &read.used, &read.waiting),
            (7, &kept.used, &kept.waiting)
        );
        assert_eq!(state, &b"state\n"[..]);
        let ends: Vec<_> = closed
            .iter()
            .map(|closing| (closing.end, closing.revision))
            .collect();
        assert_eq!(ends, [(5, 1), (6, 0)]);
        assert_eq!(closed[0].rows, closings[0].rows);
        assert_eq!(closed[1].rows, []);

        let error = Kept::read("k", &written.slice(..written.len() - 1)).unwrap_err();
        assert!(
            error
                .message
                .contains("k: no state of windows: it breaks off"),
            "{error}"
        );
    }
}
