//! Windows as files of Parquet, in the lake: `windows/<name>/day=<day>/<end>.parquet`.
//!
//! A revision of a window replaces its file. Sessions are not revised, and many end at the same time
//! or at times of their own: those that close together are one file, `windows/<name>/<step>.parquet`.

use bytes::Bytes;
use loglens_engine::arrow::datatypes::SchemaRef;
use loglens_engine::error::{Error, Owner};
use loglens_engine::portable::{note_in, parquet_file};
use loglens_engine::sink::{Condition, Written};

use super::kept::Closing;
use super::time::{compact, day};
use crate::application::Place;

/// The folder of all windows in the lake.
pub const FOLDER: &str = "windows";

/// The note in each file: the step of its owner that it is of.
const STEP: &str = "loglens.step";

/// How often a file is tried again that others replace meanwhile.
const TRIES: usize = 8;

/// Where the windows of a statement are written.
#[derive(Debug)]
pub(super) struct WindowFiles<'a> {
    pub(super) lake: &'a Place,
    pub(super) name: &'a str,
    pub(super) schema: SchemaRef,
    /// They are sessions.
    pub(super) sessions: bool,
}

impl WindowFiles<'_> {
    /// Writes windows that closed, unless a later step has written them already.
    pub(super) async fn give(&self, step: u64, closing: &Closing) -> Result<(), Error> {
        if self.sessions && closing.rows.is_empty() {
            return Ok(());
        }
        let failed = |error| {
            let message = format!("windows of {}: {error}", self.name);
            Error::new(Owner::Internal, message)
        };
        let file = parquet_file(&self.schema, &closing.rows, (STEP, &step.to_string()));
        let key = self.lake.key(&self.path(step, closing.end));
        self.put(&key, step, file.map_err(failed)?).await
    }

    fn path(&self, step: u64, end: i64) -> String {
        let folder = format!("{FOLDER}/{}", self.name);
        match self.sessions {
            true => format!("{folder}/{step:020}-{}.parquet", compact(end)),
            false => format!("{folder}/day={}/{}.parquet", day(end), compact(end)),
        }
    }

    async fn put(&self, key: &str, step: u64, file: Bytes) -> Result<(), Error> {
        let sink = &self.lake.sink;
        let mut condition = Condition::Absent;
        for _ in 0..TRIES {
            let written = sink.put(key, file.clone(), condition).await?;
            if written != Written::Refused {
                return Ok(());
            }
            condition = match sink.get(key).await? {
                None => Condition::Absent,
                Some(there) => match there.etag {
                    Some(etag) if step_of(&there.bytes).is_none_or(|other| other < step) => {
                        Condition::Matches(etag)
                    }
                    _ => return Ok(()),
                },
            };
        }
        let message = format!("{key}: others write it all the time");
        Err(Error::new(Owner::External, message))
    }
}

fn step_of(file: &Bytes) -> Option<u64> {
    note_in(file, STEP).ok()??.parse().ok()
}
