//! Values of one type as those of another: with a cast of DataFusion's where that is the same as MySQL's.

use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::{Expr, Operator as Native};

use super::types::{null_of, type_of};
use crate::sql::mysql::call::Evaluated;
use crate::sql::mysql::columns::{self, value_of};
use crate::sql::mysql::conversion::{CONVERT, TRUTH};
use crate::sql::mysql::types::Type;
use crate::sql::mysql::value::Value;

/// The value of a literal; none of anything else.
pub fn literal_value(expr: &Expr) -> Result<Option<Value<'static>>> {
    match expr {
        Expr::Literal(scalar, _) => value_of(scalar).map(Some),
        Expr::Alias(alias) => literal_value(&alias.expr),
        _ => Ok(None),
    }
}

/// An expression as one of a type.
pub fn convert(expr: Expr, to: Type, schema: &DFSchema) -> Result<Expr> {
    let from = type_of(&expr, schema)?;
    if from == to {
        return Ok(expr);
    }
    if from == Type::Null {
        return null_of(&to.arrow());
    }
    if to.is_textual() && from.plain() != from {
        return convert(plain(expr, schema)?, to, schema);
    }
    if to == Type::Bool {
        return Evaluated::call(&TRUTH, Type::Bool, vec![expr]);
    }
    if let Some(value) = literal_value(&expr)? {
        return columns::literal(&value, to).map(|literal| Expr::Literal(literal, None));
    }
    match is_plain(from, to) {
        true => Ok(Expr::Cast(Cast::new(Box::new(expr), to.arrow()))),
        false => Evaluated::call(&CONVERT, to, vec![expr]),
    }
}

/// An expression as what is shown of it: without hidden digits.
pub fn plain(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let shown = type_of(&expr, schema)?.plain();
    convert(expr, shown, schema)
}

/// Whether Arrow's cast gives what MySQL does, and loses nothing.
fn is_plain(from: Type, to: Type) -> bool {
    use Type::{Bool, Bytes, Date, DateTime, Decimal, Double, Int, Text, Time, UInt};
    match (from, to) {
        (Bool, Int | UInt) | (Int | UInt, Double) | (Text, Bytes) => true,
        (Int, Decimal(precision, scale)) => precision - scale >= 19,
        (UInt, Decimal(precision, scale)) => precision - scale >= 20,
        (Decimal(from, below), Decimal(to, scale)) => scale >= below && to - scale >= from - below,
        (Date, DateTime(_)) => true,
        (DateTime(from), DateTime(to)) | (Time(from), Time(to)) => to >= from,
        _ => false,
    }
}

/// A condition: anything but 0.
pub fn truth(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    if let Some(value) = literal_value(&expr)? {
        return columns::literal(&value.to_bool().map_or(Value::Null, Value::bool), Type::Bool)
            .map(|literal| Expr::Literal(literal, None));
    }
    let zero = |data_type: Type| columns::literal(&Value::Int(0), data_type).map(|zero| Expr::Literal(zero, None));
    match type_of(&expr, schema)? {
        Type::Bool => Ok(expr),
        number @ (Type::Int | Type::UInt | Type::Double | Type::Decimal(..)) => {
            Ok(datafusion::logical_expr::binary_expr(expr, Native::NotEq, zero(number)?))
        }
        _ => Evaluated::call(&TRUTH, Type::Bool, vec![expr]),
    }
}
