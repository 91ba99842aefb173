//! Conditions that rows are sorted by, in windows and at the end, are columns of what is sorted.
//!
//! DataFusion asks an expression for the range of its values when it looks whether rows are sorted by it. A comparison with
//! something whose range has no type, a function's or a CASE's, fails there; such rows are then never sorted enough, and the
//! plan is refused in its last check (docs/decisions/0031). A column is compared with nothing.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection, Sort, Window};

/// The plan with columns in place of conditions that something is sorted by.
pub fn name(plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut made = 0;
    let named = plan.transform_up_with_subqueries(|plan| match plan {
        LogicalPlan::Window(Window { input, window_expr, .. }) => {
            let mut keys = Keys { named: Vec::new(), made: &mut made };
            let exprs = window_expr.into_iter().map(|expr| keys.of_window(expr)).collect::<Result<Vec<_>>>()?;
            let input = keys.beside(input)?;
            Ok(Transformed::yes(LogicalPlan::Window(Window::try_new(exprs, input)?)))
        }
        LogicalPlan::Sort(Sort { expr, input, fetch }) => {
            let mut keys = Keys { named: Vec::new(), made: &mut made };
            let sorted = expr.into_iter().map(|mut sort| {
                sort.expr = keys.named(sort.expr)?;
                Ok(sort)
            });
            let sorted = sorted.collect::<Result<Vec<_>>>()?;
            let shown: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
            let has_keys = !keys.named.is_empty();
            let sort = LogicalPlan::Sort(Sort { expr: sorted, input: keys.beside(input)?, fetch });
            Ok(match has_keys {
                true => Transformed::yes(LogicalPlan::Projection(Projection::try_new(shown, Arc::new(sort))?)),
                false => Transformed::no(sort),
            })
        }
        other => Ok(Transformed::no(other)),
    });
    named.map(|named| named.data)
}

/// The conditions of one operator, and their columns.
struct Keys<'a> {
    named: Vec<(Expr, String)>,
    /// How many columns were made for the whole plan: each has a name of its own.
    made: &'a mut usize,
}

impl Keys<'_> {
    fn of_window(&mut self, expr: Expr) -> Result<Expr> {
        let was = expr.schema_name().to_string();
        let replaced = |expr: Expr| {
            let Expr::WindowFunction(window) = expr else { return Ok(Transformed::no(expr)) };
            let WindowFunction { fun, mut params } = *window;
            params.partition_by = params.partition_by.into_iter().map(|key| self.named(key)).collect::<Result<_>>()?;
            for sort in &mut params.order_by {
                sort.expr = self.named(sort.expr.clone())?;
            }
            Ok(Transformed::yes(Expr::WindowFunction(Box::new(WindowFunction { fun, params }))))
        };
        let replaced = expr.transform_up(replaced)?.data;
        let is_named = replaced.schema_name().to_string() == was;
        // What is above asks for it by the name that it had.
        Ok(if is_named { replaced } else { replaced.alias(was) })
    }

    /// The column in place of a key, if it has a condition in it.
    fn named(&mut self, key: Expr) -> Result<Expr> {
        if !key.exists(|part| Ok(matches!(part, Expr::BinaryExpr(_) | Expr::Not(_) | Expr::Between(_))))? {
            return Ok(key);
        }
        if let Some((_, name)) = self.named.iter().find(|(known, _)| *known == key) {
            return Ok(Expr::Column(Column::from_name(name)));
        }
        let name = format!("#key_{}", self.made);
        *self.made += 1;
        self.named.push((key, name.clone()));
        Ok(Expr::Column(Column::from_name(name)))
    }

    /// The rows with these columns beside theirs.
    fn beside(self, input: Arc<LogicalPlan>) -> Result<Arc<LogicalPlan>> {
        if self.named.is_empty() {
            return Ok(input);
        }
        let columns = input.schema().columns().into_iter().map(Expr::Column);
        let keys = self.named.into_iter().map(|(key, name)| key.alias(name));
        Projection::try_new(columns.chain(keys).collect(), input)
            .map(|beside| Arc::new(LogicalPlan::Projection(beside)))
    }
}
