//! What a scan did, as `EXPLAIN ANALYZE` shows it.

use std::sync::Arc;

use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder,
};
use loglens_parsers::reject::Counts;

use crate::ledger::Ledger;

/// Counts what is read: for the ledger of the query and for one scan.
#[derive(Debug, Clone)]
pub(super) struct ByteMetrics {
    ledger: Arc<Ledger>,
    read: Count,
    inflated: Count,
}

impl ByteMetrics {
    pub(super) fn new(metrics: &ExecutionPlanMetricsSet, ledger: Arc<Ledger>) -> Self {
        Self {
            ledger,
            read: MetricBuilder::new(metrics).global_counter("bytes_read"),
            inflated: MetricBuilder::new(metrics).global_counter("bytes_inflated"),
        }
    }

    /// An object was opened.
    pub(super) fn opened(&self) {
        self.ledger.opened();
    }

    /// So many bytes came from a source.
    pub(super) fn read(&self, bytes: usize) {
        self.ledger.read(bytes);
        self.read.add(bytes);
    }

    /// So many bytes came out of a frame.
    pub(super) fn inflated(&self, bytes: usize) {
        self.ledger.inflated(bytes);
        self.inflated.add(bytes);
    }
}

/// Counters of one partition of a scan.
#[derive(Debug)]
pub(super) struct ScanMetrics {
    /// Rows out, and the time that parsing took.
    pub(super) baseline: BaselineMetrics,
    /// Objects opened.
    pub(super) objects_read: Count,
    /// Objects whose names say that they hold nothing that is wanted.
    pub(super) objects_pruned: Count,
    records: Count,
    filtered: Count,
    unexamined: Count,
    rejects: Count,
    skipped: Count,
    values: Count,
}

impl ScanMetrics {
    pub(super) fn new(metrics: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let counter = |name: &'static str| MetricBuilder::new(metrics).counter(name, partition);
        Self {
            baseline: BaselineMetrics::new(metrics, partition),
            objects_read: counter("objects_read"),
            objects_pruned: counter("objects_pruned"),
            records: counter("records"),
            filtered: counter("records_filtered"),
            unexamined: counter("records_unexamined"),
            rejects: counter("records_rejected"),
            skipped: counter("records_skipped"),
            values: counter("values_rejected"),
        }
    }

    pub(super) fn count(&self, counts: &Counts) {
        let pairs = [
            (&self.records, counts.records),
            (&self.filtered, counts.filtered),
            (&self.unexamined, counts.unexamined),
            (&self.rejects, counts.rejects),
            (&self.skipped, counts.skipped),
            (&self.values, counts.values),
        ];
        for (counter, count) in pairs {
            counter.add(usize::try_from(count).unwrap_or(usize::MAX));
        }
    }
}
