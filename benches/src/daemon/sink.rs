//! A place for objects that keeps only what is read back, and takes as long as it is told.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use loglens_engine::error::{Error, Owner};
use loglens_engine::sink::{Condition, Content, ObjectSink, Upload, Written};

/// Files of the lake are counted by their names; logs and states are kept.
#[derive(Debug)]
pub(super) struct CountingSink {
    /// Bytes a second.
    pace: Option<u64>,
    objects: Mutex<HashMap<String, (Bytes, u64)>>,
    /// One at a time, where there is a pace.
    turn: tokio::sync::Mutex<()>,
}

impl CountingSink {
    pub(super) fn new(pace: Option<u64>) -> Self {
        Self {
            pace,
            objects: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    fn objects(&self) -> MutexGuard<'_, HashMap<String, (Bytes, u64)>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ObjectSink for CountingSink {
    async fn get(&self, key: &str) -> Result<Option<Content>, Error> {
        let found = self.objects().get(key).cloned();
        Ok(found.map(|(bytes, etag)| Content {
            bytes,
            etag: Some(etag.to_string()),
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
        let etag = objects.get(key).map(|(_, etag)| *etag);
        let holds = match condition {
            Condition::Always => true,
            Condition::Absent => etag.is_none(),
            Condition::Matches(seen) => etag.is_some_and(|etag| etag.to_string() == seen),
        };
        if !holds {
            return Ok(Written::Refused);
        }
        let next = etag.unwrap_or(0) + 1;
        let bytes = if key.starts_with("lake/") {
            Bytes::new()
        } else {
            bytes
        };
        objects.insert(key.to_owned(), (bytes, next));
        Ok(Written::Done {
            etag: Some(next.to_string()),
        })
    }

    async fn begin(&self, _: &str) -> Result<Box<dyn Upload>, Error> {
        Err(Error::new(Owner::Internal, "nobody uploads in parts"))
    }

    async fn copy(&self, _: &str, _: &str, _: Condition) -> Result<Written, Error> {
        Err(Error::new(Owner::Internal, "nobody copies"))
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.objects().remove(key);
        Ok(())
    }
}
