//! Joins give other queries their turn.
//!
//! DataFusion lets a query yield where it scans. A join that makes a million rows of one batch scans nothing meanwhile,
//! and would hold a thread past its deadline and past KILL: here each join yields too, after every few batches that it
//! makes. One kind cannot, because it may look at a billion pairs before it makes its first batch ([`is_cooperative`]).

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;

/// The rule that makes joins yield.
#[derive(Debug)]
pub struct CooperativeJoins;

impl PhysicalOptimizerRule for CooperativeJoins {
    fn name(&self) -> &str {
        "cooperative_joins"
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let wrapped = plan.transform_up(|plan| {
            Ok(match plan.name().ends_with("JoinExec") || plan.name() == "UnnestExec" {
                true => Transformed::yes(Arc::new(CooperativeExec::new(plan)) as _),
                false => Transformed::no(plan),
            })
        });
        wrapped.map(|wrapped| wrapped.data)
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Whether every operator of a plan comes to an end or yields within moments.
pub fn is_cooperative(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.name() != "NestedLoopJoinExec" && plan.children().into_iter().all(is_cooperative)
}
