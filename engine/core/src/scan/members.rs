//! Columns within structs as columns of their own.
//!
//! `DataFusion` writes `useridentity.arn` as `get_field(useridentity, 'arn')` and asks the scan for
//! all of `useridentity`. Here such accesses become columns of the log table, so that parsing jumps
//! over the rest of the struct.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::PhysicalExpr;

use super::columns::LogColumns;
use super::literals::path;

/// The expression over columns of the log table with columns in the place of accesses to structs.
pub(super) fn narrowed(
    expression: Arc<dyn PhysicalExpr>,
    columns: &LogColumns,
) -> Result<Arc<dyn PhysicalExpr>> {
    let replaced = expression.transform_down(|expression| {
        let index = path(&expression)
            .filter(|(_, members)| !members.is_empty())
            .and_then(|(column, members)| columns.member(column, &members));
        Ok(match index {
            Some(index) => {
                let name = columns.field(index).name();
                Transformed::yes(Arc::new(Column::new(name, index)) as _)
            }
            None => Transformed::no(expression),
        })
    })?;
    Ok(replaced.data)
}

/// The columns of the log table that a projection of a scan's output consists of; None if it
/// computes anything, or wants nothing of any struct: then there is nothing to be saved.
pub(super) fn projected(
    projection: &ProjectionExprs,
    output: &[usize],
    columns: &LogColumns,
) -> Option<Vec<usize>> {
    let mut members_only = false;
    let indexes = projection.iter().map(|projected| {
        let (column, members) = path(&projected.expr)?;
        let column = *output.get(column)?;
        if members.is_empty() {
            return Some(column);
        }
        members_only = true;
        columns.member(column, &members)
    });
    let indexes = indexes.collect::<Option<Vec<_>>>()?;
    members_only.then_some(indexes)
}
