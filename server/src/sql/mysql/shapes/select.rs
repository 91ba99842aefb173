//! Queries that are made: SELECTs from a derived table whose columns have names that nobody can have typed.

use sqlparser::ast::{
    Expr, Function, FunctionArguments, GroupByExpr, Ident, Query, Select, SelectItem, SetExpr, TableAlias,
    TableAliasColumnDef, TableFactor, TableWithJoins,
};

use crate::sql::mysql::expr::{call, null};

/// The table that a subquery becomes.
pub const QUERY: &str = "#query";

/// A name in backticks, that nobody can have typed.
pub fn name(text: &str) -> Ident {
    Ident::with_quote('`', text)
}

pub fn column_name(position: usize) -> String {
    format!("#{}", position + 1)
}

/// A SELECT of these items from a query, whose columns are `#1`, `#2`, ….
pub fn select_from(items: Vec<SelectItem>, mut query: Query, columns: usize) -> Select {
    if columns > 0 {
        name_items(&mut query.body);
    }
    let column = |position: usize| TableAliasColumnDef { name: name(&column_name(position)), data_type: None };
    let alias = TableAlias { explicit: true, name: name(QUERY), columns: (0..columns).map(column).collect(), at: None };
    let relation = TableFactor::Derived { lateral: false, subquery: Box::new(query), alias: Some(alias), sample: None };
    let mut select = empty_select();
    select.projection = items;
    select.from = vec![TableWithJoins { relation, joins: Vec::new() }];
    select
}

/// Each column has a name of its own, for a derived table has no two of one name.
fn name_items(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            for (position, item) in select.projection.iter_mut().enumerate() {
                if let SelectItem::UnnamedExpr(expr) = item {
                    let expr = std::mem::replace(expr, null());
                    *item = SelectItem::ExprWithAlias { expr, alias: name(&format!("#item_{position}")) };
                }
            }
        }
        SetExpr::SetOperation { left, right, .. } => {
            name_items(left);
            name_items(right);
        }
        SetExpr::Query(query) => name_items(&mut query.body),
        _ => {}
    }
}

pub fn empty_select() -> Select {
    Select {
        select_token: sqlparser::ast::helpers::attached_token::AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection: Vec::new(),
        exclude: None,
        into: None,
        from: Vec::new(),
        lateral_views: Vec::new(),
        prewhere: None,
        selection: None,
        connect_by: Vec::new(),
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: sqlparser::ast::SelectFlavor::Standard,
    }
}

/// A query that is nothing but this body.
pub fn query_of(body: SetExpr) -> Query {
    Query {
        with: None,
        body: Box::new(body),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

/// `COUNT(*)` and its like.
pub fn call_star(function: &str) -> Expr {
    let mut made = call(function, Vec::new());
    if let Expr::Function(Function { args: FunctionArguments::List(list), .. }) = &mut made {
        list.args.push(sqlparser::ast::FunctionArg::Unnamed(sqlparser::ast::FunctionArgExpr::Wildcard));
    }
    made
}

/// The names of a body's columns, as far as they are plain.
pub fn output_names(body: &SetExpr) -> Vec<Option<Ident>> {
    match body {
        SetExpr::Select(select) => select
            .projection
            .iter()
            .map(|item| match item {
                SelectItem::ExprWithAlias { alias, .. } => Some(alias.clone()),
                SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.clone()),
                SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().cloned(),
                _ => None,
            })
            .collect(),
        SetExpr::Query(query) => output_names(&query.body),
        SetExpr::SetOperation { left, .. } => output_names(left),
        _ => Vec::new(),
    }
}
