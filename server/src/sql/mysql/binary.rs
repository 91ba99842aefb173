//! Operators between two sides, and between rows of values.

use sqlparser::ast::{BinaryOperator, Expr};

use super::calls;
use super::expr::{appended, call, joined, operate, operator};
use super::operator::{Binary, Operator};
use crate::sql::Error;
use crate::sql::syntax::dialect::INTERVAL;

/// Values, or rows of them, compared.
pub fn compared(left: Vec<Expr>, op: &BinaryOperator, right: Vec<Expr>) -> Result<Expr, Error> {
    match (left.as_slice(), right.as_slice()) {
        ([left], [right]) => binary(nested(left.clone()), op.clone(), right.clone()),
        _ => rows(left, op, right),
    }
}

/// In parentheses: what is no part of the chain around it.
pub fn nested(expr: Expr) -> Expr {
    Expr::Nested(Box::new(expr))
}

/// `left op right`.
pub fn binary(left: Expr, op: BinaryOperator, mut right: Expr) -> Result<Expr, Error> {
    use BinaryOperator as Op;
    if let (Expr::Tuple(left), Expr::Tuple(right)) = (&left, &right) {
        return rows(left.clone(), &op, right.clone());
    }
    // `time + INTERVAL 1 DAY`, either way around.
    let mut left = left;
    if matches!(op, Op::Plus | Op::Minus)
        && let Some(interval) = interval(&mut right)
    {
        let name = if op == Op::Plus { "date_add" } else { "date_sub" };
        return Ok(call(name, [vec![left], interval].concat()));
    }
    if op == Op::Plus
        && let Some(interval) = interval(&mut left)
    {
        return Ok(call("date_add", [vec![right], interval].concat()));
    }
    let op = match op {
        Op::And => return Ok(joined(left, Operator::And, right)),
        Op::Or => return Ok(joined(left, Operator::Or, right)),
        Op::Xor => return Ok(operator(Operator::Xor, vec![left, right])),
        Op::StringConcat => return Ok(appended(left, "concat", right)),
        Op::Arrow => return Ok(call("json_extract", vec![left, right])),
        Op::LongArrow => return Ok(call("json_unquote", vec![call("json_extract", vec![left, right])])),
        Op::Plus => Binary::Add,
        Op::Minus => Binary::Subtract,
        Op::Multiply => Binary::Multiply,
        Op::Divide => Binary::Divide,
        Op::MyIntegerDivide => Binary::DivideWhole,
        Op::Modulo => Binary::Remainder,
        Op::BitwiseAnd => Binary::BitAnd,
        Op::BitwiseOr => Binary::BitOr,
        Op::BitwiseXor | Op::PGExp => Binary::BitXor,
        Op::PGBitwiseShiftLeft => Binary::ShiftLeft,
        Op::PGBitwiseShiftRight => Binary::ShiftRight,
        Op::Eq => Binary::Equal,
        Op::NotEq => Binary::NotEqual,
        Op::Lt => Binary::Less,
        Op::LtEq => Binary::LessOrEqual,
        Op::Gt => Binary::Greater,
        Op::GtEq => Binary::GreaterOrEqual,
        Op::Spaceship => Binary::Same,
        other => return Err(Error::Invalid(format!("the operator {other} is not known"))),
    };
    Ok(operate(left, op, right))
}

/// The count and the unit of an INTERVAL.
fn interval(expr: &mut Expr) -> Option<Vec<Expr>> {
    if let Expr::Function(function) = expr
        && function.name == super::expr::object_name(INTERVAL)
    {
        return calls::plain_args(function);
    }
    None
}

/// Rows compare by their first values that differ.
fn rows(left: Vec<Expr>, op: &BinaryOperator, right: Vec<Expr>) -> Result<Expr, Error> {
    if left.len() != right.len() {
        let (a, b) = (left.len(), right.len());
        return Err(Error::Invalid(format!(
            "a row of {a} values is compared with one of {b}; write as many on both sides"
        )));
    }
    let pairs: Vec<(Expr, Expr)> = left.into_iter().zip(right).collect();
    let all = |op: Binary, pairs: &[(Expr, Expr)]| {
        let each = pairs.iter().map(|(a, b)| operate(nested(a.clone()), op, b.clone()));
        operator(Operator::And, each.collect())
    };
    Ok(match op {
        BinaryOperator::Eq => all(Binary::Equal, &pairs),
        BinaryOperator::Spaceship => all(Binary::Same, &pairs),
        BinaryOperator::NotEq => operator(Operator::Not, vec![all(Binary::Equal, &pairs)]),
        BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq => {
            let strict =
                if matches!(op, BinaryOperator::Lt | BinaryOperator::LtEq) { Binary::Less } else { Binary::Greater };
            let last = match op {
                BinaryOperator::LtEq => Binary::LessOrEqual,
                BinaryOperator::GtEq => Binary::GreaterOrEqual,
                _ => strict,
            };
            let mut cases = Vec::new();
            for at in 0..pairs.len() {
                let mut parts: Vec<Expr> =
                    pairs[..at].iter().map(|(a, b)| operate(nested(a.clone()), Binary::Equal, b.clone())).collect();
                let (a, b) = pairs[at].clone();
                parts.push(operate(nested(a), if at + 1 == pairs.len() { last } else { strict }, b));
                cases.push(if parts.len() == 1 { parts.remove(0) } else { operator(Operator::And, parts) });
            }
            if cases.len() == 1 { cases.remove(0) } else { operator(Operator::Or, cases) }
        }
        other => return Err(Error::Invalid(format!("rows do not take {other}"))),
    })
}

/// `value IN (list)`.
pub fn in_list(value: Expr, list: Vec<Expr>) -> Result<Expr, Error> {
    if let Expr::Tuple(row) = &value {
        let equal = |item: Expr| match item {
            Expr::Tuple(other) => rows(row.clone(), &BinaryOperator::Eq, other),
            other => Err(Error::Invalid(format!("a row is compared with {other}, which is none"))),
        };
        let mut cases = list.into_iter().map(equal).collect::<Result<Vec<_>, _>>()?;
        return Ok(if cases.len() == 1 { cases.remove(0) } else { operator(Operator::Or, cases) });
    }
    Ok(operator(Operator::InList, std::iter::once(value).chain(list).collect()))
}
