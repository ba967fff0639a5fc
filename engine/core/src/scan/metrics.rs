//! What a scan did, as `EXPLAIN ANALYZE` shows it.

use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder,
};
use loglens_parsers::reject::Counts;

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
