//! A plan in two: what runs over what arrives, and what runs over windows that closed.

use std::sync::Arc;

use datafusion::catalog::memory::DataSourceExec;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::physical_plan::ExecutionPlan;

use super::slot::{Slot, SlotExec};
use crate::scan::source::LogSource;
use crate::scan::spec::ScanObject;
use crate::tables::log_table::partitions;
use crate::windows::aggregation::Aggregation;
use crate::windows::exec::WindowAggregateExec;

/// What stands above and below the window of a plan.
pub(super) struct AtWindow {
    pub(super) aggregation: Arc<Aggregation>,
    pub(super) lower: Arc<dyn ExecutionPlan>,
    pub(super) upper: Arc<dyn ExecutionPlan>,
    /// What `upper` reads.
    pub(super) slot: Slot,
}

/// Splits a plan at its window; None if it has none.
pub(super) fn at_window(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<AtWindow>> {
    let slot = Slot::default();
    let mut found = None;
    let upper = Arc::clone(plan).transform_down(|plan| {
        let Some(window) = plan.downcast_ref::<WindowAggregateExec>() else {
            return Ok(Transformed::no(plan));
        };
        found = Some((Arc::clone(window.aggregation()), Arc::clone(window.input())));
        let leaf = SlotExec::new(Arc::clone(&slot), plan.schema());
        Ok(Transformed::new(
            Arc::new(leaf) as _,
            true,
            TreeNodeRecursion::Jump,
        ))
    })?;
    Ok(found.map(|(aggregation, lower)| AtWindow {
        aggregation,
        lower,
        upper: upper.data,
        slot,
    }))
}

fn log_source(plan: &Arc<dyn ExecutionPlan>) -> Option<&LogSource> {
    let source = plan.downcast_ref::<DataSourceExec>()?;
    source.data_source().downcast_ref::<LogSource>()
}

/// The first scan of logs in a plan.
pub(super) fn first_log_source(plan: &Arc<dyn ExecutionPlan>) -> Option<LogSource> {
    match log_source(plan) {
        Some(source) => Some(source.clone()),
        None => plan.children().into_iter().find_map(first_log_source),
    }
}

/// Whether a plan gives as many rows as its scans read records.
pub(super) fn keeps_all(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let keeps = match log_source(plan) {
        Some(source) => !source.filters(),
        None => plan.name() != "FilterExec" && plan.children().len() == 1,
    };
    keeps && plan.children().into_iter().all(keeps_all)
}

/// A plan over some objects.
pub(super) fn of_objects(
    plan: &Arc<dyn ExecutionPlan>,
    objects: &[ScanObject],
    threads: usize,
) -> Result<Arc<dyn ExecutionPlan>> {
    let partitions = partitions(objects, threads);
    let plan = Arc::clone(plan).transform_down(|plan| {
        Ok(match log_source(&plan) {
            Some(source) => {
                let source = source.of_objects(objects.to_vec(), partitions);
                Transformed::yes(source.into_plan())
            }
            None => Transformed::no(plan),
        })
    })?;
    Ok(plan.data)
}

/// A plan that gives the event times of all records of some objects.
pub(super) fn of_times(
    plan: &Arc<dyn ExecutionPlan>,
    objects: &[ScanObject],
    threads: usize,
) -> Option<Arc<dyn ExecutionPlan>> {
    let times = first_log_source(plan)?.of_times()?;
    let times = times.of_objects(objects.to_vec(), partitions(objects, threads));
    Some(times.into_plan())
}
