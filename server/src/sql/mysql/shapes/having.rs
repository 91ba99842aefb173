//! HAVING: it knows the names of result columns, and stands where nothing is grouped.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, GroupByExpr, Ident, OrderByKind, Query, Select, SelectItem, SetExpr, Visit, VisitMut, Visitor,
    VisitorMut,
};

use super::select::{empty_select, query_of, select_from};

/// Resolves the names in the HAVING of a query's SELECT.
pub fn having(query: &mut Query) {
    having_of_rows(query);
    if let SetExpr::Select(select) = query.body.as_mut() {
        aliases(select);
    }
}

/// The name of a result column stands for it, also where a column of a table is called the same; but not if it is grouped
/// by, nor in an aggregate.
fn aliases(select: &mut Select) {
    struct Replaces<'a> {
        items: &'a [SelectItem],
        grouped: Vec<&'a Ident>,
        /// Queries and aggregates around.
        depth: usize,
    }

    impl VisitorMut for Replaces<'_> {
        type Break = ();

        fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
            self.depth += 1;
            ControlFlow::Continue(())
        }

        fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }

        fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if matches!(expr, Expr::Function(function) if is_aggregate(function)) {
                self.depth += 1;
            }
            ControlFlow::Continue(())
        }

        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if matches!(expr, Expr::Function(function) if is_aggregate(function)) {
                self.depth -= 1;
            }
            if let (Expr::Identifier(wanted), 0) = (&*expr, self.depth) {
                let is_wanted = |name: &Ident| name.value.eq_ignore_ascii_case(&wanted.value);
                let found = self.items.iter().find_map(|item| match item {
                    SelectItem::ExprWithAlias { expr, alias } if is_wanted(alias) => Some(expr.clone()),
                    _ => None,
                });
                if let (Some(found), false) = (found, self.grouped.iter().any(|name| is_wanted(name))) {
                    *expr = Expr::Nested(Box::new(found));
                }
            }
            ControlFlow::Continue(())
        }
    }

    let Select { projection, having: Some(having), group_by: GroupByExpr::Expressions(by, _), .. } = select else {
        return;
    };
    let grouped = by.iter().filter_map(|by| if let Expr::Identifier(name) = by { Some(name) } else { None }).collect();
    let _ = having.visit(&mut Replaces { items: projection, grouped, depth: 0 });
}

/// HAVING without GROUP BY and aggregates is a condition on the rows of the SELECT, whose aliases it knows.
fn having_of_rows(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(by, _) if by.is_empty());
    let aggregates = select.having.as_ref().is_none_or(has_aggregate)
        || select.projection.iter().any(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => has_aggregate(expr),
            _ => false,
        });
    if grouped || aggregates || select.distinct.is_some() {
        return;
    }
    let named = |item: &SelectItem| {
        matches!(
            item,
            SelectItem::ExprWithAlias { .. } | SelectItem::Wildcard(_) | SelectItem::UnnamedExpr(Expr::Identifier(_))
        )
    };
    if !select.projection.iter().all(named) {
        return;
    }
    let having = select.having.take();
    let inner = std::mem::replace(query.body.as_mut(), SetExpr::Select(Box::new(empty_select())));
    let mut outer = select_from(
        vec![SelectItem::Wildcard(sqlparser::ast::WildcardAdditionalOptions::default())],
        query_of(inner),
        0,
    );
    outer.selection = having;
    // What an outer query is ordered by are names of its columns, as HAVING is.
    if let Some(order) = &mut query.order_by
        && let OrderByKind::Expressions(by) = &mut order.kind
    {
        for order in by {
            if let Expr::CompoundIdentifier(parts) = &order.expr
                && let Some(last) = parts.last()
            {
                order.expr = Expr::Identifier(last.clone());
            }
        }
    }
    *query.body = SetExpr::Select(Box::new(outer));
}

/// Whether a call aggregates rows.
fn is_aggregate(function: &Function) -> bool {
    const AGGREGATES: [&str; 19] = [
        "count",
        "sum",
        "avg",
        "min",
        "max",
        "group_concat",
        "std",
        "stddev",
        "stddev_pop",
        "stddev_samp",
        "variance",
        "var_pop",
        "var_samp",
        "bit_and",
        "bit_or",
        "bit_xor",
        "json_arrayagg",
        "json_objectagg",
        "any_value",
    ];
    function.over.is_none() && AGGREGATES.contains(&function.name.to_string().to_lowercase().as_str())
}

/// Whether an expression has an aggregate in it that is of its own query.
fn has_aggregate(expr: &Expr) -> bool {
    #[derive(Default)]
    struct Finds {
        depth: usize,
    }

    impl Visitor for Finds {
        type Break = ();

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth += 1;
            ControlFlow::Continue(())
        }

        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(function) if self.depth == 0 && is_aggregate(function) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }

    expr.visit(&mut Finds::default()).is_break()
}
