//! What a window aggregates is not known to rise or fall.
//!
//! DataFusion says of `MIN(x) OVER (ORDER BY y)` that it falls from row to row, also where it is NULL up to the first `x`, and
//! leaves out the sort that this would serve (docs/decisions/0033). Such values come by a function that gives back what it
//! gets, through which nothing is known of them.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Expr, LogicalPlan, WindowFunctionDefinition};

use super::whole_keys::as_they_are;

/// The plan without such claims.
pub fn forget(plan: LogicalPlan) -> Result<LogicalPlan> {
    let forgotten = plan.transform_up_with_subqueries(|plan| match plan {
        LogicalPlan::Window(window) if window.window_expr.iter().any(is_aggregate) => {
            // Behind the columns that it passes on, its own.
            let own = window.schema.columns().into_iter().skip(window.input.schema().fields().len()).collect();
            as_they_are(&own, &Arc::new(LogicalPlan::Window(window))).map(Transformed::yes)
        }
        other => Ok(Transformed::no(other)),
    });
    forgotten.map(|forgotten| forgotten.data)
}

fn is_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_aggregate(&alias.expr),
        Expr::WindowFunction(window) => matches!(window.fun, WindowFunctionDefinition::AggregateUDF(_)),
        _ => false,
    }
}
