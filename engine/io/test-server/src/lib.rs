//! An S3 server for tests, on loopback, within the process of the test.
//!
//! - [`Server`]: starts, and tells what it was asked for ([`Logged`], [`Server::count`]).
//! - [`Bucket`]: keys with contents that may be made only when they are read, so that a bucket of
//!   50,000 objects costs nothing.
//! - [`Fault`]: what goes wrong, where, how often.
//! - [`Forward`]: the same before a server that others wrote.
//! - [`Moto`]: such a server.
//! - [`Listening`]: what all servers of tests stand on.
//!
//! It understands what loglens asks of S3: listing with prefix, delimiter, pages and start-after;
//! GET with ranges and conditions; PUT with conditions, multipart, copy, delete. It checks no
//! signatures, but for the Region in them. Of STS it knows who asks.

mod answer;
mod bucket;
mod checksum;
mod fault;
mod forward;
mod list;
mod listening;
mod moto;
mod multipart;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use bucket::{Bucket, Content};
pub use fault::{Fault, Wrong};
pub use forward::Forward;
pub use listening::Listening;
pub use moto::Moto;

/// What the server was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The operation, as S3 calls it.
    pub operation: &'static str,
    /// The bucket.
    pub bucket: String,
    /// The key; of a listing the prefix.
    pub key: String,
    /// Other headers and parameters that tests look at: `range`, `if-match`, `start-after`,
    /// `x-amz-request-payer`.
    pub details: BTreeMap<&'static str, String>,
    /// The status of the answer.
    pub status: u16,
}

/// A running server. It ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    listening: Listening,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    buckets: Mutex<BTreeMap<String, Bucket>>,
    faults: Mutex<Vec<Fault>>,
    log: Mutex<Vec<Logged>>,
    latency: Mutex<Duration>,
    date: Mutex<Option<String>>,
    busy: Mutex<Busy>,
}

/// How many requests are answered at the same time.
#[derive(Debug, Default, Clone, Copy)]
struct Busy {
    now: usize,
    most: usize,
}

impl Server {
    /// Starts a server with a thread of its own, on a port that is free.
    pub fn start() -> io::Result<Self> {
        Self::start_at(0)
    }

    /// The same on this port.
    pub fn start_at(port: u16) -> io::Result<Self> {
        let state = Arc::new(State::default());
        let serving = Arc::clone(&state);
        let answer = move |request| answer::answer(Arc::clone(&serving), request);
        Ok(Self {
            listening: Listening::start(port, answer)?,
            state,
        })
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        self.listening.endpoint()
    }

    /// Puts a bucket there, or in the place of the one of this name.
    pub fn add(&self, name: &str, bucket: Bucket) {
        lock(&self.state.buckets).insert(name.to_owned(), bucket);
    }

    /// Changes a bucket, or says what it holds.
    pub fn with<T>(&self, name: &str, work: impl FnOnce(&mut Bucket) -> T) -> T {
        work(
            lock(&self.state.buckets)
                .entry(name.to_owned())
                .or_default(),
        )
    }

    /// Something goes wrong from now on.
    pub fn fail(&self, fault: Fault) {
        lock(&self.state.faults).push(fault);
    }

    /// Nothing goes wrong any more.
    pub fn mend(&self) {
        lock(&self.state.faults).clear();
    }

    /// Every answer begins so much later.
    pub fn delay(&self, latency: Duration) {
        *lock(&self.state.latency) = latency;
    }

    /// Every answer has this date instead of that of the clock.
    pub fn date(&self, date: &str) {
        *lock(&self.state.date) = Some(date.to_owned());
    }

    /// What it was asked for so far.
    pub fn log(&self) -> Vec<Logged> {
        lock(&self.state.log).clone()
    }

    /// Forgets what it was asked for.
    pub fn forget(&self) {
        lock(&self.state.log).clear();
        *lock(&self.state.busy) = Busy::default();
    }

    /// How often it was asked for an operation.
    pub fn count(&self, operation: &str) -> usize {
        let log = lock(&self.state.log);
        log.iter()
            .filter(|asked| asked.operation == operation)
            .count()
    }

    /// The most requests that were under way at the same time.
    pub fn most_under_way(&self) -> usize {
        lock(&self.state.busy).most
    }
}

/// A panic elsewhere does not make the state wrong.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
