//! Hexadecimal literals: bytes, where a number is wanted the number that they are, and text beside a column's text.

use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::Expr;

use super::compare::is_number;
use super::convert::literal_value;
use super::types::type_of;
use crate::sql::mysql::call::Evaluated;
use crate::sql::mysql::columns;
use crate::sql::mysql::comparison::{GREATEST, LEAST};
use crate::sql::mysql::functions::all::takes_numbers;
use crate::sql::mysql::functions::definition::{Argument, Definition};
use crate::sql::mysql::operator::{Binary, Operator};
use crate::sql::mysql::planned::Callee;
use crate::sql::mysql::types::Type;
use crate::sql::mysql::value::Value;

/// Arguments of functions that are numbers, where not all are.
const NUMBERS: &[(&str, &[usize])] = &[
    ("date_add", &[1]),
    ("date_sub", &[1]),
    ("timestampadd", &[1]),
    ("adddate", &[1]),
    ("subdate", &[1]),
    ("from_days", &[0]),
    ("left", &[1]),
    ("right", &[1]),
    ("substr", &[1, 2]),
    ("repeat", &[1]),
    ("lpad", &[1]),
    ("rpad", &[1]),
    ("insert", &[1, 2]),
    ("substring_index", &[2]),
    ("locate", &[2]),
    ("elt", &[0]),
    ("space", &[0]),
    ("makedate", &[0, 1]),
    ("sec_to_time", &[0]),
    ("from_unixtime_in", &[1]),
    ("maketime", &[0, 1, 2]),
    ("inet_ntoa", &[0]),
    ("period_add", &[0, 1]),
    ("period_diff", &[0, 1]),
    ("make_set", &[0]),
    ("export_set", &[0, 4]),
    ("sha2", &[1]),
    ("week", &[1]),
    ("yearweek", &[1]),
    ("conv", &[1, 2]),
];

/// Which arguments are hexadecimal literals, before any is lowered: bytes that a call comes to are none.
pub fn typed(args: &[Expr]) -> Vec<bool> {
    args.iter().map(|arg| matches!(arg, Expr::Literal(ScalarValue::Binary(Some(_)), _))).collect()
}

/// The arguments of a call with hexadecimal literals as numbers, where it takes numbers.
pub fn as_numbers(callee: Callee, args: Vec<Expr>, hexadecimals: &[bool], schema: &DFSchema) -> Result<Vec<Expr>> {
    if !hexadecimals.contains(&true) {
        return Ok(args);
    }
    let types = args.iter().map(|arg| type_of(arg, schema)).collect::<Result<Vec<_>>>()?;
    let ops = args
        .first()
        .map(literal_value)
        .transpose()?
        .flatten()
        .and_then(|ops| ops.to_text().map(|ops| ops.into_owned()));
    let wanted = |at: usize| match callee {
        Callee::Operator(operator) => of_operator(operator, at, &types, ops.as_deref().unwrap_or_default()),
        Callee::Function(definition) => of_function(definition.name, at, &types),
    };
    let number = |(at, arg): (usize, Expr)| match hexadecimals[at] && wanted(at) {
        true => number_of(arg),
        false => Ok(arg),
    };
    args.into_iter().enumerate().map(number).collect()
}

/// The arguments of a call with hexadecimal literals as text, where a text of a column's stands beside them: it says what
/// the letters of all are, as long as no bytes do that are more than a literal. What is no UTF-8 stays bytes.
pub fn as_text(callee: Callee, args: Vec<Expr>, hexadecimals: &[bool], schema: &DFSchema) -> Result<Vec<Expr>> {
    let is_hexadecimal = |at: usize| hexadecimals.get(at) == Some(&true);
    if !hexadecimals.contains(&true) || !is_of_letters(callee) {
        return Ok(args);
    }
    let (mut has_own, mut has_bytes) = (false, false);
    for arg in args.iter().zip(hexadecimals).filter_map(|(arg, is_hexadecimal)| (!is_hexadecimal).then_some(arg)) {
        has_own |= has_own_letters(arg, schema)?;
        has_bytes |= type_of(arg, schema)? == Type::Bytes;
    }
    if !has_own || has_bytes {
        return Ok(args);
    }
    let text = |(at, arg): (usize, Expr)| match literal_value(&arg)? {
        Some(Value::Bytes(bytes)) if is_hexadecimal(at) => match String::from_utf8(bytes.into_owned()) {
            Ok(text) => columns::literal(&Value::text(text), Type::Text).map(|text| Expr::Literal(text, None)),
            Err(_) => Ok(arg),
        },
        _ => Ok(arg),
    };
    args.into_iter().enumerate().map(text).collect()
}

/// Whether bytes among the arguments make a difference to what a call comes to.
fn is_of_letters(callee: Callee) -> bool {
    match callee {
        Callee::Operator(operator) => {
            matches!(operator, Operator::Case | Operator::Coalesce | Operator::Greatest | Operator::Least)
        }
        Callee::Function(definition) => {
            matches!(definition.name, "instr" | "locate" | "like") || gives_letters(definition)
        }
    }
}

/// Whether a function gives letters of its arguments: bytes of bytes, and text of text.
fn gives_letters(definition: &Definition) -> bool {
    let of = |data_type: Type| {
        let args = vec![Argument { data_type, constant: None }; definition.least.max(1)];
        (definition.returns)(&args)
    };
    of(Type::Bytes) == Type::Bytes && of(Type::Text) == Type::Text
}

/// Whether an expression is text of a column, which is more than a literal's is.
fn has_own_letters(expr: &Expr, schema: &DFSchema) -> Result<bool> {
    if type_of(expr, schema)? != Type::Text {
        return Ok(false);
    }
    let any = |exprs: &mut dyn Iterator<Item = &Expr>| -> Result<bool> {
        for expr in exprs {
            if has_own_letters(expr, schema)? {
                return Ok(true);
            }
        }
        Ok(false)
    };
    match expr {
        Expr::Column(_) | Expr::OuterReferenceColumn(..) | Expr::ScalarSubquery(_) => Ok(true),
        Expr::Alias(alias) => has_own_letters(&alias.expr, schema),
        Expr::Case(case) => {
            let branches = case.when_then_expr.iter().map(|(_, then)| then.as_ref());
            any(&mut branches.chain(case.else_expr.as_deref()))
        }
        Expr::ScalarFunction(function) => match Evaluated::of(&function.func) {
            Some(definition) if gives_letters(definition) || [LEAST.name, GREATEST.name].contains(&definition.name) => {
                any(&mut function.args.iter())
            }
            _ => Ok(false),
        },
        _ => Ok(false),
    }
}

fn of_operator(operator: Operator, at: usize, types: &[Type], ops: &str) -> bool {
    let beside = || types.iter().any(|one| is_number(*one));
    match operator {
        Operator::And
        | Operator::Or
        | Operator::Xor
        | Operator::Not
        | Operator::Truth
        | Operator::Negate
        | Operator::BitNot
        | Operator::Bits
        | Operator::Signed
        | Operator::Summand
        | Operator::Double => true,
        // Conditions.
        Operator::Case => at.is_multiple_of(2) && at + 1 < types.len(),
        // After the operators come what they are between; from the second one on, a number is on the left.
        Operator::Chain => {
            let compares = ops.chars().next().is_some_and(|op| Binary::of_sign(op).is_comparison());
            at > 2 || !compares || is_number(types[3 - at])
        }
        Operator::NullIf => at == 1 && is_number(types[0]),
        Operator::Between | Operator::Greatest | Operator::Least | Operator::InList => beside(),
        _ => false,
    }
}

fn of_function(name: &str, at: usize, types: &[Type]) -> bool {
    match name {
        "field" | "interval_of" => types.iter().any(|one| is_number(*one)),
        name => is_number_of(name, at),
    }
}

/// Whether a function reads the argument at a position as a number.
pub fn is_number_of(name: &str, at: usize) -> bool {
    takes_numbers(name)
        || name == "char"
        || NUMBERS.iter().any(|(known, positions)| *known == name && positions.contains(&at))
}

/// The number that the bytes of a literal are: those that do not fit are left out in front, as MySQL does.
pub fn number_of(literal: Expr) -> Result<Expr> {
    let Some(Value::Bytes(bytes)) = literal_value(&literal)? else { return Ok(literal) };
    let fitting = &bytes[bytes.len().saturating_sub(size_of::<u64>())..];
    let number = fitting.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    columns::literal(&Value::UInt(number), Type::UInt).map(|literal| Expr::Literal(literal, None))
}
