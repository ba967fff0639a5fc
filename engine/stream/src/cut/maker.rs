//! What makes objects of records.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use loglens_engine::error::Error;
use loglens_engine::shard::{Fetched, Start};

use crate::shard_log::{CutRange, HashKeys};

/// Makes objects of the records of shards.
#[async_trait]
pub trait CutMaker: Debug + Send + Sync {
    /// What decides in which object a row of a record comes to lie, and what the object is called: how
    /// the lake is partitioned. It is written down in each claim. Versions that differ in this alone
    /// finish each other's cuts, if they know how to make them by what the other one said.
    fn configuration(&self) -> String;

    /// Begins to make the cuts of a shard.
    async fn begin(&self, beginning: Beginning<'_>) -> Result<Box<dyn Making>, Error>;
}

/// Where making the cuts of a shard begins.
#[derive(Debug)]
pub struct Beginning<'a> {
    /// The shard.
    pub shard: &'a Arc<str>,
    /// Where its records begin. Of the first one a part may have been read by others.
    pub after: &'a Start,
    /// The hash keys of the shard; None if nobody knows them any more.
    pub hash_keys: Option<HashKeys>,
    /// The state that the last commit holds; None if there is none.
    pub state: Option<Bytes>,
    /// What the objects are made by: the maker's own, or that of a claim that is to be finished.
    pub configuration: &'a str,
}

/// The cuts of one shard in the making.
///
/// The same records give the same names, and each row comes to lie under the same name, whatever
/// the fetches in which the records came and whoever makes them. Work that takes long belongs onto
/// threads of its own: leases are renewed meanwhile.
#[async_trait]
pub trait Making: Send {
    /// Waits until there is memory for what a shard may give next.
    async fn ready(&mut self) {}

    /// Takes what a shard gave at the time `now`: records that follow on those before, none twice.
    async fn take(&mut self, fetched: Fetched, now: Duration) -> Result<(), Error>;

    /// Whether what was taken should become a cut now: by its memory, its bytes, its age; or, without
    /// records, because the state should be committed.
    fn should_cut(&self, now: Duration) -> bool;

    /// Ends the cut of all that was taken since the one before: gives the names of its objects, within
    /// the place of the lake. None may be a name of any other cut:
    /// [`Records::stem`](crate::shard_log::Records::stem) is in all of them.
    async fn names(&mut self, range: &CutRange) -> Result<Vec<String>, Error>;

    /// Makes an object of the cut. It is asked for each name once, in the order of the names, so that
    /// not all have to be in memory.
    async fn object(&mut self, name: &str) -> Result<MadeObject, Error>;

    /// What the commit of the cut says of what comes after it. What is taken from here on is of the
    /// next one.
    async fn state(&mut self) -> Result<CutState, Error>;
}

/// An object of a cut.
#[derive(Debug, Clone)]
pub struct MadeObject {
    /// How many rows it holds.
    pub rows: u64,
    /// All of it.
    pub bytes: Bytes,
}

/// What a cut leaves to the next one.
#[derive(Debug, Clone, Default)]
pub struct CutState {
    /// The event time up to which all records are thought to have come, in microseconds since 1970.
    pub watermark: Option<i64>,
    /// What goes on: open windows. It says its own version.
    pub state: Bytes,
}
