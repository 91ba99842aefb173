//! Every operator whose input has to be sorted has a sorted input.
//!
//! DataFusion leaves sorts out where it takes an input for sorted, as of parts of a UNION whose constants differ, and finds
//! in its last check that it is not: the statement would be refused. Here the sort is put back.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_expr::LexOrdering;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

/// The rule. It has to come before DataFusion's last check.
#[derive(Debug)]
pub struct SortedInputs;

impl PhysicalOptimizerRule for SortedInputs {
    fn name(&self) -> &str {
        "sorted_inputs"
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let sorted = plan.transform_up(|plan| {
            let mut children = Vec::new();
            let mut is_changed = false;
            let required = plan.required_input_ordering();
            for (child, required) in plan.children().into_iter().zip(required) {
                let required = required.map(|required| required.into_single());
                let is_sorted = match &required {
                    Some(order) => child.equivalence_properties().ordering_satisfy_requirement(order.clone())?,
                    None => true,
                };
                children.push(match required {
                    Some(order) if !is_sorted => {
                        is_changed = true;
                        let several = child.output_partitioning().partition_count() > 1;
                        let sort = SortExec::new(LexOrdering::from(order), Arc::clone(child));
                        Arc::new(sort.with_preserve_partitioning(several)) as Arc<dyn ExecutionPlan>
                    }
                    _ => Arc::clone(child),
                });
            }
            if !is_changed {
                return Ok(Transformed::no(plan));
            }
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            plan.replace_children(children, options).map(Transformed::yes)
        });
        sorted.map(|sorted| sorted.data)
    }

    fn schema_check(&self) -> bool {
        true
    }
}
