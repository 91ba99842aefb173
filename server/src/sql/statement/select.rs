//! A statement that is answered with rows, as a SELECT: also SHOW and DESC are one by now.

use std::collections::HashSet;
use std::sync::Arc;

use sqlparser::ast::{Expr, Ident, SelectItem, SetExpr, Statement as Ast};

use super::column_names::ColumnNames;
use crate::sql::Error;
use crate::sql::mysql::{expr, rewrite};
use crate::sql::syntax::{Digest, Fingerprint};
use crate::sql::variables::Context;

/// A statement that is answered with rows, in DataFusion's dialect.
#[derive(Debug)]
pub struct Select {
    pub(in crate::sql) statement: Ast,
    pub(in crate::sql) column_names: ColumnNames,
    pub(in crate::sql) kind: ResultKind,
    /// What its plan is kept under, if the text alone says what it is.
    pub(in crate::sql) kept_under: Option<KeptUnder>,
}

/// What a plan is kept under, and what the statements that find it there have in common for people.
#[derive(Debug)]
pub struct KeptUnder {
    pub(in crate::sql) fingerprint: Fingerprint,
    pub(in crate::sql) digest: Arc<Digest>,
}

/// What the reader of a result is told of it besides its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultKind {
    /// The rows are those of nodes: which of them are up.
    NodeRows,
    /// The rows are about tables, columns or the group: nothing, whoever is up.
    Metadata,
    /// The rows are the warnings of the statement before, which stay as they are.
    Warnings,
}

impl Select {
    /// A SELECT as it was typed, in DataFusion's dialect and with a name of its own for each column.
    pub(super) fn new(mut statement: Ast, column_names: ColumnNames, context: &Context<'_>) -> Result<Self, Error> {
        rewrite::to_datafusion(&mut statement, context)?;
        make_columns_unique(&mut statement);
        Ok(Self { statement, column_names, kind: ResultKind::NodeRows, kept_under: None })
    }
}

/// `SELECT 1, 1`, `SELECT *, id` and `SELECT id, n.Id` are legal in MySQL, and columns of one name are not in DataFusion:
/// the later ones get one of their own. Nobody sees it, for [`ColumnNames`] has what was typed.
fn make_columns_unique(statement: &mut Ast) {
    match statement {
        Ast::Query(query) => make_unique_in(&mut query.body),
        Ast::Explain { statement, .. } => make_columns_unique(statement),
        _ => {}
    }
}

fn make_unique_in(body: &mut SetExpr) {
    let select = match body {
        SetExpr::Select(select) => select,
        SetExpr::Query(query) => return make_unique_in(&mut query.body),
        SetExpr::SetOperation { left, right, .. } => {
            make_unique_in(left);
            return make_unique_in(right);
        }
        _ => return,
    };
    let several = select.projection.len() > 1;
    let wildcard = select.projection.iter().any(|item| matches!(name_of(item), Named::Many));
    let mut names = HashSet::new();
    for (position, item) in select.projection.iter_mut().enumerate() {
        let again = match name_of(item) {
            Named::Column(name) => !names.insert(name) || wildcard,
            Named::Alias(name) => !names.insert(name) || wildcard,
            Named::No => several,
            Named::Many => false,
        };
        if !again {
            continue;
        }
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
            let alias = Ident::with_quote('`', format!("#{}", position + 1));
            *item = SelectItem::ExprWithAlias { expr: std::mem::replace(expr, expr::null()), alias };
        }
    }
}

/// The name of what one item of a SELECT makes, in lower case.
enum Named {
    Column(String),
    Alias(String),
    No,
    /// A `*`.
    Many,
}

fn name_of(item: &SelectItem) -> Named {
    match item {
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Named::Column(name.value.to_lowercase()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => {
            Named::Column(parts.last().map(|part| part.value.to_lowercase()).unwrap_or_default())
        }
        SelectItem::UnnamedExpr(_) => Named::No,
        SelectItem::ExprWithAlias { alias, .. } => Named::Alias(alias.value.to_lowercase()),
        _ => Named::Many,
    }
}
