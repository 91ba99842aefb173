//! What a window aggregates is not known to rise or fall.
//!
//! DataFusion says of `MIN(x) OVER (ORDER BY y)` that it falls from row to row, also where it is NULL up to the first `x`, and
//! leaves out the sort that this would serve (docs/decisions/0033). Such values come by a function that gives back what it
//! gets, through which nothing is known of them.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection, ScalarUDF, Window, WindowFunctionDefinition};

use super::whole_keys;

/// The plan without such claims.
pub fn forget(plan: LogicalPlan) -> Result<LogicalPlan> {
    let as_it_is = whole_keys::as_it_is();
    let forgotten = plan.transform_up_with_subqueries(|plan| match plan {
        LogicalPlan::Window(window) if window.window_expr.iter().any(is_running_aggregate) => {
            let known = window.input.schema().fields().len();
            columns_from(&as_it_is, known, window).map(Transformed::yes)
        }
        other => Ok(Transformed::no(other)),
    });
    forgotten.map(|forgotten| forgotten.data)
}

fn is_running_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_running_aggregate(&alias.expr),
        Expr::WindowFunction(window) => matches!(window.fun, WindowFunctionDefinition::AggregateUDF(_)),
        _ => false,
    }
}

/// The rows of a window, its own columns opaque: those behind the ones that it passes on.
fn columns_from(as_it_is: &Arc<ScalarUDF>, known: usize, window: Window) -> Result<LogicalPlan> {
    let plan = LogicalPlan::Window(window);
    let column = |(at, column): (usize, datafusion::common::Column)| {
        let (relation, name) = (column.relation.clone(), column.name.clone());
        let column = Expr::Column(column);
        if at < known {
            return column;
        }
        Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(as_it_is), vec![column]))
            .alias_qualified(relation, name)
    };
    let columns = plan.schema().columns().into_iter().enumerate().map(column).collect();
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan))?))
}
