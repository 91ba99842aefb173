//! Subqueries that are asked for each row.
//!
//! A subquery that is a value (`(SELECT …)`, `EXISTS`, `IN` anywhere but in a plain condition) becomes a column of an
//! operator of ours, [`node::Apply`], below the operator that has it in an expression. It runs once for each combination of
//! values that the rows around it have, and once in all if it asks for none: whatever can be planned can be answered so, with
//! SQL's three truth values. What is only a condition, `EXISTS (…)` or `x IN (…)` between ANDs with equalities inside, stays
//! what it is, for DataFusion joins it.

mod exec;
mod extract;
mod node;
mod outer;
mod slots;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, Result, exec_err};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use self::exec::{ApplyExec, Asked};
use self::node::{Apply, Kind};

pub use extract::{extract, has_any};

/// Plans what DataFusion plans, and subqueries that are asked for each row.
#[derive(Debug)]
pub struct Planning;

#[async_trait]
impl QueryPlanner for Planning {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(PlanApply)]);
        planner.create_physical_plan(plan, session).await
    }
}

struct PlanApply;

impl fmt::Debug for PlanApply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlanApply")
    }
}

#[async_trait]
impl ExtensionPlanner for PlanApply {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(apply) = node.as_any().downcast_ref::<Apply>() else { return Ok(None) };
        let [input] = inputs else { return exec_err!("a subquery has {} inputs", inputs.len()) };
        let schema: &DFSchema = apply.input.schema();
        let mut asked = Vec::with_capacity(apply.subqueries.len());
        for subquery in &apply.subqueries {
            let optimized = session.optimize(&subquery.plan)?;
            let plan = planner.create_physical_plan(&optimized, session).await?;
            let value = match &subquery.kind {
                Kind::In { value, .. } => Some(planner.create_physical_expr(value, schema, session, context)?),
                Kind::Scalar | Kind::Exists => None,
            };
            let columns = subquery
                .slots
                .columns()
                .iter()
                .map(|column| schema.index_of_column(column))
                .collect::<Result<Vec<_>>>()?;
            asked.push(Asked { plan, kind: subquery.kind.clone(), value, columns, slots: Arc::clone(&subquery.slots) });
        }
        let schema = Arc::new(apply.schema.as_arrow().clone());
        Ok(Some(Arc::new(ApplyExec::new(Arc::clone(input), asked, schema))))
    }
}
