//! Leases: which worker reads which shard, and how far it is.
//!
//! A lease is a row that changes only under the condition that its counter is the one that was seen.
//! It is what the Kinesis Client Library writes (its `leaseCounter`), so that its checkpoints can be
//! taken over.

use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::shard::Start;

/// How far a shard was consumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checkpoint {
    /// Reading goes on there.
    At(Start),
    /// To its end: its children may begin.
    End,
}

/// A lease on a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The shard.
    pub shard: Arc<str>,
    /// The worker that holds it, or held it last.
    pub owner: Option<Arc<str>>,
    /// Goes up with every change. A lease whose counter stands still is nobody's.
    pub counter: u64,
    /// How far the shard was consumed.
    pub checkpoint: Checkpoint,
    /// How often the owner changed since the checkpoint did.
    pub switches: u64,
    /// The shards that must be at their end before this one begins.
    pub parents: Vec<Arc<str>>,
    /// The shards that it was split or merged into, where that is known.
    pub children: Vec<Arc<str>>,
    /// Hash keys of the shard's records.
    pub hash_keys: Option<RangeInclusive<u128>>,
}

/// Where leases are kept. All changes are atomic, whoever else is at work.
#[async_trait]
pub trait LeaseStore: Debug + Send + Sync {
    /// Makes the place ready: a table that is not there is made.
    async fn prepare(&self) -> Result<(), Error>;

    /// All leases.
    async fn list(&self) -> Result<Vec<Lease>, Error>;

    /// Adds a lease; false if the shard has one.
    async fn create(&self, lease: &Lease) -> Result<bool, Error>;

    /// Puts `lease` in the place of the one with the counter `seen`; false, and nothing changes, if
    /// the counter is another. A lost answer is no loss: the same write again is true.
    async fn replace(&self, lease: &Lease, seen: u64) -> Result<bool, Error>;

    /// Deletes the lease if its counter is `seen`; false if it is another.
    async fn delete(&self, shard: &str, seen: u64) -> Result<bool, Error>;
}
