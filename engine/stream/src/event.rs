//! What happens in a worker, for metrics and people.

use std::fmt::Debug;
use std::sync::Arc;

use loglens_engine::error::Error;

use crate::shard_log::Commit;

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
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
    /// A cut was committed.
    Committed {
        /// The shard.
        shard: &'a Arc<str>,
        /// The number of the cut.
        cut: u64,
        /// What it says.
        commit: &'a Commit,
    },
    /// A shard was read to its end.
    Ended(&'a Arc<str>),
    /// The lease of a shard was given up, after all that was read of it was committed.
    GivenUp(&'a Arc<str>),
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
