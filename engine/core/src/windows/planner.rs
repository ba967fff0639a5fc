//! From the logical to the physical plan of windows.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{Result, plan_err};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_expr::aggregate::{LoweredAggregate, LoweredAggregateBuilder};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use super::aggregation::{Aggregate, Aggregation};
use super::exec::WindowAggregateExec;
use super::node::WindowAggregate;

/// DataFusion's planner, which knows windows too.
#[derive(Debug)]
pub(crate) struct Planner;

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(WindowPlanner)])
            .create_physical_plan(plan, session)
            .await
    }
}

struct WindowPlanner;

#[async_trait]
impl ExtensionPlanner for WindowPlanner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(node) = node.as_any().downcast_ref::<WindowAggregate>() else {
            return Ok(None);
        };
        let input = Arc::clone(&inputs[0]);
        let (logical, physical) = (node.input.schema(), input.schema());
        let expression = |expr| planner.create_physical_expr(expr, logical, session, context);
        let aggregates = node.aggregates.iter().map(|expr| {
            let LoweredAggregate {
                aggregate: function,
                filter,
                ..
            } = LoweredAggregateBuilder::new(
                expr,
                logical,
                &physical,
                session.execution_props(),
                context,
            )
            .build()?;
            if function.order_sensitivity().hard_requires() {
                return plan_err!(
                    "{}: the order of rows is not kept in windows; leave ORDER BY out of it",
                    function.name()
                );
            }
            Ok(Aggregate::new(function, filter))
        });
        let aggregation = Aggregation::new(
            node.windows,
            expression(&node.time)?,
            node.place,
            node.keys.iter().map(expression).collect::<Result<_>>()?,
            aggregates.collect::<Result<_>>()?,
            Arc::new(node.schema.as_arrow().clone()),
        )?;
        let plan = WindowAggregateExec::new(Arc::new(aggregation), input);
        Ok(Some(Arc::new(plan)))
    }
}
