//! Partial rows that do not fit into memory, in files by the hash of their keys.
//!
//! A key lies in one file, so the windows of one file are computed by themselves, one file after
//! the other.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::common::Result;
use datafusion::execution::{SpillFile, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, SpillMetrics, Time};
use datafusion::physical_plan::repartition::BatchPartitioner;
use datafusion::physical_plan::spill::SpillManager;

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::aggregation::Aggregation;

/// Files, of which one at a time is in memory again.
const FILES: usize = 32;

/// Rows that are divided among the files at a time.
const ROWS: usize = 1 << 16;

/// Rows that are divided before they are written: they are in memory twice as long as that.
const ROWS_OF_FILES: usize = 1 << 20;

/// Files of partial rows.
pub(super) struct Spill {
    aggregation: Arc<Aggregation>,
    manager: SpillManager,
    by_keys: BatchPartitioner,
    /// The files of each hash: one of each time that something was written.
    files: Vec<Vec<Arc<dyn SpillFile>>>,
}

impl Spill {
    pub(super) fn new(
        aggregation: Arc<Aggregation>,
        context: &TaskContext,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Self> {
        let schema = Arc::clone(&aggregation.partial_schema);
        let compression = context.session_config().spill_compression();
        let metrics = SpillMetrics::new(metrics, 0);
        let manager = SpillManager::new(context.runtime_env(), metrics, schema)
            .with_compression_type(compression);
        let first = aggregation.first_key();
        let keys = aggregation.key_schema.fields().iter().enumerate();
        let keys = keys.map(|(key, field)| {
            Arc::new(Column::new(field.name(), first + key)) as Arc<dyn PhysicalExpr>
        });
        let by_keys = BatchPartitioner::new_hash_partitioner(keys.collect(), FILES, Time::new())?;
        Ok(Self {
            files: vec![Vec::new(); FILES],
            aggregation,
            manager,
            by_keys,
        })
    }

    /// Divides partial rows among the files.
    pub(super) fn write(&mut self, rows: &[RecordBatch]) -> Result<()> {
        let (mut divided, mut held) = (vec![Vec::new(); FILES], 0);
        let mut begin = 0;
        while begin < rows.len() {
            let (mut end, mut count) = (begin, 0);
            while end < rows.len() && count < ROWS {
                count += rows[end].num_rows();
                end += 1;
            }
            // Parts of panes may be small, and each would be divided.
            let some = concat_batches(&self.aggregation.partial_schema, &rows[begin..end])?;
            self.by_keys.partition(some, |file, rows| {
                divided[file].push(rows);
                Ok(())
            })?;
            begin = end;
            held += count;
            if held >= ROWS_OF_FILES || begin == rows.len() {
                for (files, rows) in self.files.iter_mut().zip(&mut divided) {
                    let rows = std::mem::take(rows);
                    files.extend(
                        self.manager
                            .spill_record_batch_and_finish(&rows, "windows")?,
                    );
                }
                held = 0;
            }
        }
        Ok(())
    }

    /// What was written, by the hash of the keys: streams that open a file when the one before it is
    /// read, because an open file reads ahead.
    pub(super) fn read(self) -> impl Iterator<Item = BoxStream<'static, Result<RecordBatch>>> {
        let manager = self.manager;
        self.files.into_iter().map(move |files| {
            let manager = manager.clone();
            let open = move |file| manager.read_spill_as_stream(file, None);
            stream::iter(files).map(open).try_flatten().boxed()
        })
    }
}
