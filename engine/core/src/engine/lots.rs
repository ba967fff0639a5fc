//! Lots: objects of a log table that are at hand, whose rows become files without a place.

use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::functions::expr_fn::{coalesce, nullif};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, col, lit};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::TryStreamExt;
use loglens_parsers::format::PartitionValue;
use loglens_parsers::table::EVENT_TIME;

use super::Engine;
use crate::archive::Archive;
use crate::error::{Error, Owner};
use crate::functions::written_time;
use crate::ledger::Ledger;
use crate::scan::rows::TableRows;
use crate::scan::spec::ScanObject;
use crate::sql::errors;
use crate::stream::Grouping;
use crate::stream::split::{self, first_log_source};
use crate::write::{Form, MadeFiles, Target, folders_of, read_within};

/// Rows of objects of more bytes are not gathered in memory: the text of one column may be more than
/// 32-bit offsets can address.
const MOST_GATHERED: usize = 1 << 30;

/// Objects of a log table that are at hand.
#[derive(Debug, Clone)]
pub struct Lot {
    /// The table.
    pub table: Arc<str>,
    /// The objects.
    pub objects: Arc<[ScanObject]>,
    /// Columns whose values name the folders of the files.
    pub partitioned_by: Vec<String>,
}

impl Lot {
    /// Bytes of the objects, if they are known.
    fn bytes(&self) -> Option<usize> {
        let sizes = self.objects.iter().map(|object| object.object.size);
        usize::try_from(sizes.sum::<Option<u64>>()?).ok()
    }

    /// How its rows are divided; the place is for whoever writes the files.
    fn target(&self) -> Target {
        Target::plain(Form::Convert, "", self.partitioned_by.clone())
    }
}

impl Engine {
    /// Makes all log tables present, without any object. It comes before anything is planned, where
    /// objects are not found at the sources but handed over.
    pub fn expect_objects(&self) {
        let formats = self.formats().all().iter();
        let archive = Archive::of_no_objects(formats, &self.zone);
        self.schema.set_archive(&archive, &self.sources, &self.scan);
        // It is there already only if this was called before.
        let _ = self.archive.set(archive);
    }

    /// The rows of a lot as files of Parquet, one for each folder, sorted by time; and the same rows,
    /// no others, grouped for windows of the lot's table ([`Stream::merge`](crate::stream::Stream::merge)
    /// takes what comes of it).
    pub async fn files_of(
        &self,
        lot: &Lot,
        groupings: &[&Grouping],
    ) -> Result<(MadeFiles, Vec<Bytes>), Error> {
        let explain = |error| errors::explain(&error, "");
        let ledger = Arc::default();
        let above = |rows| {
            let rows = self.dated(rows, &lot.table)?;
            lot.target().partitions(&rows)?;
            Ok(rows)
        };
        let (plan, context) = self.plan_over(lot, &ledger, above).await?;
        let Some(scan) = first_log_source(&plan) else {
            return Err(Error::new(Owner::Internal, "rows of a lot without a scan"));
        };
        let others = groupings.iter().flat_map(|grouping| grouping.scans());
        let rows = TableRows::for_all(&scan, others);
        let Some((batches, held)) = self.in_memory(lot, &rows, &context).await? else {
            let grouped = grouped(&rows, groupings).await?;
            return Ok((self.sorted(lot).await?, grouped));
        };
        let partitions = context.session_config().target_partitions();
        let rows = rows.read(&batches, partitions).map_err(explain)?;
        let grouped = grouped(&rows, groupings).await?;
        let plan = split::of_rows(&plan, &rows).map_err(explain)?;
        let dated = execute_stream(plan, context).map_err(explain)?;
        let rejected = ledger.totals().rejects.records;
        let files = MadeFiles::gathered(dated, &lot.partitioned_by, held, rejected).await?;
        Ok((files, grouped))
    }

    /// All rows of a lot, and what they hold of the memory; None if that is short.
    async fn in_memory(
        &self,
        lot: &Lot,
        rows: &TableRows,
        context: &Arc<TaskContext>,
    ) -> Result<Option<(Vec<RecordBatch>, MemoryReservation)>, Error> {
        let held = MemoryConsumer::new("rows of a lot");
        let held = held.register(&self.session.runtime_env().memory_pool);
        let bytes = lot.bytes().filter(|&bytes| bytes <= MOST_GATHERED);
        if bytes.is_none_or(|bytes| held.try_grow(bytes).is_err()) {
            return Ok(None);
        }
        let rows = execute_stream(Arc::clone(rows.plan()), Arc::clone(context));
        let batches = match rows {
            Ok(rows) => read_within(rows, &held).await,
            Err(error) => Err(error),
        };
        let batches = batches.map_err(|error| errors::explain(&error, ""))?;
        Ok(batches.map(|batches| (batches, held)))
    }

    /// The files of rows that are sorted on disk.
    async fn sorted(&self, lot: &Lot) -> Result<MadeFiles, Error> {
        let folders = self.folders_of(lot).await?;
        let above = |rows| lot.target().sorted(self.dated(rows, &lot.table)?);
        let rows = self.over(lot, &Arc::default(), above).await?;
        MadeFiles::sorted(rows, &lot.partitioned_by, folders)
    }

    /// The folders that rows of a lot belong into, sorted by what names them.
    async fn folders_of(&self, lot: &Lot) -> Result<Vec<String>, Error> {
        let explain = |error| errors::explain(&error, "");
        let target = lot.target();
        let above = |rows| {
            let rows = self.dated(rows, &lot.table)?;
            let by = target.partitions(&rows)?;
            let order: Vec<_> = by.iter().map(|by| by.clone().sort(true, false)).collect();
            let rows = LogicalPlanBuilder::from(rows);
            let folders = match by.as_slice() {
                // One, if there is a row.
                [] => rows.limit(0, Some(1)),
                _ => rows
                    .project(by)
                    .and_then(LogicalPlanBuilder::distinct)
                    .and_then(|distinct| distinct.sort(order)),
            };
            let folders = folders.and_then(LogicalPlanBuilder::build);
            folders.map_err(explain)
        };
        let rows = self.over(lot, &Arc::default(), above).await?;
        let batches: Vec<_> = rows.try_collect().await.map_err(explain)?;
        folders_of(&batches, &lot.partitioned_by).map_err(explain)
    }

    /// Runs what `above` makes of the rows of a lot.
    async fn over(
        &self,
        lot: &Lot,
        ledger: &Arc<Ledger>,
        above: impl FnOnce(LogicalPlan) -> Result<LogicalPlan, Error>,
    ) -> Result<SendableRecordBatchStream, Error> {
        let (plan, context) = self.plan_over(lot, ledger, above).await?;
        execute_stream(plan, context).map_err(|error| errors::explain(&error, ""))
    }

    /// What runs what `above` makes of the rows of a lot.
    async fn plan_over(
        &self,
        lot: &Lot,
        ledger: &Arc<Ledger>,
        above: impl FnOnce(LogicalPlan) -> Result<LogicalPlan, Error>,
    ) -> Result<(Arc<dyn ExecutionPlan>, Arc<TaskContext>), Error> {
        let objects = Arc::clone(&lot.objects);
        self.plan_of_objects(&lot.table, objects, ledger, above)
            .await
    }

    /// Rows whose columns of days have the day of the event where no key says one.
    fn dated(&self, rows: LogicalPlan, table: &str) -> Result<LogicalPlan, Error> {
        let Some(format) = self.formats().by_name(table) else {
            return Err(self.schema.unknown_table(table));
        };
        let schema = Arc::clone(rows.schema());
        let columns = schema.iter().map(|(qualifier, field)| {
            let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
            let mut partitions = format.partitions.iter();
            let Some(partition) = partitions.find(|partition| partition.name == *field.name())
            else {
                return column;
            };
            let value = match day_of_event(partition.from) {
                // Empty text and NULL name one folder, so they are one value.
                None => nullif(column, lit("")),
                Some(day) => coalesce(vec![column, day]),
            };
            value.alias(field.name())
        });
        let columns: Vec<_> = columns.collect();
        let rows = LogicalPlanBuilder::from(rows).project(columns);
        let rows = rows.and_then(LogicalPlanBuilder::build);
        rows.map_err(|error| errors::explain(&error, ""))
    }
}

/// Rows, grouped for each of some windows.
async fn grouped(rows: &TableRows, groupings: &[&Grouping]) -> Result<Vec<Bytes>, Error> {
    let mut grouped = Vec::new();
    for grouping in groupings {
        grouped.push(grouping.group(rows).await?);
    }
    Ok(grouped)
}

/// What a column of days or their parts is, by the time of the event.
fn day_of_event(value: PartitionValue) -> Option<Expr> {
    let written = match value {
        PartitionValue::Account | PartitionValue::Region => return None,
        PartitionValue::Date => return Some(cast(col(EVENT_TIME), DataType::Date32)),
        PartitionValue::Day => "%Y/%m/%d",
        PartitionValue::Year => "%Y",
        PartitionValue::Month => "%m",
        PartitionValue::DayOfMonth => "%d",
        PartitionValue::Hour => "%H",
    };
    Some(written_time(col(EVENT_TIME), written))
}
