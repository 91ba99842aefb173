//! Shapes of queries that DataFusion does not have, as ones that it has: `x > ALL (SELECT …)`, `(a, b) IN (SELECT …)`,
//! `EXCEPT ALL`, `GROUP BY 1 WITH ROLLUP`.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArguments, GroupByExpr, GroupByWithModifier, Ident, OrderByKind, Query,
    Select, SelectItem, SetExpr, SetOperator, SetQuantifier, TableAlias, TableAliasColumnDef, TableFactor,
    TableWithJoins, Value, ValueWithSpan, WindowSpec, WindowType,
};

use super::expr::{call, null, operate, operator};
use super::operator::{Binary, Operator};
use crate::sql::Error;

/// The table that a subquery becomes.
const QUERY: &str = "#query";

/// A name in backticks, that nobody can have typed.
fn name(text: &str) -> Ident {
    Ident::with_quote('`', text)
}

fn column_name(position: usize) -> String {
    format!("#{}", position + 1)
}

/// A SELECT of these items from a query, whose columns are `#1`, `#2`, ….
fn select_from(items: Vec<SelectItem>, mut query: Query, columns: usize) -> Select {
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

fn empty_select() -> Select {
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
fn query_of(body: SetExpr) -> Query {
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

/// How a value is compared with all rows of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// One of them is enough.
    Any,
    /// It has to be so for each.
    All,
}

/// `value op ANY (query)`, or of ALL: a query for one truth value, NULL where it is not known.
pub fn quantified(value: Expr, op: &BinaryOperator, quantifier: Quantifier, query: Query) -> Result<Expr, Error> {
    let values = match value {
        Expr::Tuple(values) => values,
        Expr::Nested(inner) => vec![*inner],
        other => vec![other],
    };
    if values.iter().any(has_query) {
        return Err(Error::Invalid(
            "a subquery is compared with the rows of another one; put one of them into a derived table".into(),
        ));
    }
    let column = |position: usize| Expr::CompoundIdentifier(vec![name(QUERY), name(&column_name(position))]);
    let columns: Vec<Expr> = (0..values.len()).map(column).collect();
    let count = values.len();
    let holds = super::binary::compared(values, op, columns)?;
    let all = || call_star("count");
    let known = || call("count", vec![holds.clone()]);
    // In MAX and MIN, what is not known does not count.
    let (decisive, test) = match quantifier {
        Quantifier::Any => (true, call("max", vec![holds.clone()])),
        Quantifier::All => (false, call("min", vec![holds.clone()])),
    };
    let decided = if decisive { test } else { operator(Operator::Not, vec![test]) };
    let truth = |truth: bool| Expr::Value(Value::Boolean(truth).into());
    let answer = operator(
        Operator::Case,
        vec![decided, truth(decisive), operate(known(), Binary::Less, all()), null(), truth(!decisive)],
    );
    let select = select_from(vec![SelectItem::UnnamedExpr(answer)], query, count);
    Ok(Expr::Subquery(Box::new(query_of(SetExpr::Select(Box::new(select))))))
}

fn has_query(expr: &Expr) -> bool {
    use sqlparser::ast::{Visit, Visitor};
    use std::ops::ControlFlow;

    struct Finds;

    impl Visitor for Finds {
        type Break = ();

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }

    expr.visit(&mut Finds).is_break()
}

/// `COUNT(*)` and its like.
fn call_star(function: &str) -> Expr {
    let mut made = call(function, Vec::new());
    if let Expr::Function(Function { args: FunctionArguments::List(list), .. }) = &mut made {
        list.args.push(sqlparser::ast::FunctionArg::Unnamed(sqlparser::ast::FunctionArgExpr::Wildcard));
    }
    made
}

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

/// The names of a body's columns, as far as they are plain.
fn output_names(body: &SetExpr) -> Vec<Option<Ident>> {
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

/// `GROUP BY … WITH ROLLUP`: positions and aliases are what they stand for, and nothing stands twice.
pub fn rollup(select: &mut Select) -> Result<(), Error> {
    let Select { group_by, projection, having, .. } = select;
    let GroupByExpr::Expressions(expressions, modifiers) = group_by else { return Ok(()) };
    if modifiers.as_slice() != [GroupByWithModifier::Rollup] {
        return Ok(());
    }
    let mut levels: Vec<Expr> = Vec::new();
    for level in std::mem::take(expressions) {
        let level = stands_for(level, projection);
        if matches!(level, Expr::Value(_)) {
            return Err(Error::Invalid(format!("GROUP BY {level} WITH ROLLUP groups by one value; leave it out")));
        }
        if levels.contains(&level) {
            return Err(Error::Invalid(format!("GROUP BY … WITH ROLLUP groups by {level} twice; leave one out")));
        }
        levels.push(level);
    }
    // Of no rows there is no total, as in MySQL.
    let some = operate(call_star("count"), Binary::Greater, super::expr::number("0"));
    let some = super::expr::condition(some);
    *having = Some(match having.take() {
        Some(condition) => super::expr::joined(condition, Operator::And, some),
        None => some,
    });
    *expressions = vec![Expr::Rollup(levels.into_iter().map(|level| vec![level]).collect())];
    modifiers.clear();
    Ok(())
}

fn stands_for(level: Expr, projection: &[SelectItem]) -> Expr {
    let of = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr.clone()),
        _ => None,
    };
    let found = match &level {
        Expr::Value(ValueWithSpan { value: Value::Number(digits, _), .. }) => {
            let position = digits.parse::<usize>().ok().and_then(|position| position.checked_sub(1));
            position.and_then(|position| projection.get(position)).and_then(of)
        }
        Expr::Identifier(wanted) => projection.iter().find_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } if alias.value.eq_ignore_ascii_case(&wanted.value) => {
                Some(expr.clone())
            }
            _ => None,
        }),
        _ => None,
    };
    found.unwrap_or(level)
}

/// HAVING without GROUP BY and aggregates is a condition on the rows of the SELECT, whose aliases it knows.
pub fn having_of_rows(query: &mut Query) {
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

/// Whether an expression has an aggregate in it that is of its own query.
fn has_aggregate(expr: &Expr) -> bool {
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
    use sqlparser::ast::{Visit, Visitor};
    use std::ops::ControlFlow;

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
                Expr::Function(function)
                    if self.depth == 0
                        && function.over.is_none()
                        && AGGREGATES.contains(&function.name.to_string().to_lowercase().as_str()) =>
                {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }

    expr.visit(&mut Finds::default()).is_break()
}

/// What a SELECT inside another one makes is called as it was typed, as in MySQL: `a + 1` can be asked for in backticks.
pub fn name_as_typed(query: &mut Query) {
    let mut body = query.body.as_mut();
    let select = loop {
        match body {
            SetExpr::Select(select) => break select,
            SetExpr::SetOperation { left, .. } => body = left,
            SetExpr::Query(query) => body = query.body.as_mut(),
            _ => return,
        }
    };
    let mut taken: Vec<String> =
        output_names(&SetExpr::Select(select.clone())).into_iter().flatten().map(|name| name.value).collect();
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) = item
            && !matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
        {
            let mut typed = expr.to_string().to_lowercase();
            while taken.contains(&typed) {
                typed.push('\'');
            }
            taken.push(typed.clone());
            let expr = std::mem::replace(expr, null());
            *item = SelectItem::ExprWithAlias { expr, alias: name(&typed) };
        }
    }
}
