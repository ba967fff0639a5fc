//! What reading and writing a stream took.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What was done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Answers with records, or with none: of `GetRecords`, and events of subscriptions.
    pub reads: u64,
    /// Records that were given on.
    pub records: u64,
    /// Bytes of their data.
    pub bytes: u64,
    /// Records that came a second time and were left out.
    pub repeated: u64,
    /// Iterators that had expired.
    pub expired: u64,
    /// Subscriptions begun.
    pub subscriptions: u64,
    /// Records that were written.
    pub written: u64,
    /// Records that were refused one by one for a passing reason, and written again.
    pub rewritten: u64,
    /// Requests made again, whatever for.
    pub retries: u64,
    /// Answers that asked to slow down.
    pub throttles: u64,
}

/// The same while it is counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) reads: AtomicU64,
    pub(super) records: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) repeated: AtomicU64,
    pub(super) expired: AtomicU64,
    pub(super) subscriptions: AtomicU64,
    pub(super) written: AtomicU64,
    pub(super) rewritten: AtomicU64,
}

impl Counters {
    pub(super) fn counts(&self, (retries, throttles): (u64, u64)) -> Counts {
        Counts {
            reads: self.reads.load(Relaxed),
            records: self.records.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            repeated: self.repeated.load(Relaxed),
            expired: self.expired.load(Relaxed),
            subscriptions: self.subscriptions.load(Relaxed),
            written: self.written.load(Relaxed),
            rewritten: self.rewritten.load(Relaxed),
            retries,
            throttles,
        }
    }
}
