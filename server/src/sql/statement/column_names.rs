//! The names of a result's columns: as the author of the statement typed them.
//!
//! What is planned has other names: in lower case, and after rewriting.

use sqlparser::ast::{Expr, SelectItem, SetExpr, Statement};

use crate::sql::syntax::dialect::INTERVAL;
use crate::sql::wording::closing;

/// Names by position, from the front and from the back: how many columns a `*` between them is, is known later.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnNames {
    front: Vec<String>,
    /// From the last column on.
    back: Vec<String>,
}

impl ColumnNames {
    /// These names, for all columns.
    pub fn all(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { front: names.into_iter().map(Into::into).collect(), back: Vec::new() }
    }

    /// The names that a statement gives its columns.
    pub fn of(statement: &Statement) -> Self {
        let Statement::Query(query) = statement else { return Self::default() };
        let mut body = query.body.as_ref();
        // A union has the names of its first part.
        let select = loop {
            match body {
                SetExpr::Select(select) => break select,
                SetExpr::SetOperation { left, .. } => body = left,
                SetExpr::Query(query) => body = &query.body,
                _ => return Self::default(),
            }
        };
        let named = |item: &SelectItem| heading(item);
        Self {
            front: select.projection.iter().map_while(named).collect(),
            back: select.projection.iter().rev().map_while(named).collect(),
        }
    }

    /// The name of column `position` of `count`, if the statement says one.
    pub fn get(&self, position: usize, count: usize) -> Option<&str> {
        let from_back = || self.back.get(count - 1 - position);
        self.front.get(position).or_else(from_back).map(String::as_str)
    }
}

/// What one item is called; none for a `*`.
fn heading(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.value.clone()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().map(|part| part.value.clone()),
        SelectItem::UnnamedExpr(expr) => Some(as_typed(&expr.to_string())),
        _ => None,
    }
}

/// The text of an expression with its intervals as they are typed: in a tree they are calls.
pub fn as_typed(text: &str) -> String {
    let start = format!("{INTERVAL}(");
    let mut left = text;
    let mut typed = String::with_capacity(text.len());
    while let Some(at) = left.find(&start) {
        let inner = &left[at + start.len()..];
        let Some(end) = closing(inner, '\'') else { break };
        let Some((count, unit)) = inner[..end].rsplit_once(", '") else { break };
        typed.push_str(&left[..at]);
        typed.push_str(&format!("INTERVAL {} {}", as_typed(count), unit.trim_end_matches('\'')));
        left = &inner[end + 1..];
    }
    typed.push_str(left);
    typed.replace("interval_of(", "INTERVAL(").replace("char_text(", "CHAR(")
}

#[cfg(test)]
mod tests {
    use sqlparser::parser::Parser;

    use super::*;
    use crate::sql::syntax::dialect::Dialected;

    #[test]
    fn columns_are_called_as_they_were_typed() {
        for (sql, count, expected) in [
            ("SELECT Id, n.CPU, COUNT(*) AS `N 1`, 1+1", 4, vec![Some("Id"), Some("CPU"), Some("N 1"), Some("1 + 1")]),
            ("SELECT 1 AS a, t.*, 2 AS b FROM t", 4, vec![Some("a"), None, None, Some("b")]),
            ("SELECT A FROM t UNION SELECT b FROM t", 1, vec![Some("A")]),
            ("SELECT * FROM t", 2, vec![None, None]),
            ("SELECT a + INTERVAL (1) DAY", 1, vec![Some("a + INTERVAL (1) DAY")]),
        ] {
            let statement = Parser::parse_sql(&Dialected, sql).expect("legal SQL").remove(0);
            let typed = ColumnNames::of(&statement);
            let names: Vec<_> = (0..count).map(|position| typed.get(position, count)).collect();
            assert_eq!(names, expected, "{sql}");
        }
    }
}
