//! `EXCEPT ALL` and `INTERSECT ALL`.

use sqlparser::ast::{Expr, SelectItem, SetExpr, SetOperator, SetQuantifier, WindowSpec, WindowType};

use super::select::{QUERY, column_name, empty_select, name, output_names, query_of, select_from};
use crate::sql::Error;
use crate::sql::mysql::expr::call;

/// How many columns a body has, if it says so.
fn width(body: &SetExpr) -> Option<usize> {
    match body {
        SetExpr::Select(select) => {
            let plain =
                |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. });
            select.projection.iter().all(plain).then_some(select.projection.len())
        }
        SetExpr::Query(query) => width(&query.body),
        SetExpr::SetOperation { left, .. } => width(left),
        SetExpr::Values(values) => values.rows.first().map(|row| row.content.len()),
        _ => None,
    }
}

/// `EXCEPT ALL` and `INTERSECT ALL`: which of several equal rows it is counts, too.
pub fn numbered_set_operation(body: &mut SetExpr) -> Result<(), Error> {
    let SetExpr::SetOperation { op: op @ (SetOperator::Except | SetOperator::Intersect), set_quantifier, left, right } =
        body
    else {
        return Ok(());
    };
    if *set_quantifier != SetQuantifier::All {
        return Ok(());
    }
    let Some(columns) = width(left) else {
        return Err(Error::Invalid(format!("{op} ALL takes columns by their names, not *")));
    };
    let names = output_names(left);
    let op = *op;
    let take = |part: &mut Box<SetExpr>| std::mem::replace(part.as_mut(), SetExpr::Select(Box::new(empty_select())));
    let part = |part: SetExpr| {
        let column = |position: usize| Expr::CompoundIdentifier(vec![name(QUERY), name(&column_name(position))]);
        let mut number = call("row_number", Vec::new());
        if let Expr::Function(function) = &mut number {
            let partition_by = (0..columns).map(column).collect();
            let window = WindowSpec { window_name: None, partition_by, order_by: Vec::new(), window_frame: None };
            function.over = Some(WindowType::WindowSpec(window));
        }
        let mut items: Vec<SelectItem> = (0..columns)
            .map(|at| SelectItem::ExprWithAlias { expr: column(at), alias: name(&column_name(at)) })
            .collect();
        items.push(SelectItem::ExprWithAlias { expr: number, alias: name("#number") });
        Box::new(SetExpr::Select(Box::new(select_from(items, query_of(part), columns))))
    };
    let numbered = SetExpr::SetOperation {
        op,
        set_quantifier: SetQuantifier::None,
        left: part(take(left)),
        right: part(take(right)),
    };
    let column = |position: usize| Expr::CompoundIdentifier(vec![name(QUERY), name(&column_name(position))]);
    let item = |position: usize| match names.get(position).cloned().flatten() {
        Some(alias) => SelectItem::ExprWithAlias { expr: column(position), alias },
        None => SelectItem::UnnamedExpr(column(position)),
    };
    let items = (0..columns).map(item).collect();
    let select = select_from(items, query_of(numbered), columns + 1);
    *body = SetExpr::Select(Box::new(select));
    Ok(())
}
