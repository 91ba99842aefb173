//! Hexadecimal literals: bytes, and where a number is wanted the number that they are.

use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::Expr;

use super::convert::{convert, literal_value};
use super::types::type_of;
use crate::sql::mysql::columns;
use crate::sql::mysql::functions::{number, number_format};
use crate::sql::mysql::operator::Operator;
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
    ("char", &[0, 1, 2, 3]),
    ("makedate", &[0, 1]),
    ("sec_to_time", &[0]),
];

/// The arguments of a call with hexadecimal literals as numbers, where it takes numbers.
pub fn as_numbers(callee: Callee, mut args: Vec<Expr>, schema: &DFSchema) -> Result<Vec<Expr>> {
    let all = 0..args.len();
    let types = args.iter().map(|arg| type_of(arg, schema)).collect::<Result<Vec<_>>>()?;
    let beside = types.iter().any(|one| is_number(*one));
    let wanted: Vec<usize> = match callee {
        Callee::Operator(operator) => match operator {
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
            | Operator::Double => all.collect(),
            // Conditions.
            Operator::Case => all.step_by(2).filter(|at| at + 1 < types.len()).collect(),
            Operator::Between | Operator::Greatest | Operator::Least if beside => all.collect(),
            _ => Vec::new(),
        },
        Callee::Function(definition) => {
            let mut numeric = number::FUNCTIONS.iter().chain(number_format::FUNCTIONS);
            match definition.name {
                "field" | "interval_of" if beside => all.collect(),
                name if numeric.any(|number| number.name == name) => all.collect(),
                name => NUMBERS.iter().find(|(known, _)| *known == name).map_or_else(Vec::new, |(_, at)| at.to_vec()),
            }
        }
    };
    for at in wanted {
        if let Some(arg) = args.get_mut(at) {
            *arg = number_of(arg.clone())?;
        }
    }
    Ok(args)
}

/// A hexadecimal literal beside a value of a type: a number beside one.
pub fn beside(expr: Expr, other: Type) -> Result<Expr> {
    if is_number(other) { number_of(expr) } else { Ok(expr) }
}

fn number_of(expr: Expr) -> Result<Expr> {
    match literal_value(&expr)? {
        Some(Value::Bytes(bytes)) if bytes.len() <= size_of::<u64>() => {
            let number = bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
            columns::literal(&Value::UInt(number), Type::UInt).map(|literal| Expr::Literal(literal, None))
        }
        _ => Ok(expr),
    }
}

/// What FIELD compares: all texts, all numbers, or else all as doubles.
pub fn of_one_kind(args: Vec<Expr>, schema: &DFSchema) -> Result<Vec<Expr>> {
    let types = args.iter().map(|arg| type_of(arg, schema)).collect::<Result<Vec<_>>>()?;
    let is_mixed = types.iter().any(|one| is_number(*one)) && types.iter().any(|one| one.is_textual());
    match is_mixed {
        true => args.into_iter().map(|arg| convert(arg, Type::Double, schema)).collect(),
        false => Ok(args),
    }
}

/// Whether a type is of numbers.
pub fn is_number(data_type: Type) -> bool {
    matches!(data_type, Type::Bool | Type::Int | Type::UInt | Type::Decimal(..) | Type::Double)
}
