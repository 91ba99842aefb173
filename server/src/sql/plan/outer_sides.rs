//! What an outer join fills with NULL is not known to be one value.
//!
//! DataFusion takes what is one value, or equal to another, in an input of an outer join for so in its result: sorts by
//! `d.c` of `… LEFT JOIN (SELECT 0 AS c …) d` were left out, and NULL and 0 came as they were found (docs/decisions/0030).
//! Here such an input says nothing of its values.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{JoinType, Result};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use super::silent::{Forgets, Silent};

/// The rule. It has to come before all that knows of orders.
#[derive(Debug)]
pub struct OuterSides;

impl PhysicalOptimizerRule for OuterSides {
    fn name(&self) -> &str {
        "outer_sides"
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let silent = plan.transform_up(|plan| {
            let fills = fills(join_type(&plan));
            let is_known =
                |side: &Arc<dyn ExecutionPlan>| side.equivalence_properties().eq_group().iter().next().is_some();
            let children = plan.children();
            if !children.iter().zip(fills).any(|(side, fills)| fills && is_known(side)) {
                return Ok(Transformed::no(plan));
            }
            let children = children.into_iter().zip(fills).map(|(side, fills)| match fills && is_known(side) {
                true => Arc::new(Silent::new(Arc::clone(side), Forgets::All)) as _,
                false => Arc::clone(side),
            });
            let children = children.collect();
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            plan.replace_children(children, options).map(Transformed::yes)
        });
        silent.map(|silent| silent.data)
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn join_type(plan: &Arc<dyn ExecutionPlan>) -> Option<JoinType> {
    let hash = plan.downcast_ref::<HashJoinExec>().map(|join| *join.join_type());
    hash.or_else(|| plan.downcast_ref::<NestedLoopJoinExec>().map(|join| *join.join_type()))
}

/// Which of its two inputs a join fills with NULL where they have no row.
fn fills(join: Option<JoinType>) -> [bool; 2] {
    match join {
        Some(JoinType::Left) => [false, true],
        Some(JoinType::Right) => [true, false],
        Some(JoinType::Full) => [true, true],
        _ => [false, false],
    }
}
