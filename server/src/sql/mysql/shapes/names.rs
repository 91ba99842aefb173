//! What the columns of a derived table are called.

use sqlparser::ast::{Expr, Query, SelectItem, SetExpr};

use super::select::{name, output_names};
use crate::sql::mysql::expr::null;

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
