//! An operator that hands rows on, and of what is known of them less.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Constraints, Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};

/// What is not known any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgets {
    /// Anything.
    All,
    /// Which columns have each value once.
    Constraints,
}

/// The rows of its input.
#[derive(Debug)]
pub struct Silent {
    input: Arc<dyn ExecutionPlan>,
    forgets: Forgets,
    properties: Arc<PlanProperties>,
}

impl Silent {
    /// The rows of that input, with less known of them.
    pub fn new(input: Arc<dyn ExecutionPlan>, forgets: Forgets) -> Self {
        let known = match forgets {
            Forgets::All => EquivalenceProperties::new(input.schema()),
            Forgets::Constraints => input.equivalence_properties().clone().with_constraints(Constraints::default()),
        };
        let properties = Arc::new(PlanProperties::clone(input.properties()).with_eq_properties(known));
        Self { input, forgets, properties }
    }
}

impl DisplayAs for Silent {
    fn fmt_as(&self, _: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SilentExec")
    }
}

impl ExecutionPlan for Silent {
    fn name(&self) -> &'static str {
        "SilentExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![self.forgets == Forgets::Constraints]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match <[_; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(Self::new(input, self.forgets))),
            Err(children) => internal_err!("{} inputs where there is one", children.len()),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, tasks: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, tasks)
    }
}
