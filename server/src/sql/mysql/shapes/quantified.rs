//! `x > ALL (SELECT …)` and `(a, b) IN (SELECT …)`: queries for one truth value.

use sqlparser::ast::{BinaryOperator, Expr, Query, SelectItem, SetExpr, Value};

use super::select::{QUERY, call_star, column_name, name, query_of, select_from};
use crate::sql::Error;
use crate::sql::mysql::binary::compared;
use crate::sql::mysql::expr::{call, null, operate, operator};
use crate::sql::mysql::operator::{Binary, Operator};

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
    let holds = compared(values, op, columns)?;
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
