//! What has each value once in the result of an aggregate is not known above it.
//!
//! DataFusion takes the columns that an aggregate groups by for unique, and keeps their positions when a projection moves
//! them: of `SELECT c, k` over groups by `k` it says that `c` has each value once, and leaves out what rows are sorted by behind `c`
//! (docs/decisions/0033).

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use super::silent::{Forgets, Silent};

/// The rule. It has to come before all that knows of orders.
#[derive(Debug)]
pub struct MovedConstraints;

impl PhysicalOptimizerRule for MovedConstraints {
    fn name(&self) -> &str {
        "moved_constraints"
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        // One order is there, and another one is asked for: with less, no sort can be left out.
        const ORDERS_MIN: usize = 2;
        let mut orders = 0;
        plan.apply(|plan| {
            orders += usize::from(is_about_order(plan));
            Ok(TreeNodeRecursion::Continue)
        })?;
        if orders < ORDERS_MIN {
            return Ok(plan);
        }
        let silent = plan.transform_up(|plan| {
            let has_constraints = plan.downcast_ref::<AggregateExec>().is_some()
                && plan.equivalence_properties().constraints().iter().next().is_some();
            match has_constraints {
                true => Ok(Transformed::yes(Arc::new(Silent::new(plan, Forgets::Constraints)) as _)),
                false => Ok(Transformed::no(plan)),
            }
        });
        silent.map(|silent| silent.data)
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn is_about_order(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.downcast_ref::<SortExec>().is_some()
        || plan.downcast_ref::<BoundedWindowAggExec>().is_some()
        || plan.downcast_ref::<WindowAggExec>().is_some()
}
