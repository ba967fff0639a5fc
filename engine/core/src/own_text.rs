//! Sorts that may spill hold text of their own.
//!
//! A text column of ours is views into blocks of a megabyte. A batch of a sorted run has rows
//! from many blocks, and counts each of them whole: a sort under a limit spills when little of it
//! is used, and merging a few runs seems to need more than there is. So what a sort keeps is
//! copied into columns that hold their bytes, and views of these leave it.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::physical_expr::expressions::{CastExpr, Column};
use datafusion::physical_expr_common::physical_expr::PhysicalExprRef;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};

use crate::portable::map_type;

type Plan = Arc<dyn ExecutionPlan>;

/// Gives sorts of whole inputs text of their own, for a session with a limit of memory.
///
/// A sort whose order something above relies on is left as it is: the order of a column is not
/// seen through a cast.
#[derive(Debug)]
pub(crate) struct OwnText;

impl PhysicalOptimizerRule for OwnText {
    fn optimize(&self, plan: Plan, _: &ConfigOptions) -> Result<Plan> {
        rewrite(plan)
    }

    fn name(&self) -> &'static str {
        "own_text"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn rewrite(plan: Plan) -> Result<Plan> {
    if let Some(sorted) = with_own_text(&plan)? {
        return cast(&sorted, &types(&plan));
    }
    let relied_on = plan.required_input_ordering();
    let children = plan.children().into_iter().zip(relied_on);
    let children = children.map(|(child, order)| match order {
        None => rewrite(Arc::clone(child)),
        Some(_) => Ok(Arc::clone(child)),
    });
    let children = children.collect::<Result<_>>()?;
    replace_children_if_necessary(plan, children)
}

/// The same sort over text of its own; None if it is no sort, keeps only the
/// first rows, sorts by more than columns, or has no views.
fn with_own_text(plan: &Plan) -> Result<Option<Plan>> {
    let Some(sort) = plan.downcast_ref::<SortExec>() else {
        return Ok(None);
    };
    let by_columns = sort.expr().iter().all(|key| key.expr.is::<Column>());
    if sort.fetch().is_some() || !by_columns {
        return Ok(None);
    }
    let types = types(plan);
    let owned: Vec<_> = types.iter().map(owning).collect();
    if owned == types {
        return Ok(None);
    }
    let input = cast(&rewrite(Arc::clone(sort.input()))?, &owned)?;
    replace_children_if_necessary(Arc::clone(plan), vec![input]).map(Some)
}

/// Types of the columns.
fn types(plan: &Plan) -> Vec<DataType> {
    let schema = plan.schema();
    let fields = schema.fields().iter();
    fields.map(|field| field.data_type().clone()).collect()
}

/// `plan` with its columns as `types`.
fn cast(plan: &Plan, types: &[DataType]) -> Result<Plan> {
    let schema = plan.schema();
    let columns = schema.fields().iter().zip(types).enumerate();
    let columns = columns.map(|(index, (field, data_type))| {
        let column: PhysicalExprRef = Arc::new(Column::new(field.name(), index));
        let expr = if field.data_type() == data_type {
            column
        } else {
            Arc::new(CastExpr::new(column, data_type.clone(), None))
        };
        ProjectionExpr::new(expr, field.name().clone())
    });
    Ok(Arc::new(ProjectionExec::try_new(
        columns.collect::<Vec<_>>(),
        Arc::clone(plan),
    )?))
}

/// The same type with text that is no view. Its offsets have 64 bits, since thousands of long
/// lines may come together in a batch.
fn owning(data_type: &DataType) -> DataType {
    map_type(data_type, |data_type| match data_type {
        DataType::Utf8View => DataType::LargeUtf8,
        other => other,
    })
}
