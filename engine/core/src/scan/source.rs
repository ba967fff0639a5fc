//! The node in DataFusion's plans.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::catalog::memory::DataSourceExec;
use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::datasource::source::{DataSource, OpenArgs};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalSortExpr};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_plan::filter_pushdown::{FilterPushdownPropagation, PushedDown};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::sort_pushdown::SortOrderPushdownResult;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr};
use futures::stream::try_unfold;
use loglens_parsers::format::Format;
use loglens_parsers::parse::{Examine, ParseOptions};
use loglens_parsers::reject::{Counts, Reject};
use loglens_parsers::table::{EVENT_TIME, Table};

use super::batches::Batches;
use super::columns::LogColumns;
use super::cursor::Step;
use super::members;
use super::metrics::{ByteMetrics, ScanMetrics};
use super::parts::Parts;
use super::predicate::{Predicate, with_columns};
use super::queue::{Current, Queue, Wanted};
use super::spec::{ObjectOrder, ScanObject, ScanOutput, ScanSpec};
use crate::error::{Error, Owner};
use crate::ledger::{DESCRIBED_REJECTS, Ledger};
use crate::object::ObjectSource;
use crate::tables::rejects;

/// A scan of one log table.
#[derive(Debug, Clone)]
pub(crate) struct LogSource {
    spec: Arc<ScanSpec>,
    table: Arc<Table>,
    columns: Arc<LogColumns>,
    predicate: Predicate,
    sources: Arc<[Arc<dyn ObjectSource>]>,
    ledger: Arc<Ledger>,
    schema: SchemaRef,
    scan: usize,
    metrics: ExecutionPlanMetricsSet,
}

impl LogSource {
    /// A scan as the spec says.
    pub(crate) fn new(
        spec: ScanSpec,
        table: Arc<Table>,
        columns: Arc<LogColumns>,
        predicate: Predicate,
        sources: Arc<[Arc<dyn ObjectSource>]>,
        ledger: Arc<Ledger>,
    ) -> Self {
        let scan = ledger.scan();
        Self {
            schema: output_schema(&spec, &columns),
            spec: Arc::new(spec),
            predicate: predicate.narrowed(&columns),
            table,
            columns,
            sources,
            ledger,
            scan,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// The same scan of other objects.
    pub(crate) fn of_objects(&self, objects: Vec<ScanObject>, partitions: usize) -> Self {
        let spec = ScanSpec {
            objects: objects.into(),
            listing: None,
            partitions,
            ..ScanSpec::clone(&self.spec)
        };
        Self {
            spec: Arc::new(spec),
            ..self.clone()
        }
    }

    /// A scan of the event times of all records, whatever the predicate; it counts nothing.
    pub(crate) fn of_times(&self) -> Option<Self> {
        let spec = ScanSpec {
            strict: false,
            ..ScanSpec::clone(&self.spec)
        };
        let uncounted = Self {
            spec: Arc::new(spec),
            ledger: Arc::default(),
            ..self.clone()
        };
        Some(uncounted.of_all(vec![self.time_of_event()?]))
    }

    /// A scan of these columns of the log table in all records, whatever the predicate.
    pub(super) fn of_all(&self, columns: Vec<usize>) -> Self {
        let spec = ScanSpec {
            projection: columns,
            names: None,
            limit: None,
            ..ScanSpec::clone(&self.spec)
        };
        Self::new(
            spec,
            Arc::clone(&self.table),
            Arc::clone(&self.columns),
            Predicate::default(),
            Arc::clone(&self.sources),
            Arc::clone(&self.ledger),
        )
    }

    /// The columns of the log table that it looks at, in any order.
    pub(super) fn columns_needed(&self) -> impl Iterator<Item = usize> {
        let asked = self.predicate.columns();
        self.spec.projection.iter().copied().chain(asked)
    }

    /// The column of the log table that is the time of the event.
    pub(super) fn time_of_event(&self) -> Option<usize> {
        self.columns.schema().index_of(EVENT_TIME).ok()
    }

    /// The columns of the log table that it gives.
    pub(super) fn projection(&self) -> &[usize] {
        &self.spec.projection
    }

    /// What of it every row satisfies.
    pub(super) fn predicate(&self) -> &Predicate {
        &self.predicate
    }

    /// The schema of its rows.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Whether it gives rows of the log table, not records that are none.
    pub(crate) fn gives_rows(&self) -> bool {
        self.spec.output == ScanOutput::Rows
    }

    /// Whether it leaves records out.
    pub(crate) fn filters(&self) -> bool {
        !self.predicate.conjuncts().is_empty()
    }

    /// The format of its records.
    pub(crate) fn format(&self) -> &Arc<Format> {
        &self.table.format
    }

    /// The plan that runs it.
    pub(crate) fn into_plan(self) -> Arc<dyn ExecutionPlan> {
        DataSourceExec::from_data_source(self)
    }

    /// The columns of the output, as the log table calls them.
    fn projected(&self) -> Vec<&str> {
        let columns = self.spec.projection.iter();
        match self.spec.output {
            ScanOutput::Rows => columns
                .map(|&index| self.columns.field(index).name().as_str())
                .collect(),
            ScanOutput::Rejects => {
                let fields = self.schema.fields().iter();
                fields.map(|field| field.name().as_str()).collect()
            }
        }
    }

    fn examine(&self) -> Examine {
        if self.spec.strict || self.spec.output == ScanOutput::Rejects {
            Examine::Everything
        } else {
            Examine::Projected
        }
    }

    fn open_on(&self, queue: Arc<Queue>, partition: usize) -> Result<SendableRecordBatchStream> {
        let (projection, keep_rejects): (&[usize], _) = match self.spec.output {
            ScanOutput::Rows => (&self.spec.projection, DESCRIBED_REJECTS),
            ScanOutput::Rejects => (&[], usize::MAX),
        };
        let options = ParseOptions {
            examine: self.examine(),
            keep_rejects,
        };
        let batches = Batches::new(
            &self.table,
            &self.columns,
            projection,
            &self.predicate,
            options,
        )?;
        let partition = Partition {
            source: self.clone(),
            queue,
            batches: match self.spec.output {
                ScanOutput::Rows => batches.named(&self.schema),
                ScanOutput::Rejects => batches,
            },
            current: None,
            metrics: ScanMetrics::new(&self.metrics, partition),
            since: Instant::now(),
        };
        let stream = try_unfold(partition, |mut partition| async move {
            let batch = partition.next().await?;
            Ok::<_, DataFusionError>(batch.map(|batch| (batch, partition)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            stream,
        )))
    }

    fn queue(&self) -> Arc<Queue> {
        let bytes = ByteMetrics::new(&self.metrics, Arc::clone(&self.ledger));
        let (format, sources) = (&self.table.format, Arc::clone(&self.sources));
        let parts = Parts::new(&self.spec, format, sources, bytes);
        Arc::new(Queue::new(&self.spec, parts))
    }
}

/// How long a partition has its thread for itself.
const TURN: Duration = Duration::from_millis(5);

/// One partition at work.
struct Partition {
    source: LogSource,
    queue: Arc<Queue>,
    batches: Batches,
    current: Option<Current>,
    metrics: ScanMetrics,
    /// When others had the thread last.
    since: Instant,
}

impl Partition {
    /// The next batch that is not empty.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            self.give_way().await;
            let Some((object, step)) = self.step().await? else {
                return Ok(None);
            };
            let batch = match step {
                Step::Block(block) => {
                    let timer = self.metrics.baseline.elapsed_compute().timer();
                    let parsed = self.batches.parse(&object, &block)?;
                    timer.done();
                    self.account(&object, parsed.counts, &parsed.rejects)?;
                    match self.source.spec.output {
                        ScanOutput::Rows => parsed.batch,
                        ScanOutput::Rejects => self.rejects(&object, &parsed.rejects)?,
                    }
                }
                Step::Damage(reject) => {
                    self.source
                        .ledger
                        .damage(self.source.scan, &object.object.key, &reject);
                    self.strict(&object, &reject)?;
                    match self.source.spec.output {
                        ScanOutput::Rows => continue,
                        ScanOutput::Rejects => self.rejects(&object, &[reject])?,
                    }
                }
            };
            let wanted = self.queue.give(batch.num_rows());
            if wanted > 0 {
                self.metrics.baseline.record_output(wanted);
                return Ok(Some(batch.slice(0, wanted)));
            }
        }
    }

    /// Lets others have the thread now and then; a statement can be cancelled there, for nothing else
    /// here waits. Never between reading a block and parsing it: whoever goes on may be another core,
    /// in whose cache the block is not.
    async fn give_way(&mut self) {
        if self.since.elapsed() >= TURN {
            tokio::task::yield_now().await;
            self.since = Instant::now();
        }
    }

    /// The next step of an object that may hold something that is wanted.
    async fn step(&mut self) -> Result<Option<(ScanObject, Step)>> {
        let wanted = Wanted {
            examine: self.source.examine(),
            delivery: self.source.table.format.delivery,
            plan: self.batches.plan()?,
            metrics: &self.metrics,
        };
        Ok(self.queue.next(&mut self.current, &wanted).await?)
    }

    fn account(&self, object: &ScanObject, counts: Counts, rejects: &[Reject]) -> Result<()> {
        debug_assert!(counts.add_up(), "{counts:?}");
        self.metrics.count(&counts);
        self.source
            .ledger
            .block(self.source.scan, &object.object.key, counts, rejects);
        match rejects.first() {
            Some(reject) => self.strict(object, reject),
            None => Ok(()),
        }
    }

    fn strict(&self, object: &ScanObject, reject: &Reject) -> Result<()> {
        if !self.source.spec.strict {
            return Ok(());
        }
        let key = &object.object.key;
        let place = if reject.line > 0 {
            format!("{key}:{}", reject.line)
        } else {
            key.to_string()
        };
        let column = reject
            .column
            .as_ref()
            .map(|column| format!("{column}: "))
            .unwrap_or_default();
        let error = Error::new(Owner::Data, format!("{place}: {column}{}", reject.reason));
        Err(error.hint("leave out --strict to go on without it").into())
    }

    fn rejects(&self, object: &ScanObject, rejects: &[Reject]) -> Result<RecordBatch> {
        let batch = rejects::batch(&object.object.key, &self.source.table.format.table, rejects)?;
        Ok(batch.project(&self.source.spec.projection)?)
    }
}

impl DataSource for LogSource {
    fn open(
        &self,
        partition: usize,
        _context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        // Without siblings there is one queue to a partition, so the first must do everything.
        if partition > 0 {
            return Err(Error::new(
                Owner::Internal,
                "partitions of a scan must share their state",
            )
            .into());
        }
        self.open_on(self.queue(), partition)
    }

    fn create_sibling_state(&self, _config: &ConfigOptions) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(self.queue())
    }

    fn open_with_args(&self, args: OpenArgs) -> Result<SendableRecordBatchStream> {
        match args
            .sibling_state
            .and_then(|state| state.downcast::<Queue>().ok())
        {
            Some(queue) => self.open_on(queue, args.partition),
            None => self.open(args.partition, args.context),
        }
    }

    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "table={}, objects={}",
            self.spec.table,
            self.spec.objects.len()
        )?;
        if let Some(listing) = &self.spec.listing {
            write!(f, " of {} found", listing.found)?;
            if listing.logs > 0 {
                write!(
                    f,
                    ", logs={} of {}, folders={}",
                    listing.wanted_logs, listing.logs, listing.folders
                )?;
            }
        }
        if self.spec.output == ScanOutput::Rejects {
            write!(f, ", output=rejects, examine=everything")?;
        } else if self.spec.strict {
            write!(f, ", examine=everything")?;
        }
        write!(f, ", projection=[{}]", self.projected().join(", "))?;
        match self.predicate.plan(&self.table, &self.columns) {
            Ok(mut plan) => {
                if self.examine() == Examine::Everything {
                    plan.literals = None;
                }
                write!(f, "{plan}")?;
            }
            Err(error) => write!(f, ", filter={error}")?,
        }
        match self.spec.order {
            ObjectOrder::AsListed => {}
            ObjectOrder::NewestFirst => write!(f, ", order=newest first")?,
            ObjectOrder::OldestFirst => write!(f, ", order=oldest first")?,
        }
        if let Some(limit) = self.spec.limit {
            write!(f, ", limit={limit}")?;
        }
        Ok(())
    }

    fn output_partitioning(&self) -> Partitioning {
        Partitioning::UnknownPartitioning(self.spec.partitions)
    }

    fn eq_properties(&self) -> EquivalenceProperties {
        EquivalenceProperties::new(Arc::clone(&self.schema))
    }

    fn partition_statistics(&self, _partition: Option<usize>) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        let sizes: Option<Vec<u64>> = self
            .spec
            .objects
            .iter()
            .map(|object| object.object.size)
            .collect();
        if let Some(sizes) = sizes
            && let Ok(bytes) = usize::try_from(sizes.iter().sum::<u64>())
        {
            statistics.total_byte_size = Precision::Inexact(bytes);
        }
        Ok(Arc::new(statistics))
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn DataSource>> {
        let mut source = self.clone();
        source.spec = Arc::new(ScanSpec {
            limit,
            ..(*self.spec).clone()
        });
        Some(Arc::new(source))
    }

    fn fetch(&self) -> Option<usize> {
        self.spec.limit
    }

    fn try_swapping_with_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> Result<Option<Arc<dyn DataSource>>> {
        // The logical plan has pushed the columns down already, but not those within structs.
        let projected = match self.spec.output {
            ScanOutput::Rows => {
                members::projected(projection, &self.spec.projection, &self.columns)
            }
            ScanOutput::Rejects => None,
        };
        Ok(projected.map(|columns| {
            let names = projection.iter().map(|column| column.alias.clone());
            let spec = ScanSpec {
                projection: columns,
                names: Some(names.collect()),
                ..(*self.spec).clone()
            };
            let mut source = self.clone();
            source.schema = output_schema(&spec, &self.columns);
            source.spec = Arc::new(spec);
            Arc::new(source) as Arc<dyn DataSource>
        }))
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for conjunct in self.predicate.conjuncts() {
            if f(conjunct)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn metrics(&self) -> ExecutionPlanMetricsSet {
        self.metrics.clone()
    }

    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        _: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn DataSource>>> {
        // Behind a limit, filtering would be another question.
        let can_filter = self.spec.output == ScanOutput::Rows && self.spec.limit.is_none();
        let mut source = self.clone();
        let mut answers = Vec::with_capacity(filters.len());
        for filter in filters {
            let accepted = can_filter && !is_volatile(&filter);
            if accepted {
                let column = |output: usize| self.spec.projection.get(output).copied();
                let filter = members::narrowed(with_columns(filter, column)?, &self.columns)?;
                source.predicate.and(&filter);
            }
            answers.push(if accepted {
                PushedDown::Yes
            } else {
                PushedDown::No
            });
        }
        let accepted = answers
            .iter()
            .any(|answer| matches!(answer, PushedDown::Yes));
        let propagation = FilterPushdownPropagation::with_parent_pushdown_result(answers);
        Ok(match accepted {
            true => propagation.with_updated_node(Arc::new(source) as Arc<dyn DataSource>),
            false => propagation,
        })
    }

    fn try_pushdown_sort(
        &self,
        order: &[PhysicalSortExpr],
    ) -> Result<SortOrderPushdownResult<Arc<dyn DataSource>>> {
        let Some(first) = order.first() else {
            return Ok(SortOrderPushdownResult::Unsupported);
        };
        let column = first.expr.downcast_ref::<Column>();
        let column = column.and_then(|column| self.spec.projection.get(column.index()));
        let is_time = column.is_some_and(|&column| self.columns.is_time(column, &self.table));
        if !is_time || self.spec.output == ScanOutput::Rejects {
            return Ok(SortOrderPushdownResult::Unsupported);
        }
        let order = if first.options.descending {
            ObjectOrder::NewestFirst
        } else {
            ObjectOrder::OldestFirst
        };
        let mut source = self.clone();
        source.spec = Arc::new(self.spec.ordered(order));
        Ok(SortOrderPushdownResult::Inexact {
            inner: Arc::new(source),
        })
    }
}

/// The schema of what comes out.
fn output_schema(spec: &ScanSpec, columns: &LogColumns) -> SchemaRef {
    let rejects = rejects::schema();
    let fields = spec.projection.iter().map(|&index| match spec.output {
        ScanOutput::Rows => Arc::clone(columns.field(index)),
        ScanOutput::Rejects => Arc::clone(&rejects.fields()[index]),
    });
    let fields: Vec<FieldRef> = match &spec.names {
        None => fields.collect(),
        Some(names) => {
            let named = fields.zip(names);
            let named = named.map(|(field, name)| field.as_ref().clone().with_name(name));
            named.map(Arc::new).collect()
        }
    };
    Arc::new(Schema::new(fields))
}
