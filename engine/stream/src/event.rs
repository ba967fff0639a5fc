//! What happens in a worker, for metrics and people.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use loglens_engine::error::Error;
use loglens_engine::shard::Fetched;
use loglens_engine::stream::Merged;

use crate::shard_log::Commit;

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// The worker looked at all leases, and has those that it can have now.
    Looked,
    /// The leases that are held were renewed, or that was tried.
    Renewed,
    /// A shard got a lease.
    Found(&'a Arc<str>),
    /// The lease of a shard was deleted.
    Deleted {
        /// The shard.
        shard: &'a Arc<str>,
        /// It was read to its end. If not, the stream has lost what was not read.
        ended: bool,
    },
    /// The worker took the lease of a shard.
    Taken(&'a Arc<str>),
    /// A claim was found that its owner has not finished; it is finished now.
    Finishing {
        /// The shard.
        shard: &'a Arc<str>,
        /// How many records are read again.
        records: u64,
    },
    /// A shard gave records, or none.
    Fetched {
        /// The shard.
        shard: &'a Arc<str>,
        /// What it gave, without records that came before.
        gave: Gave,
    },
    /// A cut was committed.
    Committed {
        /// The shard.
        shard: &'a Arc<str>,
        /// The number of the cut.
        cut: u64,
        /// What it says.
        commit: &'a Commit,
    },
    /// Commits were merged into the windows of a statement, and windows may have closed.
    WindowsGiven(WindowsGiven<'a>),
    /// The windows of a statement lack the records of a cut.
    WindowLacks {
        /// The window.
        window: &'a Arc<str>,
        /// The shard.
        shard: &'a Arc<str>,
        /// The cut.
        cut: u64,
        /// Why.
        why: &'a str,
    },
    /// Notices were dropped, because they waited for somebody who does not take them.
    NoticesDropped {
        /// The window.
        window: &'a Arc<str>,
        /// Who does not take them.
        notified: &'a str,
        /// How many.
        notices: u64,
    },
    /// Giving windows failed. It is tried again.
    WindowFailed {
        /// The window.
        window: &'a Arc<str>,
        /// What failed.
        error: &'a Error,
    },
    /// A shard was read to its end.
    Ended(&'a Arc<str>),
    /// The lease of a shard was given up, after all that was read of it was committed.
    GivenUp(&'a Arc<str>),
    /// The lease of a shard was given up at its last commit, because something had failed: whoever goes
    /// on reads again what was read since.
    LeftBehind(&'a Arc<str>),
    /// Somebody else goes on with a shard.
    Lost(&'a Arc<str>),
    /// Something failed. It is tried again.
    Failed {
        /// The shard, if it is about one.
        shard: Option<&'a Arc<str>>,
        /// What failed.
        error: &'a Error,
    },
}

/// What was merged into the windows of a statement, and what was given.
#[derive(Debug, Clone)]
pub struct WindowsGiven<'a> {
    /// The window.
    pub window: &'a Arc<str>,
    /// Windows that were given, revisions among them.
    pub windows: u64,
    /// Windows that were given again.
    pub revisions: u64,
    /// Rows of the windows that were given.
    pub rows: u64,
    /// What became of the records that were merged.
    pub merged: Merged,
    /// Time up to which windows are closed, in microseconds since 1970.
    pub watermark: Option<i64>,
    /// Bytes that the open windows hold.
    pub state_bytes: u64,
    /// Conditions that hold.
    pub episodes: u64,
    /// Notices that wait to be taken.
    pub waiting: u64,
}

/// What a shard gave at a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gave {
    /// How many records.
    pub records: u64,
    /// Bytes of their data.
    pub bytes: u64,
    /// How far the last of them is from the newest of the shard.
    pub behind: Duration,
    /// When the first and the last of them came to the stream, in microseconds since 1970.
    pub arrived: Option<(i64, i64)>,
}

impl Gave {
    /// The sum of what was fetched.
    pub fn new(fetched: &Fetched) -> Self {
        let records = &fetched.records;
        let bytes = records.iter().map(|record| record.data.len() as u64);
        let first = records.first().map(|record| record.arrived);
        let last = records.last().map(|record| record.arrived);
        Self {
            records: records.len() as u64,
            bytes: bytes.sum(),
            behind: fetched.behind,
            arrived: first.zip(last),
        }
    }
}

/// Is told what happens. It must not wait.
pub trait Observer: Debug + Send + Sync {
    /// This happened.
    fn observe(&self, event: &Event<'_>);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn observe(&self, _event: &Event<'_>) {}
}

/// Tells all of them, in their order.
impl Observer for Vec<Arc<dyn Observer>> {
    fn observe(&self, event: &Event<'_>) {
        for observer in self {
            observer.observe(event);
        }
    }
}
