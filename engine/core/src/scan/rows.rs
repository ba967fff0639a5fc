//! Rows of a log table that are read once, for all that would scan them.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::catalog::memory::MemorySourceConfig;
use datafusion::common::Result;
use datafusion::physical_expr::conjunction;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use loglens_parsers::table::EVENT_TIME;

use super::predicate::with_columns;
use super::source::LogSource;
use crate::error::{Error, Owner};

/// Rows of a log table, all of them, with the columns that some scans of it ask for.
#[derive(Debug)]
pub(crate) struct TableRows {
    /// Their indexes in the log table.
    columns: Vec<usize>,
    plan: Arc<dyn ExecutionPlan>,
}

impl TableRows {
    /// What one scan gives that answers all of these, which are of the same log table; and the times
    /// of its rows.
    pub(crate) fn for_all<'a>(
        scan: &LogSource,
        others: impl IntoIterator<Item = &'a LogSource>,
    ) -> Self {
        let mut columns: BTreeSet<usize> = scan.columns_needed().collect();
        columns.extend(others.into_iter().flat_map(LogSource::columns_needed));
        columns.extend(scan.time_of_event());
        let columns: Vec<_> = columns.into_iter().collect();
        let plan = scan.of_all(columns.clone()).into_plan();
        Self { columns, plan }
    }

    /// The same rows, which were read.
    pub(crate) fn read(&self, batches: &[RecordBatch], partitions: usize) -> Result<Self> {
        let of_partition = batches.len().div_ceil(partitions.max(1)).max(1);
        let mut partitions: Vec<_> = batches.chunks(of_partition).map(<[_]>::to_vec).collect();
        if partitions.is_empty() {
            // Plans have at least one.
            partitions.push(Vec::new());
        }
        Ok(Self {
            columns: self.columns.clone(),
            plan: MemorySourceConfig::try_new_exec(&partitions, self.plan.schema(), None)?,
        })
    }

    /// What gives them.
    pub(crate) fn plan(&self) -> &Arc<dyn ExecutionPlan> {
        &self.plan
    }

    /// What a scan would give.
    pub(crate) fn answer(&self, scan: &LogSource) -> Result<Arc<dyn ExecutionPlan>> {
        let mut plan = Arc::clone(&self.plan);
        let filters = scan.predicate().conjuncts();
        if !filters.is_empty() {
            let place = |column| self.columns.iter().position(|&own| own == column);
            let predicate = with_columns(conjunction(filters.iter().cloned()), place)?;
            plan = Arc::new(FilterExec::try_new(predicate, plan)?);
        }
        let fields = scan.schema().fields().iter();
        let columns = scan
            .projection()
            .iter()
            .zip(fields)
            .map(|(&column, field)| {
                Ok(ProjectionExpr {
                    expr: self.column(column)?,
                    alias: field.name().clone(),
                })
            });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(ProjectionExec::try_new(columns, plan)?))
    }

    /// The times of the events, if the table has such.
    pub(crate) fn times(&self) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let schema = self.plan.schema();
        let Ok(at) = schema.index_of(EVENT_TIME) else {
            return Ok(None);
        };
        let time = ProjectionExpr {
            expr: Arc::new(Column::new(EVENT_TIME, at)),
            alias: EVENT_TIME.to_owned(),
        };
        let plan = ProjectionExec::try_new([time], Arc::clone(&self.plan))?;
        Ok(Some(Arc::new(plan)))
    }

    fn column(&self, column: usize) -> Result<Arc<dyn PhysicalExpr>> {
        let Some(at) = self.columns.iter().position(|&own| own == column) else {
            let message = format!("column {column} of a log table was not read");
            return Err(Error::new(Owner::Internal, message).into());
        };
        let name = self.plan.schema().field(at).name().clone();
        Ok(Arc::new(Column::new(&name, at)))
    }
}
