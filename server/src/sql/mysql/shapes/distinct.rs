//! `SELECT DISTINCT … ORDER BY`: what rows are ordered by is what is shown.

use std::ops::ControlFlow;

use sqlparser::ast::{Distinct, Expr, OrderByKind, Query, Select, SelectItem, SetExpr, VisitMut, VisitorMut};

use crate::sql::mysql::expr::number;

/// An expression of the ORDER BY that is one of the SELECT's is that column: DataFusion knows it by its name or its
/// position alone where rows are distinct.
pub fn distinct(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_ref() else { return };
    let Some(order) = &mut query.order_by else { return };
    let OrderByKind::Expressions(by) = &mut order.kind else { return };
    if !matches!(select.distinct, Some(Distinct::Distinct)) {
        return;
    }
    for order in by {
        let whole = select
            .projection
            .iter()
            .position(|item| matches!(item, SelectItem::UnnamedExpr(expr) if *expr == order.expr && !is_column(expr)));
        match whole {
            Some(at) => order.expr = number(&(at + 1).to_string()),
            None => {
                let _: ControlFlow<()> = order.expr.visit(&mut Names(select));
            }
        }
    }
}

/// Puts the names of columns of a SELECT in place of their expressions.
struct Names<'a>(&'a Select);

impl VisitorMut for Names<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let named = self.0.projection.iter().find_map(|item| match item {
            // A name alone is that of a column of the SELECT before it is one of a table.
            SelectItem::ExprWithAlias { expr: shown, alias } if shown == expr && !is_name(shown) => Some(alias),
            _ => None,
        });
        if let Some(alias) = named {
            *expr = Expr::Identifier(alias.clone());
        }
        ControlFlow::Continue(())
    }
}

/// Whether an expression is found as it is.
fn is_column(expr: &Expr) -> bool {
    is_name(expr) || matches!(expr, Expr::CompoundIdentifier(_))
}

fn is_name(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(_) | Expr::Value(_))
}
