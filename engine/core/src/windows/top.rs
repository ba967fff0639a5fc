//! The top of each window: QUALIFY row_number() OVER (PARTITION BY window_end ORDER BY ...) <= n.
//!
//! DataFusion holds the first n rows of each window, which spares it a sort; but it would be given all
//! of them. The operator gives only those that can be among the first, by the first of the order's
//! columns: who is really the first is decided above it.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::array::{Scalar, UInt32Array};
use datafusion::arrow::compute::kernels::cmp::{gt_eq, lt_eq};
use datafusion::arrow::compute::{SortOptions, sort_to_indices, take};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::sorts::partitioned_topk::PartitionedTopKExec;
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};

use super::exec::WindowAggregateExec;
use super::functions::{END, START};

/// The rows of a window that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Top {
    pub(crate) rows: usize,
    /// The aggregate that they are ordered by, and how.
    pub(super) aggregate: usize,
    pub(super) options: SortOptions,
}

impl Top {
    /// Rows of which all others come behind, or None if all may be wanted.
    pub(super) fn pick(&self, values: &[ArrayRef]) -> Result<Option<UInt32Array>> {
        let ordered = &values[self.aggregate];
        if ordered.len() <= self.rows || ordered.null_count() > 0 || self.rows == 0 {
            return Ok(None);
        }
        let first = sort_to_indices(ordered, Some(self.options), Some(self.rows))?;
        let last = first.slice(self.rows - 1, 1);
        let bound = Scalar::new(take(ordered, &last, None)?);
        // Rows that are equal to the last one may be before it by the other columns.
        let stays: BooleanArray = match self.options.descending {
            true => gt_eq(ordered, &bound)?,
            false => lt_eq(ordered, &bound)?,
        };
        let rows = stays.values().set_indices().map(|row| row as u32);
        Ok(Some(UInt32Array::from_iter_values(rows)))
    }
}

/// Tells windows that only their first rows are wanted.
#[derive(Debug)]
pub(crate) struct PushTop;

impl PhysicalOptimizerRule for PushTop {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = plan.transform_up(|plan| {
            let pushed = plan.downcast_ref::<PartitionedTopKExec>().and_then(pushed);
            Ok(match pushed {
                Some(input) => Transformed::yes(replace_children_if_necessary(plan, vec![input])?),
                None => Transformed::no(plan),
            })
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &'static str {
        "push_top"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The windows below a top that give no more than it wants.
fn pushed(top: &PartitionedTopKExec) -> Option<Arc<dyn ExecutionPlan>> {
    let windows = top.input().downcast_ref::<WindowAggregateExec>()?;
    let aggregation = windows.aggregation();
    let mut exprs = top.expr().iter();
    let mut partition = exprs.by_ref().take(top.partition_prefix_len());
    if !partition.all(|key| says_window(&key.expr, aggregation.place)) {
        return None;
    }
    let order = exprs.next()?;
    let column = order.expr.downcast_ref::<Column>()?.index();
    let aggregate = column.checked_sub(aggregation.keys.len() + 1)?;
    let top = Top {
        rows: top.fetch(),
        aggregate,
        options: order.options,
    };
    Some(Arc::new(windows.with_top(top)))
}

/// Whether an expression has one value for all rows of a window.
fn says_window(expr: &Arc<dyn PhysicalExpr>, place: usize) -> bool {
    if let Some(column) = expr.downcast_ref::<Column>() {
        return column.index() == place;
    }
    let Some(call) = expr.downcast_ref::<ScalarFunctionExpr>() else {
        return false;
    };
    [START, END].contains(&call.name()) && call.args().iter().all(|arg| says_window(arg, place))
}
