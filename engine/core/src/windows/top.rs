//! The top of each window: `QUALIFY row_number() OVER (PARTITION BY window_end ORDER BY ...) <= n`.
//!
//! DataFusion would be given all rows of each window. The operator gives only those that can be among
//! the first, by the first of the order's columns: who really is the first is decided above it.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, Scalar, UInt32Array};
use datafusion::arrow::compute::kernels::cmp::{gt_eq, lt_eq};
use datafusion::arrow::compute::{SortOptions, sort_to_indices, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};
use datafusion::physical_expr::window::StandardWindowExpr;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowUDFExpr};
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
            let pushed = of_filter(&plan);
            Ok(pushed.map_or_else(|| Transformed::no(plan), Transformed::yes))
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

/// The first rows that are wanted of those with the same values of some expressions.
struct Wanted {
    rows: usize,
    /// The column that they are ordered by first, and how.
    column: usize,
    options: SortOptions,
    partition: Vec<Arc<dyn PhysicalExpr>>,
}

/// A filter of the numbers that a window function of SQL gives, with less below it.
fn of_filter(plan: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    let filter = plan.downcast_ref::<FilterExec>()?;
    let limits = split_conjunction(filter.predicate()).into_iter();
    limits.filter_map(limit).find_map(|(column, rows)| {
        let input = numbered(filter.input(), column, rows)?;
        replace_children_if_necessary(Arc::clone(plan), vec![input]).ok()
    })
}

/// `column <= rows`
fn limit(predicate: &Arc<dyn PhysicalExpr>) -> Option<(usize, usize)> {
    let comparison = predicate.downcast_ref::<BinaryExpr>()?;
    let column = comparison.left().downcast_ref::<Column>()?.index();
    let rows = comparison.right().downcast_ref::<Literal>()?.value();
    let ScalarValue::UInt64(Some(rows)) = rows.cast_to(&DataType::UInt64).ok()? else {
        return None;
    };
    let rows = usize::try_from(rows).ok()?;
    match comparison.op() {
        Operator::LtEq => Some((column, rows)),
        Operator::Lt => Some((column, rows.checked_sub(1)?)),
        _ => None,
    }
}

/// What gives the numbers in a column, with less below it.
fn numbered(
    plan: &Arc<dyn ExecutionPlan>,
    column: usize,
    rows: usize,
) -> Option<Arc<dyn ExecutionPlan>> {
    let input = if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let column = projection
            .expr()
            .get(column)?
            .expr
            .downcast_ref::<Column>()?;
        numbered(projection.input(), column.index(), rows)?
    } else {
        let window = plan.downcast_ref::<BoundedWindowAggExec>()?;
        let number = column.checked_sub(window.input().schema().fields().len())?;
        let function = window.window_expr().get(number)?;
        let standard = function.as_any().downcast_ref::<StandardWindowExpr>()?;
        let called = standard
            .get_standard_func_expr()
            .as_any()
            .downcast_ref::<WindowUDFExpr>()?;
        let first = function.order_by().first()?;
        if !matches!(called.fun().name(), "row_number" | "rank") || window.window_expr().len() > 1 {
            return None;
        }
        let wanted = Wanted {
            rows,
            column: first.expr.downcast_ref::<Column>()?.index(),
            options: first.options,
            partition: function.partition_by().to_vec(),
        };
        push(window.input(), &wanted)?
    };
    replace_children_if_necessary(Arc::clone(plan), vec![input]).ok()
}

/// A plan whose windows give no more than is wanted of it; None if there are none just below it.
fn push(plan: &Arc<dyn ExecutionPlan>, wanted: &Wanted) -> Option<Arc<dyn ExecutionPlan>> {
    if let Some(windows) = plan.downcast_ref::<WindowAggregateExec>() {
        return at_windows(windows, wanted);
    }
    let input = if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let exprs = projection.expr();
        let below = |expr: &Arc<dyn PhysicalExpr>| {
            let below = Arc::clone(expr).transform_down(|expr| {
                Ok(match expr.downcast_ref::<Column>() {
                    Some(column) => Transformed::new(
                        Arc::clone(&exprs[column.index()].expr),
                        true,
                        TreeNodeRecursion::Jump,
                    ),
                    None => Transformed::no(expr),
                })
            });
            below.ok().map(|below| below.data)
        };
        let wanted = Wanted {
            column: exprs[wanted.column].expr.downcast_ref::<Column>()?.index(),
            partition: wanted.partition.iter().map(below).collect::<Option<_>>()?,
            ..*wanted
        };
        push(projection.input(), &wanted)?
    } else {
        let sorts = plan
            .downcast_ref::<SortExec>()
            .is_some_and(|sort| sort.fetch().is_none());
        if !sorts && !plan.is::<RepartitionExec>() && !plan.is::<CoalescePartitionsExec>() {
            return None;
        }
        push(plan.children().first()?, wanted)?
    };
    replace_children_if_necessary(Arc::clone(plan), vec![input]).ok()
}

fn at_windows(windows: &WindowAggregateExec, wanted: &Wanted) -> Option<Arc<dyn ExecutionPlan>> {
    let aggregation = windows.aggregation();
    let is_of_windows = |key| says_window(key, aggregation.place);
    if wanted.partition.is_empty() || !wanted.partition.iter().all(is_of_windows) {
        return None;
    }
    let top = Top {
        rows: wanted.rows,
        aggregate: wanted.column.checked_sub(aggregation.keys.len() + 1)?,
        options: wanted.options,
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
