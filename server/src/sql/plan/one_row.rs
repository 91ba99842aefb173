//! An aggregate without groups below a condition says that it is one row: `LIMIT 1`.
//!
//! DataFusion moves a condition on no column below any aggregate, also below one that makes a row of no rows: `1 = 2` then
//! leaves out what is counted, and not the count (docs/decisions/0029). Nothing is moved below a limit.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{Limit, LogicalPlan, lit};

/// The plan with its aggregates so.
pub fn say(plan: LogicalPlan) -> Result<LogicalPlan> {
    below(plan, false)
}

/// `is_conditional` if there is a condition above.
fn below(plan: LogicalPlan, is_conditional: bool) -> Result<LogicalPlan> {
    let is_one_row = matches!(&plan, LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty());
    let adds_condition = matches!(plan, LogicalPlan::Filter(_) | LogicalPlan::Join(_));
    let plan = plan.map_children(|child| below(child, is_conditional || adds_condition).map(Transformed::yes))?.data;
    Ok(match is_one_row && is_conditional {
        true => LogicalPlan::Limit(Limit { skip: None, fetch: Some(Box::new(lit(1_i64))), input: Arc::new(plan) }),
        false => plan,
    })
}
