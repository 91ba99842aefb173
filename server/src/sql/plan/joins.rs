//! NATURAL JOIN and USING, once the tables are known: which columns are joined, which of the two a name stands for, and what
//! `*` is. Columns that the catalog adds to every table (provenance) join nothing and are in no such `*`.

use std::collections::HashMap;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, GroupByExpr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, OrderByKind, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, Statement as Ast, TableAlias, TableFactor, TableWithJoins, VisitMut,
    VisitorMut,
};

use super::group_names;
use crate::sql::Error;
use crate::sql::mysql::expr;
use crate::sql::mysql::operator::{Binary, Operator};

/// A column of what is joined.
#[derive(Debug, Clone)]
struct Named {
    name: String,
    /// What it stands for.
    expr: Expr,
    is_provenance: bool,
}

/// The columns of a table, and which of them the catalog adds; none if there is no such table.
pub type ColumnsOf<'a> = dyn Fn(&ObjectName) -> Option<Vec<(String, bool)>> + 'a;

/// Columns by the name of a common table expression.
type Known = HashMap<String, Vec<(String, bool)>>;

/// Resolves NATURAL and USING.
pub fn resolve(statement: &mut Ast, columns_of: &ColumnsOf<'_>) -> Result<(), Error> {
    let query = match statement {
        Ast::Query(query) => query,
        Ast::Explain { statement, .. } => return resolve(statement, columns_of),
        _ => return Ok(()),
    };
    Resolver { columns_of, known: Known::new() }.query(query)
}

struct Resolver<'a> {
    columns_of: &'a ColumnsOf<'a>,
    known: Known,
}

/// A name as it is compared.
pub(super) fn lower(name: &Ident) -> String {
    name.value.to_lowercase()
}

fn column(qualifier: Option<&Ident>, name: &str) -> Expr {
    let name = Ident::with_quote('`', name);
    match qualifier {
        Some(qualifier) => Expr::CompoundIdentifier(vec![qualifier.clone(), name]),
        None => Expr::Identifier(name),
    }
}

impl Resolver<'_> {
    fn query(&mut self, query: &mut Query) -> Result<(), Error> {
        let around = self.known.clone();
        for cte in query.with.iter_mut().flat_map(|with| &mut with.cte_tables) {
            self.query(&mut cte.query)?;
            let columns = renamed(self.output(&cte.query), Some(&cte.alias));
            self.known.insert(lower(&cte.alias.name), columns);
        }
        let using = self.body(&mut query.body)?;
        if let Some(order) = &mut query.order_by
            && let OrderByKind::Expressions(by) = &mut order.kind
        {
            let taken = aliases(&query.body);
            for order in by {
                let is_alias = matches!(&order.expr, Expr::Identifier(name) if taken.contains(&lower(name)));
                if !is_alias {
                    self.replace(&mut order.expr, &using);
                }
            }
        }
        self.known = around;
        Ok(())
    }

    fn body(&mut self, body: &mut SetExpr) -> Result<Vec<Named>, Error> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query).map(|()| Vec::new()),
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left)?;
                self.body(right)?;
                Ok(Vec::new())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Resolves a SELECT; gives the columns that two tables share.
    fn select(&mut self, select: &mut Select) -> Result<Vec<Named>, Error> {
        let joins = |table: &mut TableWithJoins| table.joins.iter_mut().any(|join| shares(&mut join.join_operator));
        let is_shared = select.from.iter_mut().any(joins);
        let (mut all, mut shared) = (Vec::new(), Vec::new());
        for table in &mut select.from {
            let (columns, of_table) = self.table(table)?;
            all.extend(columns);
            shared.extend(of_table);
        }
        self.subqueries(select)?;
        group_names::resolve(select, &|name| all.iter().filter(|column| column.name == name).count())?;
        if !is_shared {
            return Ok(Vec::new());
        }
        let mut items = Vec::with_capacity(select.projection.len());
        for item in std::mem::take(&mut select.projection) {
            match item {
                SelectItem::Wildcard(_) => {
                    let visible = all.iter().filter(|column| !column.is_provenance);
                    items.extend(visible.map(|column| SelectItem::ExprWithAlias {
                        expr: column.expr.clone(),
                        alias: Ident::with_quote('`', &column.name),
                    }));
                }
                SelectItem::UnnamedExpr(mut expr) => {
                    let alias = match &expr {
                        Expr::Identifier(name) => Some(name.clone()),
                        _ => None,
                    };
                    self.replace(&mut expr, &shared);
                    items.push(match alias {
                        Some(alias) => SelectItem::ExprWithAlias { expr, alias },
                        None => SelectItem::UnnamedExpr(expr),
                    });
                }
                SelectItem::ExprWithAlias { mut expr, alias } => {
                    self.replace(&mut expr, &shared);
                    items.push(SelectItem::ExprWithAlias { expr, alias });
                }
                other => items.push(other),
            }
        }
        select.projection = items;
        for part in [&mut select.selection, &mut select.having].into_iter().flatten() {
            self.replace(part, &shared);
        }
        if let GroupByExpr::Expressions(by, _) = &mut select.group_by {
            by.iter_mut().for_each(|by| self.replace(by, &shared));
        }
        Ok(shared)
    }

    /// Resolves the subqueries in a SELECT's expressions, each by itself.
    fn subqueries(&mut self, select: &mut Select) -> Result<(), Error> {
        struct Each<'a, 'b>(&'a mut Resolver<'b>, usize);

        impl VisitorMut for Each<'_, '_> {
            type Break = Error;

            fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
                self.1 += 1;
                match if self.1 == 1 { self.0.query(query) } else { Ok(()) } {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => ControlFlow::Break(error),
                }
            }

            fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<Error> {
                self.1 -= 1;
                ControlFlow::Continue(())
            }
        }

        let from = std::mem::take(&mut select.from);
        let visited = select.visit(&mut Each(self, 0));
        select.from = from;
        match visited {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error),
        }
    }

    /// The columns of joined tables, in MySQL's order, and those of them that are shared.
    fn table(&mut self, table: &mut TableWithJoins) -> Result<(Vec<Named>, Vec<Named>), Error> {
        let (mut columns, mut shared) = self.factor(&mut table.relation)?;
        for join in &mut table.joins {
            let (right, of_right) = self.factor(&mut join.relation)?;
            shared.extend(of_right);
            let common = common(join, &columns, &right)?;
            let Some(common) = common else {
                columns.extend(right);
                continue;
            };
            let mut conditions = Vec::new();
            let mut first = Vec::new();
            let side = side(&join.join_operator);
            for name in &common {
                let find = |columns: &[Named]| columns.iter().find(|column| column.name == *name).cloned();
                let (Some(left), Some(right)) = (find(&columns), find(&right)) else {
                    return Err(Error::Invalid(format!("the column {name} of USING is not in both tables")));
                };
                let equal = expr::operate(Expr::Nested(Box::new(left.expr.clone())), Binary::Equal, right.expr.clone());
                conditions.push(equal);
                let stands_for = match side {
                    Side::Left => left.expr,
                    Side::Right => right.expr,
                    Side::Both => expr::operator(Operator::Coalesce, vec![left.expr, right.expr]),
                };
                first.push(Named { name: name.clone(), expr: stands_for, is_provenance: left.is_provenance });
            }
            let rest = |columns: Vec<Named>| columns.into_iter().filter(|column| !common.contains(&column.name));
            shared.retain(|known: &Named| !common.contains(&known.name));
            shared.extend(first.clone());
            columns = first.into_iter().chain(rest(columns)).chain(rest(right)).collect();
            let condition = match conditions.len() {
                0 => Expr::Value(sqlparser::ast::Value::Boolean(true).into()),
                1 => conditions.remove(0),
                _ => expr::operator(Operator::And, conditions),
            };
            if let Some(constraint) = expr::constraint(&mut join.join_operator) {
                *constraint = JoinConstraint::On(expr::condition(condition));
            }
        }
        Ok((columns, shared))
    }

    fn factor(&mut self, factor: &mut TableFactor) -> Result<(Vec<Named>, Vec<Named>), Error> {
        let named = |columns: Vec<(String, bool)>, qualifier: Option<&Ident>| {
            let named = |(name, is_provenance): (String, bool)| {
                let expr = column(qualifier, &name);
                Named { name, expr, is_provenance }
            };
            columns.into_iter().map(named).collect()
        };
        Ok(match factor {
            TableFactor::Table { name, alias, .. } => {
                let last = name.0.last().and_then(|part| part.as_ident()).cloned();
                let known = match name.0.len() {
                    1 => last.as_ref().and_then(|last| self.known.get(&lower(last)).cloned()),
                    _ => None,
                };
                let columns = known.or_else(|| (self.columns_of)(name)).unwrap_or_default();
                let columns = renamed(columns, alias.as_ref());
                (named(columns, alias.as_ref().map(|alias| &alias.name).or(last.as_ref())), Vec::new())
            }
            TableFactor::Derived { subquery, alias, .. } => {
                self.query(subquery)?;
                let columns = renamed(self.output(subquery), alias.as_ref());
                (named(columns, alias.as_ref().map(|alias| &alias.name)), Vec::new())
            }
            TableFactor::NestedJoin { table_with_joins, .. } => self.table(table_with_joins)?,
            _ => (Vec::new(), Vec::new()),
        })
    }

    /// The columns of a query's result.
    fn output(&self, query: &Query) -> Vec<(String, bool)> {
        let mut body = query.body.as_ref();
        let select = loop {
            match body {
                SetExpr::Select(select) => break select,
                SetExpr::SetOperation { left, .. } => body = left,
                SetExpr::Query(query) => body = &query.body,
                _ => return Vec::new(),
            }
        };
        let mut around = Resolver { columns_of: self.columns_of, known: self.known.clone() };
        let mut from: Vec<(Option<String>, Vec<Named>)> = Vec::new();
        for table in &select.from {
            for factor in std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation)) {
                let columns = around.factor(&mut factor.clone()).map(|(columns, _)| columns).unwrap_or_default();
                from.push((alias_of(factor), columns));
            }
        }
        let plain = |column: &Named| (column.name.clone(), column.is_provenance);
        let mut output = Vec::new();
        for item in &select.projection {
            match item {
                SelectItem::ExprWithAlias { alias, .. } => output.push((lower(alias), false)),
                SelectItem::UnnamedExpr(Expr::Identifier(name)) => output.push((lower(name), false)),
                SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => {
                    output.extend(parts.last().map(|name| (lower(name), false)));
                }
                SelectItem::Wildcard(_) => output.extend(from.iter().flat_map(|(_, columns)| columns).map(plain)),
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                    let wanted = name.0.last().and_then(|part| part.as_ident()).map(lower);
                    let of = from.iter().filter(|(alias, _)| *alias == wanted);
                    output.extend(of.flat_map(|(_, columns)| columns).map(plain));
                }
                other => output.push((other.to_string(), false)),
            }
        }
        output
    }

    /// Puts what shared columns stand for in the place of their names; in subqueries, too, where no table of theirs has it.
    fn replace(&self, expr: &mut Expr, shared: &[Named]) {
        struct Replace<'a, 'b> {
            resolver: &'a Resolver<'b>,
            shared: &'a [Named],
            /// Names that the tables of the queries inside have.
            inside: Vec<Vec<String>>,
        }

        impl VisitorMut for Replace<'_, '_> {
            type Break = ();

            fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
                let mut names = Vec::new();
                if let SetExpr::Select(select) = query.body.as_ref() {
                    let mut resolver =
                        Resolver { columns_of: self.resolver.columns_of, known: self.resolver.known.clone() };
                    for table in &select.from {
                        for factor in
                            std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
                        {
                            let columns = resolver.factor(&mut factor.clone()).map(|(columns, _)| columns);
                            names.extend(columns.unwrap_or_default().into_iter().map(|column| column.name));
                        }
                    }
                }
                self.inside.push(names);
                ControlFlow::Continue(())
            }

            fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
                self.inside.pop();
                ControlFlow::Continue(())
            }

            fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
                if let Expr::Identifier(name) = expr {
                    let name = lower(name);
                    let hidden = self.inside.iter().any(|names| names.contains(&name));
                    if let Some(column) = self.shared.iter().find(|column| column.name == name && !hidden) {
                        *expr = column.expr.clone();
                    }
                }
                ControlFlow::Continue(())
            }
        }

        if !shared.is_empty() {
            let _ = expr.visit(&mut Replace { resolver: self, shared, inside: Vec::new() });
        }
    }
}

/// What a table or a derived one is called.
pub(super) fn alias_of(factor: &TableFactor) -> Option<String> {
    match factor {
        TableFactor::Table { name, alias, .. } => match alias {
            Some(alias) => Some(lower(&alias.name)),
            None => name.0.last().and_then(|part| part.as_ident()).map(lower),
        },
        TableFactor::Derived { alias, .. } => alias.as_ref().map(|alias| lower(&alias.name)),
        _ => None,
    }
}

/// The names of the items of a body's first SELECT.
fn aliases(body: &SetExpr) -> Vec<String> {
    match body {
        SetExpr::Select(select) => select
            .projection
            .iter()
            .filter_map(|item| match item {
                SelectItem::ExprWithAlias { alias, .. } => Some(lower(alias)),
                _ => None,
            })
            .collect(),
        SetExpr::SetOperation { left, .. } => aliases(left),
        SetExpr::Query(query) => aliases(&query.body),
        _ => Vec::new(),
    }
}

/// `AS t(a, b)`.
fn renamed(mut columns: Vec<(String, bool)>, alias: Option<&TableAlias>) -> Vec<(String, bool)> {
    let names = alias.iter().flat_map(|alias| &alias.columns);
    columns.iter_mut().zip(names).for_each(|(column, name)| column.0 = lower(&name.name));
    columns
}

/// Of which side a shared column is.
enum Side {
    Left,
    Right,
    Both,
}

fn side(join: &JoinOperator) -> Side {
    match join {
        JoinOperator::Right(_) | JoinOperator::RightOuter(_) => Side::Right,
        JoinOperator::FullOuter(_) => Side::Both,
        _ => Side::Left,
    }
}

fn shares(join: &mut JoinOperator) -> bool {
    matches!(expr::constraint(join), Some(JoinConstraint::Natural | JoinConstraint::Using(_)))
}

/// The names that are joined on; none if the join says a condition.
fn common(join: &mut Join, left: &[Named], right: &[Named]) -> Result<Option<Vec<String>>, Error> {
    Ok(match expr::constraint(&mut join.join_operator) {
        Some(JoinConstraint::Using(names)) => {
            let last = |name: &ObjectName| name.0.last().and_then(|part| part.as_ident()).map(lower);
            Some(names.iter().filter_map(last).collect())
        }
        Some(JoinConstraint::Natural) => {
            let of_right = |column: &Named| right.iter().any(|other| other.name == column.name && !other.is_provenance);
            let shared = left.iter().filter(|column| !column.is_provenance && of_right(column));
            Some(shared.map(|column| column.name.clone()).collect())
        }
        _ => None,
    })
}
