//! The node in DataFusion's plans.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::memory::DataSourceExec;
use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::datasource::source::{DataSource, OpenArgs};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr};
use futures::stream::try_unfold;
use loglens_parsers::parse::Examine;
use loglens_parsers::reject::{Counts, Reject};
use loglens_parsers::table::Table;

use super::batches::{Batches, Predicate};
use super::columns::LogColumns;
use super::cursor::Step;
use super::queue::Queue;
use super::spec::{ScanObject, ScanOutput, ScanSpec};
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
    predicate: Option<Predicate>,
    sources: Arc<[Arc<dyn ObjectSource>]>,
    ledger: Arc<Ledger>,
    schema: SchemaRef,
    scan: usize,
}

impl LogSource {
    /// A scan as the spec says.
    pub(crate) fn new(
        spec: ScanSpec,
        table: Arc<Table>,
        columns: Arc<LogColumns>,
        predicate: Option<Predicate>,
        sources: Arc<[Arc<dyn ObjectSource>]>,
        ledger: Arc<Ledger>,
    ) -> Self {
        let all = match spec.output {
            ScanOutput::Rows => Arc::clone(columns.schema()),
            ScanOutput::Rejects => rejects::schema(),
        };
        let fields: Vec<_> = spec
            .projection
            .iter()
            .map(|&index| Arc::clone(&all.fields()[index]))
            .collect();
        let scan = ledger.scan();
        Self {
            spec: Arc::new(spec),
            table,
            columns,
            predicate,
            sources,
            ledger,
            schema: Arc::new(Schema::new(fields)),
            scan,
        }
    }

    /// The plan that runs it.
    pub(crate) fn into_plan(self) -> Arc<dyn ExecutionPlan> {
        DataSourceExec::from_data_source(self)
    }

    fn examine(&self) -> Examine {
        if self.spec.strict || self.spec.output == ScanOutput::Rejects {
            Examine::Everything
        } else {
            Examine::Projected
        }
    }

    fn open_on(&self, queue: Arc<Queue>) -> SendableRecordBatchStream {
        let keep_rejects = match self.spec.output {
            ScanOutput::Rows => DESCRIBED_REJECTS,
            ScanOutput::Rejects => usize::MAX,
        };
        let projection: &[usize] = match self.spec.output {
            ScanOutput::Rows => &self.spec.projection,
            ScanOutput::Rejects => &[],
        };
        let batches = Batches::new(
            &self.table,
            &self.columns,
            projection,
            self.predicate.as_ref(),
            self.examine(),
            keep_rejects,
        );
        let partition = Partition {
            source: self.clone(),
            queue,
            batches,
            current: None,
        };
        let stream = try_unfold(partition, |mut partition| async move {
            let batch = partition.next().await?;
            Ok::<_, DataFusionError>(batch.map(|batch| (batch, partition)))
        });
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            stream,
        ))
    }

    fn queue(&self) -> Arc<Queue> {
        Arc::new(Queue::new(
            &self.spec,
            &self.table.format,
            Arc::clone(&self.sources),
            Arc::clone(&self.ledger),
        ))
    }
}

/// One partition at work.
struct Partition {
    source: LogSource,
    queue: Arc<Queue>,
    batches: Batches,
    current: Option<Arc<tokio::sync::Mutex<super::cursor::Cursor>>>,
}

impl Partition {
    /// The next batch that is not empty.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while let Some((object, step)) = self.queue.next(&mut self.current).await? {
            let batch = match step {
                Step::Block(block) => {
                    // Giving up the cursor woke a partition that waits for it, on this very
                    // thread, where tokio lets no other thread take it. Without this step
                    // aside it would wait for the parsing too, and one core would do it all.
                    tokio::task::yield_now().await;
                    let parsed = self.batches.parse(&object, &block)?;
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
                return Ok(Some(batch.slice(0, wanted)));
            }
        }
        Ok(None)
    }

    fn account(&self, object: &ScanObject, counts: Counts, rejects: &[Reject]) -> Result<()> {
        debug_assert!(counts.add_up(), "{counts:?}");
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
        Ok(self.open_on(self.queue()))
    }

    fn create_sibling_state(&self, _config: &ConfigOptions) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(self.queue())
    }

    fn open_with_args(&self, args: OpenArgs) -> Result<SendableRecordBatchStream> {
        match args
            .sibling_state
            .and_then(|state| state.downcast::<Queue>().ok())
        {
            Some(queue) => Ok(self.open_on(queue)),
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
        if self.spec.output == ScanOutput::Rejects {
            write!(f, ", output=rejects, examine=everything")?;
        } else if self.spec.strict {
            write!(f, ", examine=everything")?;
        }
        let names: Vec<_> = self
            .schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        write!(f, ", projection=[{}]", names.join(", "))?;
        if let Some(predicate) = &self.predicate {
            write!(f, ", predicate={}", predicate.expression)?;
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
        _: &ProjectionExprs,
    ) -> Result<Option<Arc<dyn DataSource>>> {
        // The logical plan has pushed the columns down already.
        Ok(None)
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        match &self.predicate {
            Some(predicate) => f(&predicate.expression),
            None => Ok(TreeNodeRecursion::Continue),
        }
    }
}
