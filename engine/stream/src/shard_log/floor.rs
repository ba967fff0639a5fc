//! The floor of a shard's log: what lies below it was deleted, or means nothing.

use bytes::Bytes;
use loglens_engine::error::{Error, Owner};
use loglens_engine::sink::{Condition, ObjectSink, Written};
use serde::{Deserialize, Serialize};

use super::entry::{check_version, damaged};

/// The first cut whose entries count. It only ever rises.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Floor {
    version: u32,
    pub(super) cut: u64,
}

impl Floor {
    /// The floor of the log in a folder, and the condition under which it is still that.
    pub(super) async fn read(
        sink: &dyn ObjectSink,
        folder: &str,
    ) -> Result<(Self, Condition), Error> {
        let key = key(folder);
        let Some(content) = sink.get(&key).await? else {
            return Ok((Self::at(0), Condition::Absent));
        };
        check_version(&key, &content.bytes)?;
        let floor =
            serde_json::from_slice(&content.bytes).map_err(|error| damaged(&key, &error))?;
        let etag = content.etag.ok_or_else(|| {
            Error::new(
                Owner::Internal,
                format!("{key}: it was read without an etag"),
            )
        })?;
        Ok((floor, Condition::Matches(etag)))
    }

    /// Raises the floor to `cut` and gives where it was; None if it is there already, or somebody
    /// else raises it now.
    pub(super) async fn raise(
        sink: &dyn ObjectSink,
        folder: &str,
        cut: u64,
    ) -> Result<Option<u64>, Error> {
        let (floor, unchanged) = Self::read(sink, folder).await?;
        if floor.cut >= cut {
            return Ok(None);
        }
        let bytes = serde_json::to_vec(&Self::at(cut));
        let bytes = bytes.map_err(|error| Error::new(Owner::Internal, error.to_string()))?;
        let written = sink
            .put(&key(folder), Bytes::from(bytes), unchanged)
            .await?;
        Ok((written != Written::Refused).then_some(floor.cut))
    }

    fn at(cut: u64) -> Self {
        Self { version: 1, cut }
    }
}

fn key(folder: &str) -> String {
    format!("{folder}floor")
}
