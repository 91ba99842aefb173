//! Names in GROUP BY, once the tables are known.

use sqlparser::ast::{Expr, GroupByExpr, Select, SelectItem};

use crate::sql::Error;
use crate::sql::mysql::expr::operator;
use crate::sql::mysql::operator::Operator;

/// A name in GROUP BY is that of a column, but of a result column if no column has it, or those of several tables.
/// `columns_of` says how many columns of tables have a name, in lower case.
pub(super) fn resolve(select: &mut Select, columns_of: &dyn Fn(&str) -> usize) -> Result<(), Error> {
    let Select { group_by: GroupByExpr::Expressions(by, _), projection, .. } = select else { return Ok(()) };
    let resolve = |by: &mut Expr| {
        let Expr::Identifier(wanted) = &*by else { return };
        let wanted = wanted.value.to_lowercase();
        let result = projection.iter().find_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } if alias.value.to_lowercase() == wanted => Some(expr.clone()),
            _ => None,
        });
        if let (Some(result), false) = (result, columns_of(&wanted) == 1) {
            // A number alone would be a position, also in parentheses.
            *by = match result {
                value @ Expr::Value(_) => operator(Operator::Coalesce, vec![value]),
                other => Expr::Nested(Box::new(other)),
            };
        }
    };
    for by in by {
        let Expr::Rollup(levels) = by else {
            resolve(by);
            continue;
        };
        levels.iter_mut().flatten().for_each(resolve);
        differ(levels)?;
    }
    Ok(())
}

/// The levels of a ROLLUP are of several values, and no two are one.
fn differ(levels: &[Vec<Expr>]) -> Result<(), Error> {
    let mut seen: Vec<&Expr> = Vec::new();
    for level in levels.iter().flatten() {
        let level = match level {
            Expr::Nested(inner) => inner,
            level => level,
        };
        let named = match level {
            Expr::Value(_) | Expr::Identifier(_) | Expr::CompoundIdentifier(_) => level.to_string(),
            // As it was rewritten it is in words that nobody typed.
            _ => "an expression".to_owned(),
        };
        if matches!(level, Expr::Value(_)) {
            return Err(Error::Invalid(format!("GROUP BY {named} WITH ROLLUP groups by one value; leave it out")));
        }
        if seen.contains(&level) {
            return Err(Error::Invalid(format!("GROUP BY … WITH ROLLUP groups by {named} twice; leave one out")));
        }
        seen.push(level);
    }
    Ok(())
}
