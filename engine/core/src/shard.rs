//! Streams of records that come in shards, as Kinesis Data Streams has them.

use std::cmp::Ordering;
use std::fmt::{self, Debug, Display, Formatter};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The number of a record, as decimal digits: greater ones came later to the same shard. It has more
/// bits than any integer of Rust.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequence(Arc<str>);

impl Sequence {
    /// A number of decimal digits; zeros before them do not count.
    pub fn new(digits: &str) -> Self {
        Self(Arc::from(digits.trim_start_matches('0')))
    }

    /// Its digits.
    pub fn digits(&self) -> &str {
        if self.0.is_empty() { "0" } else { &self.0 }
    }
}

impl Ord for Sequence {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

impl PartialOrd for Sequence {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Display for Sequence {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.digits())
    }
}

/// A place in a shard: what stands up to it, it included, was read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The record.
    pub sequence: Sequence,
    /// Of a record that holds several, the last that was read, from 0; None if all of them were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<u64>,
}

impl Ord for Position {
    fn cmp(&self, other: &Self) -> Ordering {
        // All of a record is more than any part of it.
        let read = |position: &Self| position.sub.unwrap_or(u64::MAX);
        (&self.sequence, read(self)).cmp(&(&other.sequence, read(other)))
    }
}

impl PartialOrd for Position {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Where reading a shard begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// At the oldest record that is still there.
    Oldest,
    /// At what comes from now on.
    Latest,
    /// At the first record that arrived at this time or later, in microseconds since 1970.
    Time(i64),
    /// At the record behind this one; at this one, if not all of what it holds was read.
    After(Position),
}

/// A shard of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// What it is called.
    pub id: Arc<str>,
    /// The shards that it was split off or merged from, at most two. They may be gone.
    pub parents: Vec<Arc<str>>,
    /// Hash keys of the records that come to it.
    pub hash_keys: RangeInclusive<u128>,
    /// No more records come to it.
    pub closed: bool,
}

/// A record of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardRecord {
    /// Its number.
    pub sequence: Sequence,
    /// The key by whose hash the producer chose the shard.
    pub partition_key: Arc<str>,
    /// What the producer wrote.
    pub data: Bytes,
    /// When it came to the stream, in microseconds since 1970.
    pub arrived: i64,
}

/// What a shard gave.
#[derive(Debug, Clone, Default)]
pub struct Fetched {
    /// Records in their order; there may be none.
    pub records: Vec<ShardRecord>,
    /// How far the last of them is from the newest of the shard.
    pub behind: Duration,
    /// The shard is closed and nothing is left of it.
    pub ended: bool,
}

/// A stream of records in shards.
#[async_trait]
pub trait ShardSource: Debug + Send + Sync {
    /// The stream as the user named it.
    fn name(&self) -> &str;

    /// All shards that have records, or may get some.
    async fn shards(&self) -> Result<Vec<Shard>, Error>;

    /// Reads a shard from a place on.
    async fn open(&self, shard: &str, start: &Start) -> Result<Box<dyn ShardReader>, Error>;
}

/// Reads one shard from front to back.
#[async_trait]
pub trait ShardReader: Send {
    /// What comes next. It waits as the stream's limits ask; expired places, throttling and broken
    /// connections are its own affair, and an error is what does not pass by itself.
    async fn fetch(&mut self) -> Result<Fetched, Error>;
}

#[cfg(test)]
mod tests {
    use super::Sequence;

    #[test]
    fn sequences_are_numbers() {
        let mut sequences = [
            "100",
            "99",
            "0",
            "49590338271490256608559692538361571095921575989136588898",
            "007",
        ]
        .map(Sequence::new);
        sequences.sort();
        let digits: Vec<_> = sequences.iter().map(Sequence::digits).collect();
        assert_eq!(
            digits,
            [
                "0",
                "7",
                "99",
                "100",
                "49590338271490256608559692538361571095921575989136588898"
            ]
        );
    }
}
