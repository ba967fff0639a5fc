//! Windows over bounded data, as an operator of a plan.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties,
};
use futures::StreamExt;
use tokio::sync::mpsc;

use super::aggregation::Aggregation;
use super::open::OpenWindows;
use super::partial::Partial;
use super::spill::Spill;
use super::top::Top;
use crate::ledger::Ledger;

/// Groups of one core that are handed on together.
const GROUPS: usize = 1 << 18;

/// Groups by windows. All partitions of the input group their rows by pane; one merges.
#[derive(Debug)]
pub(crate) struct WindowAggregateExec {
    aggregation: Arc<Aggregation>,
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl WindowAggregateExec {
    pub(crate) fn new(aggregation: Arc<Aggregation>, input: Arc<dyn ExecutionPlan>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&aggregation.schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self {
            aggregation,
            input,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// The same for whoever wants only the top of each window.
    pub(crate) fn with_top(&self, top: Top) -> Self {
        let mut aggregation = Aggregation::clone(&self.aggregation);
        aggregation.top = Some(top);
        Self::new(Arc::new(aggregation), Arc::clone(&self.input))
    }

    /// What gives its rows.
    pub(crate) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// What is computed for each window.
    pub(crate) fn aggregation(&self) -> &Arc<Aggregation> {
        &self.aggregation
    }
}

impl DisplayAs for WindowAggregateExec {
    fn fmt_as(&self, _: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self
            .aggregation
            .keys
            .iter()
            .map(ToString::to_string)
            .collect();
        let windows = self.aggregation.windows;
        write!(
            out,
            "WindowAggregateExec: {windows}, keys=[{}]",
            keys.join(", ")
        )?;
        match self.aggregation.top {
            Some(top) => write!(out, ", top={}", top.rows),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for WindowAggregateExec {
    fn name(&self) -> &'static str {
        "WindowAggregateExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(input) = children.pop() else {
            return internal_err!("windows have an input");
        };
        Ok(Arc::new(Self::new(Arc::clone(&self.aggregation), input)))
    }

    fn apply_expressions(
        &self,
        apply: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let mut recursion = TreeNodeRecursion::Continue;
        for expr in self.aggregation.expressions() {
            recursion = recursion.visit_sibling(|| apply(&expr))?;
        }
        Ok(recursion)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let inputs = self.input.output_partitioning().partition_count();
        let mut output =
            RecordBatchReceiverStream::builder(Arc::clone(&self.aggregation.schema), 2);
        let (send, partials) = mpsc::channel(inputs);
        let ledger = context.session_config().get_extension::<Ledger>();
        for input in 0..inputs {
            let rows = self.input.execute(input, Arc::clone(&context))?;
            let partial = Partial::new(Arc::clone(&self.aggregation))?;
            let held = MemoryConsumer::new(format!("rows of windows {input}"))
                .register(context.memory_pool());
            let (send, ledger) = (send.clone(), ledger.clone());
            output.spawn(async move {
                let mut partial = group(rows, partial, held, send).await?;
                if let Some(ledger) = ledger {
                    ledger.without_time(partial.take_without_time());
                }
                Ok(())
            });
        }
        drop(send);
        let merger = Merger {
            windows: OpenWindows::new(Arc::clone(&self.aggregation))?,
            spill: None,
            held: MemoryConsumer::new("windows")
                .with_can_spill(true)
                .register(context.memory_pool()),
            aggregation: Arc::clone(&self.aggregation),
            context,
            all_metrics: self.metrics.clone(),
            metrics: BaselineMetrics::new(&self.metrics, partition),
            rows: output.tx(),
        };
        output.spawn(merger.run(partials));
        Ok(output.build())
    }
}

/// Groups the rows of one partition of the input.
async fn group(
    mut rows: SendableRecordBatchStream,
    mut partial: Partial,
    held: MemoryReservation,
    send: mpsc::Sender<RecordBatch>,
) -> Result<Partial> {
    while let Some(batch) = rows.next().await {
        partial.push(&batch?)?;
        if partial.len() >= GROUPS || held.try_resize(partial.size()).is_err() {
            let sent = send.send(partial.emit()?).await;
            held.free();
            if sent.is_err() {
                return Ok(partial);
            }
        }
    }
    if partial.len() > 0 {
        // Whoever merges has ended: there is an error already, or nobody waits for rows.
        let _ = send.send(partial.emit()?).await;
    }
    Ok(partial)
}

/// Merges partial rows and gives the rows of all windows.
struct Merger {
    aggregation: Arc<Aggregation>,
    windows: OpenWindows,
    /// What did not fit into memory.
    spill: Option<Spill>,
    held: MemoryReservation,
    context: Arc<TaskContext>,
    all_metrics: ExecutionPlanMetricsSet,
    metrics: BaselineMetrics,
    rows: mpsc::Sender<Result<RecordBatch>>,
}

impl Merger {
    async fn run(mut self, mut partials: mpsc::Receiver<RecordBatch>) -> Result<()> {
        while let Some(partial) = partials.recv().await {
            self.insert(&partial)?;
        }
        let Some(mut spill) = self.spill.take() else {
            self.close().await?;
            return Ok(());
        };
        spill.write(&self.windows.partial_rows()?)?;
        for mut rows in spill.read() {
            self.windows = OpenWindows::new(Arc::clone(&self.aggregation))?;
            while let Some(batch) = rows.next().await {
                self.windows.insert(&batch?)?;
                // It is in memory a piece at a time: if that does not fit, nothing does.
                self.held.try_resize(self.windows.size())?;
            }
            if !self.close().await? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn insert(&mut self, partial: &RecordBatch) -> Result<()> {
        let timer = self.metrics.elapsed_compute().timer();
        self.windows.insert(partial)?;
        if let Err(error) = self.held.try_resize(self.windows.size()) {
            if self.aggregation.keys.is_empty() {
                return Err(error);
            }
            let spill = match &mut self.spill {
                Some(spill) => spill,
                none => none.insert(Spill::new(
                    Arc::clone(&self.aggregation),
                    &self.context,
                    &self.all_metrics,
                )?),
            };
            spill.write(&self.windows.partial_rows()?)?;
            self.windows = OpenWindows::new(Arc::clone(&self.aggregation))?;
            self.held.free();
        }
        timer.done();
        Ok(())
    }

    /// Gives the rows of all windows; false if nobody wants more.
    async fn close(&mut self) -> Result<bool> {
        let most = self.context.session_config().batch_size();
        loop {
            let timer = self.metrics.elapsed_compute().timer();
            let Some(closed) = self.windows.close(i64::MAX)? else {
                return Ok(true);
            };
            self.windows.forget(closed.end)?;
            timer.done();
            self.metrics.record_output(closed.rows.num_rows());
            let mut rows = closed.rows;
            while rows.num_rows() > 0 {
                let batch = rows.slice(0, rows.num_rows().min(most));
                rows = rows.slice(batch.num_rows(), rows.num_rows() - batch.num_rows());
                if self.rows.send(Ok(batch)).await.is_err() {
                    return Ok(false);
                }
            }
        }
    }
}
