//! `c = '-'` means `c IS NULL`.
//!
//! Logs write `-` where there is no value. Athena shows that text; here it is NULL. So that
//! published queries run unchanged, comparing a log's column with the text that its format writes
//! for NULL tests for NULL. What still differs: counting such a column leaves the nulls out, and
//! `c <> 'x'` does not hold for them.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr::{Case, InList};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};
use datafusion::optimizer::AnalyzerRule;

use crate::scan::columns::NULL_MARKER;

/// The rule.
#[derive(Debug)]
pub(crate) struct NullMarker;

impl AnalyzerRule for NullMarker {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|plan| {
            let schema = merge_schema(&plan.inputs());
            // Plans above refer to an expression by the name that it had.
            let names = NamePreserver::new(&plan);
            plan.map_expressions(|expr| {
                let name = names.save(&expr);
                Ok(expr
                    .transform_up(|expr| Ok(rewrite(expr, &schema)))?
                    .update_data(|expr| name.restore(expr)))
            })?
            .map_data(LogicalPlan::recompute_schema)
        })
        .map(|transformed| transformed.data)
    }

    fn name(&self) -> &'static str {
        "null_marker"
    }
}

fn rewrite(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    match expr {
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: op @ (Operator::Eq | Operator::NotEq),
            right,
        }) => {
            let column = if is_marker(&left, &right, schema) {
                left
            } else if is_marker(&right, &left, schema) {
                right
            } else {
                return Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right }));
            };
            Transformed::yes(if op == Operator::Eq {
                column.is_null()
            } else {
                column.is_not_null()
            })
        }
        Expr::InList(InList {
            expr,
            list,
            negated,
        }) => {
            let (markers, others): (Vec<_>, Vec<_>) = list
                .into_iter()
                .partition(|item| is_marker(&expr, item, schema));
            if markers.is_empty() {
                return Transformed::no(Expr::InList(InList {
                    expr,
                    list: others,
                    negated,
                }));
            }
            let null = if negated {
                expr.clone().is_not_null()
            } else {
                expr.clone().is_null()
            };
            Transformed::yes(match (others.is_empty(), negated) {
                (true, _) => null,
                (false, false) => null.or(expr.in_list(others, false)),
                (false, true) => null.and(expr.in_list(others, true)),
            })
        }
        Expr::Case(Case {
            expr: Some(subject),
            when_then_expr: branches,
            else_expr,
        }) if branches
            .iter()
            .any(|(when, _)| is_marker(&subject, when, schema)) =>
        {
            // No value equals NULL, so the comparisons are written out.
            let branches = branches.into_iter().map(|(when, then)| {
                let equal = subject.as_ref().clone().eq(*when);
                (Box::new(rewrite(equal, schema).data), then)
            });
            Transformed::yes(Expr::Case(Case {
                expr: None,
                when_then_expr: branches.collect(),
                else_expr,
            }))
        }
        other => Transformed::no(other),
    }
}

/// Whether `literal` is what the log of `column` writes for NULL.
fn is_marker(column: &Expr, literal: &Expr, schema: &DFSchema) -> bool {
    let (Expr::Column(column), Expr::Literal(value, _)) = (column, literal) else {
        return false;
    };
    let Some(Some(text)) = value.try_as_str() else {
        return false;
    };
    schema
        .qualified_field_from_column(column)
        .is_ok_and(|(_, field)| {
            field
                .metadata()
                .get(NULL_MARKER)
                .is_some_and(|marker| marker == text)
        })
}
