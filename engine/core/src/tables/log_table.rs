//! A log table: the objects of one format.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType, col, lit};
use datafusion::physical_plan::ExecutionPlan;
use loglens_parsers::frame::ExpansionLimit;
use loglens_parsers::table::{EVENT_TIME, Table};

use crate::archive::days::DatedLog;
use crate::archive::{ArchiveTable, DatedLogs, LogObject};
use crate::ledger::Ledger;
use crate::object::{ObjectSource, Reading};
use crate::scan::columns::LogColumns;
use crate::scan::key_filter::KeyFilter;
use crate::scan::predicate::Predicate;
use crate::scan::source::LogSource;
use crate::scan::spec::{Listing, ObjectOrder, ScanObject, ScanOutput, ScanSpec};

/// Bytes that are worth a partition of their own: less is read in the order of the objects, so
/// that small answers come in the order of the logs.
pub(crate) const BYTES_PER_PARTITION: u64 = 4 << 20;

/// What every scan of an engine is told.
#[derive(Debug, Clone, Default)]
pub(crate) struct ScanOptions {
    /// Field order of records that no header line describes.
    pub(crate) fields: Option<Vec<String>>,
    /// Only records from this time on, in microseconds since 1970.
    pub(crate) since: Option<i64>,
    /// Only records before this time, in microseconds since 1970.
    pub(crate) until: Option<i64>,
    /// The first reject is an error.
    pub(crate) strict: bool,
    /// How far an object may expand: inflated bytes for each byte; None is the default.
    pub(crate) max_expansion: Option<u64>,
}

/// The objects of one format as a table.
#[derive(Debug)]
pub(crate) struct LogTable {
    table: Arc<Table>,
    columns: Arc<LogColumns>,
    hive: Vec<String>,
    /// Objects that are known beforehand.
    objects: Arc<[ScanObject]>,
    /// Logs of which the days are listed for each statement, and what lists them.
    logs: Vec<Arc<DatedLog>>,
    dated: Arc<DatedLogs>,
    sources: Arc<[Arc<dyn ObjectSource>]>,
    options: ScanOptions,
}

/// The objects that a statement is about, all of them and no others, whatever its time range is. It
/// travels with the session.
#[derive(Debug)]
pub(crate) struct Chosen(pub(crate) Arc<[ScanObject]>);

/// The objects of one scan.
pub(crate) struct Objects {
    pub(crate) all: Arc<[ScanObject]>,
    listing: Option<Listing>,
}

impl LogTable {
    pub(crate) fn new(
        archived: &ArchiveTable,
        dated: Arc<DatedLogs>,
        sources: Arc<[Arc<dyn ObjectSource>]>,
        options: ScanOptions,
    ) -> Self {
        let objects = archived.objects.iter().cloned().map(scan_object);
        Self {
            table: Arc::clone(&archived.table),
            columns: Arc::new(LogColumns::new(&archived.table, &archived.hive)),
            hive: archived.hive.clone(),
            objects: objects.collect(),
            logs: archived.logs.clone(),
            dated,
            sources,
            options,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.table.format.table
    }

    pub(crate) fn columns(&self) -> &LogColumns {
        &self.columns
    }

    /// The objects that may hold what the predicate wants, as far as keys tell. On a disk all are
    /// kept: it costs nothing to pass over them later, when the predicate may know more.
    pub(crate) async fn objects(&self, predicate: &Predicate) -> Result<Objects> {
        let is_near = |source: &Arc<dyn ObjectSource>| source.reading() == Reading::Disk;
        if self.sources.iter().all(is_near) {
            return Ok(Objects {
                all: Arc::clone(&self.objects),
                listing: None,
            });
        }
        let filter = KeyFilter::new(predicate, &self.table, &self.columns)?;
        let listed = self.dated.objects(self.name(), &self.logs, &filter);
        let (listed, found) = listed.await?;
        let listing = Listing {
            found: self.objects.len() + listed.len(),
            logs: self.logs.len(),
            wanted_logs: found.logs,
            folders: found.folders,
        };
        let is_wanted = |object: &ScanObject| {
            is_near(&self.sources[object.source]) || filter.wants_object(&object.facts)
        };
        let all = self.objects.iter().cloned();
        let all = all.chain(listed.into_iter().map(scan_object));
        Ok(Objects {
            all: all.filter(is_wanted).collect(),
            listing: Some(listing),
        })
    }

    /// The objects that may hold records of the time range, wherever they lie.
    pub(crate) async fn in_range(&self, state: &dyn Session) -> Result<Vec<ScanObject>> {
        let range = self.predicate(state, &[])?;
        let filter = KeyFilter::new(&range, &self.table, &self.columns)?;
        let objects = self.objects(&range).await?.all;
        let wanted = objects
            .iter()
            .filter(|object| filter.wants_object(&object.facts));
        Ok(wanted.cloned().collect())
    }

    /// A scan of objects of the table.
    pub(crate) fn source(
        &self,
        state: &dyn Session,
        objects: Objects,
        output: ScanOutput,
        projection: &[usize],
        predicate: Predicate,
        limit: Option<usize>,
    ) -> LogSource {
        let ledger = state.config().get_extension::<Ledger>().unwrap_or_default();
        ledger.expect(objects.all.iter().map(|object| {
            let gets = self.sources[object.source].gets(&object.object);
            (object.object.size, gets)
        }));
        let spec = ScanSpec {
            table: self.name().to_owned(),
            unknown: self.table.unknown.clone(),
            hive: self.hive.clone(),
            zone: Arc::clone(&self.table.zone),
            fields: self.options.fields.clone(),
            partitions: partitions(&objects.all, state.config().target_partitions()),
            objects: objects.all,
            listing: objects.listing,
            order: ObjectOrder::AsListed,
            output,
            projection: projection.to_vec(),
            names: None,
            limit,
            strict: self.options.strict,
            max_expansion: self
                .options
                .max_expansion
                .unwrap_or(ExpansionLimit::default().ratio),
        };
        LogSource::new(
            spec,
            Arc::clone(&self.table),
            Arc::clone(&self.columns),
            predicate,
            Arc::clone(&self.sources),
            ledger,
        )
    }

    /// The filters and the time range.
    pub(crate) fn predicate(&self, state: &dyn Session, filters: &[Expr]) -> Result<Predicate> {
        let mut all = filters.to_vec();
        if state.config().get_extension::<Chosen>().is_some() {
            return self.conjunction(state, all);
        }
        let time = |micros: i64| {
            lit(ScalarValue::TimestampMicrosecond(
                Some(micros),
                Some(Arc::clone(&self.table.zone)),
            ))
        };
        all.extend(
            self.options
                .since
                .map(|since| col(EVENT_TIME).gt_eq(time(since))),
        );
        all.extend(
            self.options
                .until
                .map(|until| col(EVENT_TIME).lt(time(until))),
        );
        self.conjunction(state, all)
    }

    fn conjunction(&self, state: &dyn Session, filters: Vec<Expr>) -> Result<Predicate> {
        let schema = DFSchema::try_from(Arc::clone(self.columns.schema()))?;
        let mut predicate = Predicate::default();
        for filter in filters {
            predicate.and(&state.create_physical_expr(filter, &schema)?);
        }
        Ok(predicate)
    }
}

/// A log table as statements see it: with or without its hidden columns.
#[derive(Debug)]
pub(crate) struct LogTableView {
    table: Arc<LogTable>,
    schema: SchemaRef,
}

impl LogTableView {
    pub(crate) fn new(table: Arc<LogTable>, hidden_columns: bool) -> Self {
        let schema = if hidden_columns {
            Arc::clone(table.columns.schema())
        } else {
            table.columns.visible_schema()
        };
        Self { table, schema }
    }
}

#[async_trait]
impl TableProvider for LogTableView {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(filters
            .iter()
            .map(|filter| {
                if filter.is_volatile() || filter.contains_outer() || has_subquery(filter) {
                    TableProviderFilterPushDown::Unsupported
                } else {
                    TableProviderFilterPushDown::Exact
                }
            })
            .collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        // Hidden columns come last, so the indexes are those of the whole table.
        let all: Vec<usize> = (0..self.schema.fields().len()).collect();
        let projection = projection.unwrap_or(&all);
        let predicate = self.table.predicate(state, filters)?;
        let objects = match state.config().get_extension::<Chosen>() {
            Some(chosen) => Objects {
                all: Arc::clone(&chosen.0),
                listing: None,
            },
            None => {
                // What is examined as a whole is only narrowed by the time range.
                let narrowing = match self.table.options.strict {
                    true => &self.table.predicate(state, &[])?,
                    false => &predicate,
                };
                self.table.objects(narrowing).await?
            }
        };
        let source = self.table.source(
            state,
            objects,
            ScanOutput::Rows,
            projection,
            predicate,
            limit,
        );
        Ok(source.into_plan())
    }
}

fn scan_object(found: LogObject) -> ScanObject {
    ScanObject {
        source: found.source,
        object: found.object,
        facts: found.facts,
    }
}

/// How many partitions are worth reading objects with.
pub(crate) fn partitions(objects: &[ScanObject], most: usize) -> usize {
    // A size that is not known (standard input) is taken for a large one.
    let size = |object: &ScanObject| object.object.size.unwrap_or(u64::MAX);
    let bytes = objects.iter().map(size).fold(0, u64::saturating_add);
    usize::try_from(bytes / BYTES_PER_PARTITION)
        .unwrap_or(usize::MAX)
        .clamp(1, most.max(1))
}

fn has_subquery(filter: &Expr) -> bool {
    use datafusion::common::tree_node::TreeNode;
    filter
        .exists(|expr| {
            Ok(matches!(
                expr,
                Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_)
            ))
        })
        .unwrap_or(true)
}
