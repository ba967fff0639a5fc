//! A GROUP BY with windows in the logical plan.

use std::cmp::Ordering;
use std::fmt;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchemaRef, Result, plan_err};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::logical_plan::{Aggregate, Extension};
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use datafusion::optimizer::AnalyzerRule;
use std::sync::Arc;

use super::functions::windows_of;
use super::spec::Windows;

/// Rows grouped by windows of time and by keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct WindowAggregate {
    pub(crate) input: Arc<LogicalPlan>,
    pub(crate) windows: Windows,
    /// The time that says which windows a row lies in.
    pub(crate) time: Expr,
    /// Where among the keys the window stands, in the schema.
    pub(crate) place: usize,
    pub(crate) keys: Vec<Expr>,
    pub(crate) aggregates: Vec<Expr>,
    /// Keys, with the window at its place, and aggregates: the schema of the GROUP BY that this was.
    pub(crate) schema: DFSchemaRef,
}

impl WindowAggregate {
    /// The same as a plan of DataFusion's has it; None if it groups by no window.
    fn of(aggregate: &Aggregate) -> Result<Option<Self>> {
        let mut found = None;
        let mut keys = Vec::new();
        for (place, key) in aggregate.group_expr.iter().enumerate() {
            match windows_of(key)? {
                None => keys.push(key.clone()),
                Some(_) if found.is_some() => {
                    return plan_err!("a GROUP BY has one window, and this one has more");
                }
                Some((time, windows)) => found = Some((place, time, windows)),
            }
        }
        let Some((place, time, windows)) = found else {
            return Ok(None);
        };
        if keys.iter().any(|key| matches!(key, Expr::GroupingSet(_))) {
            return plan_err!("windows and grouping sets do not go together");
        }
        Ok(Some(Self {
            input: Arc::clone(&aggregate.input),
            windows,
            time,
            place,
            keys,
            aggregates: aggregate.aggr_expr.clone(),
            schema: Arc::clone(&aggregate.schema),
        }))
    }
}

impl PartialOrd for WindowAggregate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let key = |node: &Self| {
            let Self { windows, place, .. } = node;
            (*windows, *place)
        };
        key(self)
            .partial_cmp(&key(other))
            .filter(|order| *order != Ordering::Equal || self == other)
    }
}

impl UserDefinedLogicalNodeCore for WindowAggregate {
    fn name(&self) -> &'static str {
        "WindowAggregate"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        let time = std::iter::once(&self.time);
        let all = time.chain(&self.keys).chain(&self.aggregates);
        all.cloned().collect()
    }

    fn fmt_for_explain(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |exprs: &[Expr]| {
            let names: Vec<_> = exprs.iter().map(ToString::to_string).collect();
            names.join(", ")
        };
        write!(
            out,
            "WindowAggregate: {} of {}, keys=[{}], aggr=[{}]",
            self.windows,
            self.time,
            names(&self.keys),
            names(&self.aggregates)
        )
    }

    fn with_exprs_and_inputs(
        &self,
        mut exprs: Vec<Expr>,
        mut inputs: Vec<LogicalPlan>,
    ) -> Result<Self> {
        let (Some(input), false) = (inputs.pop(), exprs.is_empty()) else {
            return plan_err!("a window has an input and a time");
        };
        let time = exprs.remove(0);
        let aggregates = exprs.split_off(self.keys.len());
        Ok(Self {
            input: Arc::new(input),
            time,
            keys: exprs,
            aggregates,
            ..self.clone()
        })
    }

    fn necessary_children_exprs(&self, _: &[usize]) -> Option<Vec<Vec<usize>>> {
        let schema = self.input.schema();
        let exprs = self.expressions();
        let columns = exprs.iter().flat_map(Expr::column_refs);
        let mut places: Vec<_> = columns
            .map(|column| schema.maybe_index_of_column(column))
            .collect::<Option<_>>()?;
        places.sort_unstable();
        places.dedup();
        Some(vec![places])
    }
}

/// Makes a [`WindowAggregate`] of every GROUP BY with a window.
#[derive(Debug)]
pub(crate) struct PlanWindows;

impl AnalyzerRule for PlanWindows {
    fn name(&self) -> &'static str {
        "plan_windows"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|plan| {
            let LogicalPlan::Aggregate(aggregate) = &plan else {
                return Ok(Transformed::no(plan));
            };
            Ok(match WindowAggregate::of(aggregate)? {
                Some(node) => Transformed::yes(LogicalPlan::Extension(Extension {
                    node: Arc::new(node),
                })),
                None => Transformed::no(plan),
            })
        })?;
        Ok(plan.data)
    }
}
