//! A plan in two: what runs over what arrives, and what runs over windows that closed.

use std::sync::Arc;

use datafusion::catalog::memory::DataSourceExec;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::physical_plan::ExecutionPlan;

use super::slot::{Slot, SlotExec};
use crate::scan::rows::TableRows;
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

/// All scans of rows of logs in a plan.
pub(crate) fn log_sources(plan: &Arc<dyn ExecutionPlan>) -> Vec<&LogSource> {
    let below = plan.children().into_iter().flat_map(log_sources);
    let own = log_source(plan).filter(|source| source.gives_rows());
    own.into_iter().chain(below).collect()
}

/// The first scan of logs in a plan.
pub(crate) fn first_log_source(plan: &Arc<dyn ExecutionPlan>) -> Option<LogSource> {
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
    in_place_of_scans(plan, |source| {
        let source = source.of_objects(objects.to_vec(), partitions);
        Ok(source.into_plan())
    })
}

/// A plan over rows that were read.
pub(crate) fn of_rows(
    plan: &Arc<dyn ExecutionPlan>,
    rows: &TableRows,
) -> Result<Arc<dyn ExecutionPlan>> {
    in_place_of_scans(plan, |source| match source.gives_rows() {
        true => rows.answer(source),
        false => Ok(source.clone().into_plan()),
    })
}

/// The same plan with others in the place of its scans of logs.
fn in_place_of_scans(
    plan: &Arc<dyn ExecutionPlan>,
    other: impl Fn(&LogSource) -> Result<Arc<dyn ExecutionPlan>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let plan = Arc::clone(plan).transform_down(|plan| {
        Ok(match log_source(&plan) {
            Some(source) => Transformed::new(other(source)?, true, TreeNodeRecursion::Jump),
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
