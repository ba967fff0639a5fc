//! A place for objects that keeps only what is read back, and takes as long as it is told.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use loglens_engine::error::{Error, Owner};
use loglens_engine::sink::{Condition, Content, ObjectSink, Upload, Written};

/// Files of the lake are not kept; logs and states are, in files, so that the process has its memory
/// for itself.
#[derive(Debug)]
pub(super) struct CountingSink {
    /// Bytes a second.
    pace: Option<u64>,
    folder: PathBuf,
    objects: Mutex<Objects>,
    /// One at a time, where there is a pace.
    turn: tokio::sync::Mutex<()>,
}

/// The objects that there are.
#[derive(Debug, Default)]
struct Objects {
    /// Which of all writes made each: its `ETag`, and the name of the file that it is kept in.
    written: HashMap<String, u64>,
    writes: u64,
}

impl CountingSink {
    /// One that keeps objects in a folder, which is there.
    pub(super) fn new(pace: Option<u64>, folder: PathBuf) -> Self {
        Self {
            pace,
            folder,
            objects: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, write: u64) -> PathBuf {
        self.folder.join(write.to_string())
    }
}

fn is_kept(key: &str) -> bool {
    !key.starts_with("lake/")
}

/// What went wrong with files.
pub(super) fn failed(error: &std::io::Error) -> Error {
    Error::new(Owner::External, error.to_string())
}

#[async_trait]
impl ObjectSink for CountingSink {
    async fn get(&self, key: &str) -> Result<Option<Content>, Error> {
        let objects = self.objects();
        let Some(write) = objects.written.get(key).copied() else {
            return Ok(None);
        };
        let bytes = match is_kept(key) {
            true => std::fs::read(self.file(write)).map_err(|error| failed(&error))?,
            false => Vec::new(),
        };
        Ok(Some(Content {
            bytes: bytes.into(),
            etag: Some(write.to_string()),
        }))
    }

    async fn get_if_changed(&self, key: &str, etag: &str) -> Result<Option<Content>, Error> {
        let found = self.get(key).await?;
        Ok(found.filter(|found| found.etag.as_deref() != Some(etag)))
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, Error> {
        if let Some(pace) = self.pace {
            let _turn = self.turn.lock().await;
            let seconds = bytes.len() as f64 / pace as f64;
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        }
        let mut objects = self.objects();
        let before = objects.written.get(key).copied();
        let holds = match condition {
            Condition::Always => true,
            Condition::Absent => before.is_none(),
            Condition::Matches(seen) => before.is_some_and(|write| write.to_string() == seen),
        };
        if !holds {
            return Ok(Written::Refused);
        }
        objects.writes += 1;
        let write = objects.writes;
        if is_kept(key) {
            std::fs::write(self.file(write), bytes).map_err(|error| failed(&error))?;
        }
        objects.written.insert(key.to_owned(), write);
        Ok(Written::Done {
            etag: Some(write.to_string()),
        })
    }

    async fn begin(&self, _: &str) -> Result<Box<dyn Upload>, Error> {
        Err(Error::new(Owner::Internal, "nobody uploads in parts"))
    }

    async fn copy(&self, _: &str, _: &str, _: Condition) -> Result<Written, Error> {
        Err(Error::new(Owner::Internal, "nobody copies"))
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.objects().written.remove(key);
        Ok(())
    }
}
