//! The ledger: what became of every object and record of a query.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use loglens_parsers::reject::{Counts, Reject};

/// How many rejects a ledger describes; all are counted.
pub const DESCRIBED_REJECTS: usize = 3;

/// What became of the objects and records of one query. Shared by its scans.
#[derive(Debug, Default)]
pub struct Ledger {
    objects: AtomicU64,
    bytes_read: AtomicU64,
    bytes_inflated: AtomicU64,
    without_time: AtomicU64,
    expected: Mutex<Expected>,
    entries: Mutex<BTreeMap<(usize, Arc<str>), Entry>>,
    scans: AtomicU64,
    totals: Mutex<Totals>,
}

/// What the scans of a query will read, if nothing ends them early.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Objects.
    pub objects: u64,
    /// Bytes of those whose size is known.
    pub bytes: u64,
    /// Objects whose size is not known.
    pub of_unknown_size: u64,
    /// Requests to read those that lie behind a network.
    pub gets: u64,
    /// Bytes that will come over it.
    pub network_bytes: u64,
}

/// Sums of a query.
#[derive(Debug, Default, Clone)]
pub struct Totals {
    /// Objects opened.
    pub objects: u64,
    /// Bytes read from the sources.
    pub bytes_read: u64,
    /// Bytes after inflating.
    pub bytes_inflated: u64,
    /// What became of the records; of a table that is scanned twice, both times.
    pub counts: Counts,
    /// Rejected records, values and objects; of a table that is scanned twice, once.
    pub rejects: RejectTotals,
    /// Rows that have no time and so lie in no window.
    pub without_time: u64,
}

/// What did not fit.
#[derive(Debug, Default, Clone)]
pub struct RejectTotals {
    /// Records that are not among the rows.
    pub records: u64,
    /// Values that are not in their column.
    pub values: u64,
    /// Objects that could not be read to their end.
    pub objects: u64,
    /// The first few, with their object.
    pub first: Vec<(Arc<str>, Reject)>,
}

/// Rejects of one object in one scan.
#[derive(Debug, Default, Clone, Copy)]
struct Entry {
    records: u64,
    values: u64,
    damaged: u64,
}

impl Ledger {
    /// A number for a new scan.
    pub(crate) fn scan(&self) -> usize {
        self.scans.fetch_add(1, Relaxed) as usize
    }

    /// Takes down the sizes of the objects of a scan, and how many requests each takes.
    pub(crate) fn expect(&self, objects: impl Iterator<Item = (Option<u64>, u64)>) {
        let mut expected = lock(&self.expected);
        for (size, gets) in objects {
            let bytes = size.unwrap_or(0);
            expected.objects += 1;
            expected.bytes += bytes;
            expected.of_unknown_size += u64::from(size.is_none());
            expected.gets += gets;
            expected.network_bytes += if gets > 0 { bytes } else { 0 };
        }
    }

    /// What its scans will read at most.
    pub fn expected(&self) -> Expected {
        *lock(&self.expected)
    }

    pub(crate) fn opened(&self) {
        self.objects.fetch_add(1, Relaxed);
    }

    pub(crate) fn read(&self, bytes: usize) {
        self.bytes_read.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn inflated(&self, bytes: usize) {
        self.bytes_inflated.fetch_add(bytes as u64, Relaxed);
    }

    /// Takes down rows that lie in no window, because they have no time.
    pub(crate) fn without_time(&self, rows: u64) {
        self.without_time.fetch_add(rows, Relaxed);
    }

    /// Bytes read so far, for a progress bar.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Relaxed)
    }

    /// Takes down the counts and rejects of a block.
    pub(crate) fn block(&self, scan: usize, object: &Arc<str>, counts: Counts, rejects: &[Reject]) {
        if counts.rejects + counts.values > 0 {
            let mut entries = lock(&self.entries);
            let entry = entries.entry((scan, Arc::clone(object))).or_default();
            entry.records += counts.rejects;
            entry.values += counts.values;
        }
        let mut totals = lock(&self.totals);
        totals.counts += counts;
        describe(&mut totals.rejects.first, object, rejects);
    }

    /// Takes down damage of an object.
    pub(crate) fn damage(&self, scan: usize, object: &Arc<str>, reject: &Reject) {
        lock(&self.entries)
            .entry((scan, Arc::clone(object)))
            .or_default()
            .damaged += 1;
        describe(
            &mut lock(&self.totals).rejects.first,
            object,
            std::slice::from_ref(reject),
        );
    }

    /// The sums so far.
    pub fn totals(&self) -> Totals {
        let mut totals = lock(&self.totals).clone();
        totals.objects = self.objects.load(Relaxed);
        totals.bytes_read = self.bytes_read.load(Relaxed);
        totals.bytes_inflated = self.bytes_inflated.load(Relaxed);
        totals.without_time = self.without_time.load(Relaxed);
        let mut once: BTreeMap<Arc<str>, Entry> = BTreeMap::new();
        for ((_, object), entry) in lock(&self.entries).iter() {
            let sum = once.entry(Arc::clone(object)).or_default();
            sum.records = sum.records.max(entry.records);
            sum.values = sum.values.max(entry.values);
            sum.damaged = sum.damaged.max(entry.damaged);
        }
        for entry in once.values() {
            totals.rejects.records += entry.records;
            totals.rejects.values += entry.values;
            totals.rejects.objects += entry.damaged;
        }
        totals
    }
}

fn describe(first: &mut Vec<(Arc<str>, Reject)>, object: &Arc<str>, rejects: &[Reject]) {
    for reject in rejects {
        if first.len() >= DESCRIBED_REJECTS {
            return;
        }
        let known = first
            .iter()
            .any(|(key, seen)| key == object && seen == reject);
        if !known {
            first.push((Arc::clone(object), reject.clone()));
        }
    }
}

/// A panic elsewhere does not make numbers wrong.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
