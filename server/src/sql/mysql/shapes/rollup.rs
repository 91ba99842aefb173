//! `GROUP BY … WITH ROLLUP`.

use sqlparser::ast::{Expr, GroupByExpr, GroupByWithModifier, Select, SelectItem, Value, ValueWithSpan};

use super::select::call_star;
use crate::sql::mysql::expr::{condition, joined, number, operate};
use crate::sql::mysql::operator::{Binary, Operator};

/// `GROUP BY … WITH ROLLUP`: positions are what they stand for; names are resolved where the tables are known.
pub fn rollup(select: &mut Select) {
    let Select { group_by, projection, having, .. } = select;
    let GroupByExpr::Expressions(expressions, modifiers) = group_by else { return };
    if modifiers.as_slice() != [GroupByWithModifier::Rollup] {
        return;
    }
    let levels = std::mem::take(expressions).into_iter().map(|level| stands_for(level, projection));
    let levels = levels.map(|level| vec![level]).collect();
    // Of no rows there is no total, as in MySQL.
    let some = operate(call_star("count"), Binary::Greater, number("0"));
    let some = condition(some);
    *having = Some(match having.take() {
        Some(condition) => joined(condition, Operator::And, some),
        None => some,
    });
    *expressions = vec![Expr::Rollup(levels)];
    modifiers.clear();
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
        _ => None,
    };
    found.unwrap_or(level)
}
