//! All standing windows of an application.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::{BoxFuture, join_all};
use loglens_engine::error::Error;
use loglens_engine::stream::Stream;
use tokio::sync::Notify;

use super::kept::Used;
use super::notices::{Notified, RowsAsJson};
use super::owner::WindowOwner;
use crate::application::Application;
use crate::stop::Stop;

/// Opens the stream of a statement, without any input.
pub type OpenStream = Arc<dyn Fn() -> BoxFuture<'static, Result<Stream, Error>> + Send + Sync>;

/// A statement whose windows are given as they close.
#[derive(Clone)]
pub struct StandingWindow {
    /// What it is called.
    pub name: Arc<str>,
    /// Its text. What is kept under the name is of no use to another one.
    pub sql: Arc<str>,
    /// Opens its stream.
    pub open: OpenStream,
    /// Its windows are written as Parquet.
    pub files: bool,
    /// Rows are told as episodes of a condition: it has a HAVING.
    pub is_alert: bool,
    /// Who is told what its windows say.
    pub notified: Vec<Arc<dyn Notified>>,
    /// Makes the JSON of rows.
    pub as_json: RowsAsJson,
}

impl fmt::Debug for StandingWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("StandingWindow");
        shown.field("name", &self.name).field("sql", &self.sql);
        shown.finish_non_exhaustive()
    }
}

/// All standing windows of an application, in one worker.
#[derive(Debug, Default)]
pub struct Standings {
    windows: Vec<StandingWindow>,
    /// A cut was committed.
    pub(super) committed: Notify,
    /// How far each statement has used the logs of shards, as far as this worker knows.
    used: Mutex<HashMap<Arc<str>, Vec<Used>>>,
}

impl Standings {
    /// These windows.
    pub fn new(windows: Vec<StandingWindow>) -> Self {
        Self {
            windows,
            ..Self::default()
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// Gives windows as they close, until it is asked to stop; what was committed until then is used.
    pub(crate) async fn run(&self, application: &Arc<Application>, worker: &Arc<str>, stop: &Stop) {
        let owners = self.windows.iter().map(|window| {
            let (application, worker) = (Arc::clone(application), Arc::clone(worker));
            let owner = WindowOwner::new(application, window.clone(), worker);
            let stop = stop.clone();
            async move { owner.run(stop).await }
        });
        join_all(owners).await;
    }

    /// Takes down that a cut was committed.
    pub(crate) fn committed(&self) {
        self.committed.notify_waiters();
    }

    /// Takes down how far a statement has used the logs.
    pub(super) fn used(&self, name: &Arc<str>, used: Vec<Used>) {
        self.known().insert(Arc::clone(name), used);
    }

    /// The first cut of a shard that some statement still needs; None if none is needed.
    pub(crate) fn needed_from(&self, shard: &str) -> Option<u64> {
        let known = self.known();
        let of_each = self.windows.iter().map(|window| {
            let used = known.get(&window.name).into_iter().flatten();
            let mut used = used.filter(|used| *used.shard == *shard);
            used.next().map_or(0, |used| used.next)
        });
        of_each.min()
    }

    /// Whether all statements have used all of a shard that was read to its end, and know those that
    /// follow.
    pub(crate) fn are_done_with(&self, shard: &str) -> bool {
        let known = self.known();
        self.windows.iter().all(|window| {
            let mut used = known.get(&window.name).into_iter().flatten();
            used.any(|used| *used.shard == *shard && used.followed)
        })
    }

    /// A panic elsewhere does not make what is known wrong.
    fn known(&self) -> MutexGuard<'_, HashMap<Arc<str>, Vec<Used>>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
