//! `SELECT w.v AS k … ORDER BY w.k`: a column of a table beside a column of the result of the same name.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Ident, OrderByKind, Query, SelectItem, SetExpr, Visit, Visitor};

use super::select::{column_name, empty_select, name, output_names, query_of, select_from};

/// What rows are ordered by goes below where it names a column of a table by table and name, and the SELECT has another
/// column of that name: DataFusion orders the result, in which there would be two.
pub fn ordered(query: &mut Query) {
    let names_of = output_names(&query.body);
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let Some(order) = &mut query.order_by else { return };
    let OrderByKind::Expressions(by) = &mut order.kind else { return };
    if select.distinct.is_some() {
        return;
    }
    let named = |(known, item): (Option<Ident>, &SelectItem)| match item {
        SelectItem::UnnamedExpr(expr) => Some(known.unwrap_or_else(|| name(&expr.to_string()))),
        // How many columns a `*` has is not known here.
        _ => known,
    };
    let Some(shown) = names_of.into_iter().zip(&select.projection).map(named).collect::<Option<Vec<_>>>() else {
        return;
    };
    let is_another = |parts: &[Ident]| {
        let [_, .., column] = parts else { return false };
        let is_it = |item: &SelectItem| {
            matches!(item, SelectItem::ExprWithAlias { expr: Expr::CompoundIdentifier(column), .. }
                | SelectItem::UnnamedExpr(Expr::CompoundIdentifier(column)) if column == parts)
        };
        let mut of_name = select.projection.iter().zip(&shown).filter(|(_, name)| is_same(name, column));
        of_name.any(|(item, _)| !is_it(item))
    };
    if !by.iter().any(|order| names(&order.expr, &is_another)) {
        return;
    }
    // Above, there is the result alone: what is of a table goes below, whatever it is called.
    let is_of_table = |parts: &[Ident]| match parts {
        [column] => !shown.iter().any(|name| is_same(name, column)),
        _ => true,
    };
    let below: Vec<bool> = by.iter().map(|order| names(&order.expr, &is_of_table)).collect();
    let mut inner = std::mem::replace(select.as_mut(), empty_select());
    for (order, below) in by.iter_mut().zip(below) {
        if below {
            let column = Expr::Identifier(name(&column_name(inner.projection.len())));
            inner.projection.push(SelectItem::UnnamedExpr(std::mem::replace(&mut order.expr, column)));
        }
    }
    let columns = inner.projection.len();
    let items = shown
        .into_iter()
        .enumerate()
        .map(|(at, alias)| SelectItem::ExprWithAlias { expr: Expr::Identifier(name(&column_name(at))), alias });
    **select = select_from(items.collect(), query_of(SetExpr::Select(Box::new(inner))), columns);
}

fn is_same(one: &Ident, other: &Ident) -> bool {
    one.value.eq_ignore_ascii_case(&other.value)
}

/// Whether an expression has such a name in it.
fn names(expr: &Expr, is_such: &dyn Fn(&[Ident]) -> bool) -> bool {
    struct Finds<'a>(&'a dyn Fn(&[Ident]) -> bool);

    impl Visitor for Finds<'_> {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::CompoundIdentifier(parts) if self.0(parts) => ControlFlow::Break(()),
                Expr::Identifier(column) if self.0(std::slice::from_ref(column)) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }

    expr.visit(&mut Finds(is_such)).is_break()
}
