//! A sort of parts that are merged sorts by the whole order of the merge.
//!
//! DataFusion leaves out of a sort what is one value within each part, as `'a' o` is in a part of a UNION ALL, and that is
//! right: the merge orders the parts. But where only the first rows are wanted, the parts also share the last value that any
//! of them still has a place for, and by an order without `o` one part then loses rows to another one
//! (docs/decisions/0025). With the whole order, what they share is what they are compared by.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;

/// The rule.
#[derive(Debug)]
pub struct WholeOrder;

impl PhysicalOptimizerRule for WholeOrder {
    fn name(&self) -> &str {
        "whole_order"
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let sorted = plan.transform_up(|plan| {
            let Some(merge) = plan.downcast_ref::<SortPreservingMergeExec>() else { return Ok(Transformed::no(plan)) };
            let Some(sort) = merge.input().downcast_ref::<SortExec>() else { return Ok(Transformed::no(plan)) };
            if sort.fetch().is_none() || sort.expr() == merge.expr() {
                return Ok(Transformed::no(plan));
            }
            let whole = SortExec::new(merge.expr().clone(), Arc::clone(sort.input()))
                .with_fetch(sort.fetch())
                .with_preserve_partitioning(sort.preserve_partitioning());
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            plan.replace_children(vec![Arc::new(whole)], options).map(Transformed::yes)
        });
        sorted.map(|sorted| sorted.data)
    }

    fn schema_check(&self) -> bool {
        true
    }
}
