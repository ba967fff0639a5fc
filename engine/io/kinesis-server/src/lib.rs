//! A Kinesis server for tests, on loopback, within the process of the test.
//!
//! ferrokinesis keeps the streams. Before it stands what it lacks and what goes wrong:
//!
//! - [`Server`]: starts, makes streams, splits and merges shards, counts what it was asked for.
//! - `limits`: 5 reads and 2 MB a second of each shard.
//! - `records`: how far a reader is behind, the children of a shard at its end, records that come
//!   twice.
//! - `answer`: pages of shards, writes of which some are refused, and [`Fault`]s, as the server for S3
//!   has them; the key of a fault is looked for in the request's text.
//!
//! Writes and reads exclude each other, so that no reader passes over a record whose number is given
//! and which is not yet there.

mod answer;
mod limits;
mod records;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use ferrokinesis::actions::{Operation, dispatch};
use ferrokinesis::create_router;
use ferrokinesis::store::{Store, StoreOptions};
use loglens_test_server::Listening;
pub use loglens_test_server::{Fault, Wrong};
use serde_json::{Value, json};
use tokio::sync::RwLock;

use limits::Limits;

/// The most bytes of a request: 10 MiB of records, which are a third longer as text.
const MOST_BYTES: usize = 16 << 20;

/// How a server behaves from its start on.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long an iterator holds. Whole seconds.
    pub iterators: Duration,
    /// How long a subscription lasts.
    pub subscriptions: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            iterators: Duration::from_secs(300),
            subscriptions: Duration::from_secs(300),
        }
    }
}

/// A running server. It ends when it is dropped.
pub struct Server {
    listening: Listening,
    state: Arc<State>,
}

pub(crate) struct State {
    store: Store,
    faults: Mutex<Vec<Fault>>,
    counts: Mutex<BTreeMap<String, usize>>,
    limits: Mutex<Option<Limits>>,
    switches: Mutex<Switches>,
    /// What each shard gave last.
    given: Mutex<BTreeMap<(String, String), Vec<Value>>>,
    writing: RwLock<()>,
}

/// What is otherwise than it usually is.
#[derive(Debug, Default)]
pub(crate) struct Switches {
    /// So many answers begin with the records of the one before.
    again: usize,
    /// Records came so much earlier than they did.
    age: Duration,
    /// Of so many writes every other record is refused.
    refused: usize,
    /// The most shards of a page.
    page: Option<usize>,
}

impl Server {
    /// Starts a server with a thread of its own, on a port that is free.
    pub fn start() -> io::Result<Self> {
        Self::start_with(0, Options::default())
    }

    /// The same on this port, 0 for one that is free, and with these options.
    pub fn start_with(port: u16, options: Options) -> io::Result<Self> {
        let state = Arc::new(State {
            store: Store::new(StoreOptions {
                create_stream_ms: 1,
                delete_stream_ms: 1,
                update_stream_ms: 1,
                shard_limit: 10_000,
                iterator_ttl_seconds: options.iterators.as_secs(),
                subscribe_to_shard_session_ms: milliseconds(options.subscriptions),
                ..StoreOptions::default()
            }),
            faults: Mutex::default(),
            counts: Mutex::default(),
            limits: Mutex::default(),
            switches: Mutex::default(),
            given: Mutex::default(),
            writing: RwLock::default(),
        });
        let streams = create_router(state.store.clone()).layer(DefaultBodyLimit::max(MOST_BYTES));
        let serving = Arc::clone(&state);
        let answer = move |request| answer::answer(Arc::clone(&serving), streams.clone(), request);
        Ok(Self {
            listening: Listening::start(port, answer)?,
            state,
        })
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        self.listening.endpoint()
    }

    /// Makes a stream, and waits until it is there.
    ///
    /// # Errors
    ///
    /// Of this and all that follow: Kinesis's own words.
    pub async fn create(&self, stream: &str, shards: usize) -> Result<(), String> {
        let request = json!({ "StreamName": stream, "ShardCount": shards });
        self.change(stream, Operation::CreateStream, request).await
    }

    /// Splits a shard in the middle of its hash keys.
    pub async fn split(&self, stream: &str, shard: &str) -> Result<(), String> {
        let found = self.state.store.get_stream(stream).await.map_err(told)?;
        let range = found.shards.iter().find(|found| found.shard_id == shard);
        let range = &range.ok_or("no such shard")?.hash_key_range;
        let key = |digits: &str| digits.parse::<u128>().map_err(|error| error.to_string());
        let (first, last) = (key(&range.starting_hash_key)?, key(&range.ending_hash_key)?);
        let middle = first + (last - first) / 2 + 1;
        let request = json!({
            "StreamName": stream,
            "ShardToSplit": shard,
            "NewStartingHashKey": middle.to_string(),
        });
        self.change(stream, Operation::SplitShard, request).await
    }

    /// Merges two shards that lie next to each other, the lower one first.
    pub async fn merge(&self, stream: &str, shard: &str, next: &str) -> Result<(), String> {
        let request = json!({
            "StreamName": stream,
            "ShardToMerge": shard,
            "AdjacentShardToMerge": next,
        });
        self.change(stream, Operation::MergeShards, request).await
    }

    async fn change(
        &self,
        stream: &str,
        operation: Operation,
        request: Value,
    ) -> Result<(), String> {
        let writing = self.state.writing.write().await;
        dispatch(&self.state.store, operation, request)
            .await
            .map_err(told)?;
        drop(writing);
        for _ in 0..2000 {
            let found = self.state.store.get_stream(stream).await.map_err(told)?;
            if found.stream_status.to_string() == "ACTIVE" {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Err(format!("{stream} does not become active"))
    }

    /// Something goes wrong from now on.
    pub fn fail(&self, fault: Fault) {
        lock(&self.state.faults).push(fault);
    }

    /// Nothing goes wrong any more.
    pub fn mend(&self) {
        lock(&self.state.faults).clear();
        *lock(&self.state.switches) = Switches::default();
    }

    /// From now on, a shard gives no more than 5 reads and 2 MB a second.
    pub fn limit_reads(&self) {
        *lock(&self.state.limits) = Some(Limits::default());
    }

    /// So many answers to `GetRecords` begin with the records of the one before.
    pub fn deliver_again(&self, times: usize) {
        lock(&self.state.switches).again = times;
    }

    /// Of so many `PutRecords`, every other record is refused.
    pub fn refuse_some(&self, times: usize) {
        lock(&self.state.switches).refused = times;
    }

    /// From now on, readers are told that records came so much earlier than they did.
    pub fn age(&self, age: Duration) {
        lock(&self.state.switches).age = age;
    }

    /// `ListShards` gives no more than so many shards at a time.
    pub fn pages_of(&self, shards: usize) {
        lock(&self.state.switches).page = Some(shards);
    }

    /// How often it was asked for an operation.
    pub fn count(&self, operation: &str) -> usize {
        lock(&self.state.counts)
            .get(operation)
            .copied()
            .unwrap_or(0)
    }
}

fn told(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

fn milliseconds(time: Duration) -> u64 {
    time.as_millis().try_into().unwrap_or(u64::MAX)
}

/// A panic elsewhere does not make the state wrong.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
