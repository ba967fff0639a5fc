//! What `convert` asks of the engine: objects, their rows, and what reading them takes.

use std::sync::Arc;

use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};

use super::Engine;
use crate::error::Error;
use crate::ledger::Ledger;
use crate::object::Requests;
use crate::query::{Receipt, receipt, requests};
use crate::scan::spec::ScanObject;
use crate::sql::{errors, struct_names};
use crate::tables::log_table::{BYTES_PER_PARTITION, Chosen, LogTable};
use crate::tables::planned_files::PlannedFiles;
use crate::write::Target;

impl Engine {
    /// The rows of objects of a log table, all of its columns, as they are written to a target.
    pub(crate) async fn rows_of(
        &self,
        table: &str,
        objects: Arc<[ScanObject]>,
        target: &Target,
        ledger: &Arc<Ledger>,
    ) -> Result<SendableRecordBatchStream, Error> {
        let sorted = |rows| target.sorted(rows);
        let (plan, context) = self.plan_of_objects(table, objects, ledger, sorted).await?;
        execute_stream(plan, context).map_err(|error| errors::explain(&error, ""))
    }

    /// What runs what `above` makes of the rows of objects of a log table.
    pub(crate) async fn plan_of_objects(
        &self,
        table: &str,
        objects: Arc<[ScanObject]>,
        ledger: &Arc<Ledger>,
        above: impl FnOnce(LogicalPlan) -> Result<LogicalPlan, Error>,
    ) -> Result<(Arc<dyn ExecutionPlan>, Arc<TaskContext>), Error> {
        let sql = format!("SELECT * FROM \"{table}\"");
        let explain = |error| errors::explain(&error, &sql);
        let mut state = self.session.state();
        let bytes = objects.iter().filter_map(|object| object.object.size);
        if bytes.sum::<u64>() < BYTES_PER_PARTITION {
            state.config_mut().options_mut().execution.target_partitions = 1;
        }
        state.config_mut().set_extension(Arc::clone(ledger));
        state.config_mut().set_extension(Arc::new(Chosen(objects)));
        let ast = self.parse(&sql)?.remove(0).ast;
        let plan = state.statement_to_plan(ast).await.map_err(explain)?;
        let plan = struct_names::simplify(plan).map_err(explain)?;
        let plan = above(plan)?;
        let plan = state.create_physical_plan(&plan).await.map_err(explain)?;
        Ok((plan, state.task_ctx()))
    }

    /// Refuses to read objects that are more than is allowed.
    pub(crate) fn check_limits(
        &self,
        objects: &[ScanObject],
        before: Requests,
    ) -> Result<(), Error> {
        let ledger = Ledger::default();
        ledger.expect(objects.iter().map(|object| {
            let gets = self.sources[object.source].gets(&object.object);
            (object.object.size, gets)
        }));
        let nothing = PlannedFiles::default();
        let estimate = self.estimate_of(&ledger.expected(), &nothing, before);
        self.limits.check(&estimate, &self.prices)
    }

    /// The objects of a log table that may hold records of the time range.
    pub(crate) async fn objects_in_range(&self, table: &str) -> Result<Vec<ScanObject>, Error> {
        let Some(table) = self.schema.log_table(table) else {
            return Err(self.schema.unknown_table(table));
        };
        let objects = LogTable::in_range(table, &self.session.state()).await;
        objects.map_err(|error| errors::explain(&error, ""))
    }

    /// Requests that all sources made so far.
    pub(crate) fn requests(&self) -> Requests {
        requests(&self.sources)
    }

    /// What reading took since `before`.
    pub(crate) fn receipt(&self, ledger: &Ledger, before: Requests) -> Option<Receipt> {
        receipt(&self.sources, &self.prices, ledger, before)
    }
}
