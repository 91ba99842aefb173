//! `GROUP BY … WITH ROLLUP`.

use sqlparser::ast::{Expr, GroupByExpr, GroupByWithModifier, Select, SelectItem, Value, ValueWithSpan};

use super::call_star;
use crate::sql::Error;
use crate::sql::mysql::expr::{condition, joined, number, operate};
use crate::sql::mysql::operator::{Binary, Operator};

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
    let some = operate(call_star("count"), Binary::Greater, number("0"));
    let some = condition(some);
    *having = Some(match having.take() {
        Some(condition) => joined(condition, Operator::And, some),
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
