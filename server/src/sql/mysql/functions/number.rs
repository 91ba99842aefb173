//! Functions of numbers: rounding, which is exact where the number is, and what is computed with doubles.
//!
//! How numbers are written for people is in [`super::number_format`].

use arrow::datatypes::i256;

use crate::sql::mysql::functions::definition::{Argument, Call, Definition, Outcome, Stop, some};
use crate::sql::mysql::functions::returns;
use crate::sql::mysql::types::Type;
use crate::sql::mysql::value::{Decimal, Number, SCALE_MAX, Value};

/// The functions of this file.
pub static FUNCTIONS: &[Definition] = &[
    Definition::new("abs", "abs(number)", (1, 1), same_number, abs),
    Definition::new("sign", "sign(number)", (1, 1), returns::int, sign),
    Definition::new("ceil", "ceil(number)", (1, 1), whole_number, |call| whole(call, Decimal::ceil, f64::ceil)),
    Definition::new("ceiling", "ceiling(number)", (1, 1), whole_number, |call| whole(call, Decimal::ceil, f64::ceil)),
    Definition::new("floor", "floor(number)", (1, 1), whole_number, |call| whole(call, Decimal::floor, f64::floor)),
    Definition::new("round", "round(number[, digits])", (1, 2), rounded_number, |call| rounded(call, false)),
    Definition::new("truncate", "truncate(number, digits)", (2, 2), truncated_number, |call| rounded(call, true)),
    Definition::new("pow", "pow(number, exponent)", (2, 2), returns::double, |call| binary(call, f64::powf)),
    Definition::new("power", "power(number, exponent)", (2, 2), returns::double, |call| binary(call, f64::powf)),
    Definition::new("sqrt", "sqrt(number)", (1, 1), returns::double, |call| {
        unary(call, |x| (x >= 0.0).then(|| x.sqrt()))
    }),
    Definition::new("exp", "exp(number)", (1, 1), returns::double, |call| unary(call, |x| Some(x.exp()))),
    Definition::new("ln", "ln(number)", (1, 1), returns::double, |call| unary(call, natural)),
    Definition::new("log", "log([base, ]number)", (1, 2), returns::double, log),
    Definition::new("log2", "log2(number)", (1, 1), returns::double, |call| {
        unary(call, |x| Some(natural(x)? / std::f64::consts::LN_2))
    }),
    Definition::new("log10", "log10(number)", (1, 1), returns::double, |call| {
        unary(call, |x| (x > 0.0).then(|| x.log10()))
    }),
    Definition::new("sin", "sin(angle)", (1, 1), returns::double, |call| unary(call, |x| Some(x.sin()))),
    Definition::new("cos", "cos(angle)", (1, 1), returns::double, |call| unary(call, |x| Some(x.cos()))),
    Definition::new("tan", "tan(angle)", (1, 1), returns::double, |call| unary(call, |x| Some(x.tan()))),
    Definition::new("cot", "cot(angle)", (1, 1), returns::double, |call| unary(call, |x| Some(1.0 / x.tan()))),
    Definition::new("asin", "asin(number)", (1, 1), returns::double, |call| {
        unary(call, |x| (x.abs() <= 1.0).then(|| x.asin()))
    }),
    Definition::new("acos", "acos(number)", (1, 1), returns::double, |call| {
        unary(call, |x| (x.abs() <= 1.0).then(|| x.acos()))
    }),
    Definition::new("atan", "atan(number[, x])", (1, 2), returns::double, |call| match call.count() {
        1 => unary(call, |x| Some(x.atan())),
        _ => binary(call, f64::atan2),
    }),
    Definition::new("atan2", "atan2(y, x)", (2, 2), returns::double, |call| binary(call, f64::atan2)),
    Definition::new("degrees", "degrees(angle)", (1, 1), returns::double, |call| {
        unary(call, |x| Some(x * (180.0 / std::f64::consts::PI)))
    }),
    Definition::new("radians", "radians(angle)", (1, 1), returns::double, |call| {
        unary(call, |x| Some(x * (std::f64::consts::PI / 180.0)))
    }),
    Definition::new("pi", "pi()", (0, 0), returns::double, |_| Ok(Value::Double(std::f64::consts::PI))),
];

fn number_type(args: &[Argument]) -> Type {
    args.first().map_or(Type::Null, |arg| arg.data_type.number())
}

fn same_number(args: &[Argument]) -> Type {
    match number_type(args) {
        Type::Null => Type::Double,
        known => known,
    }
}

/// The error of a result that its type has not: `BIGINT value is out of range in 'abs(-9223372036854775808)'`.
fn out_of_range(call: &Call<'_>, type_name: &str) -> Stop {
    let args: Vec<_> = call.args.iter().map(|arg| arg.to_text().unwrap_or("NULL".into())).collect();
    Stop::error(format!("{type_name} value is out of range in '{}({})'", call.name, args.join(",")))
}

/// The number of an argument as exactly as it is one: text is a double.
fn number(call: &Call<'_>, at: usize) -> Result<Number, Stop> {
    match call.value(at)? {
        value if value.is_textual() => Ok(Number::Double(call.double(at)?)),
        _ => call.number(at),
    }
}

/// An exact result as the type that was announced.
pub fn exact(call: &Call<'_>, decimal: Decimal) -> Outcome {
    match call.returns {
        Type::Decimal(_, scale) => Ok(Value::Decimal(some(decimal.rescaled(scale))?)),
        Type::Double => Ok(Value::Double(decimal.to_f64())),
        Type::UInt => match decimal.rounded().to_i128().map(u64::try_from) {
            Some(Ok(number)) => Ok(Value::UInt(number)),
            _ => Err(out_of_range(call, "BIGINT UNSIGNED")),
        },
        _ => match decimal.rounded().to_i128().map(i64::try_from) {
            Some(Ok(number)) => Ok(Value::Int(number)),
            _ => Err(out_of_range(call, "BIGINT")),
        },
    }
}

fn abs(call: &Call<'_>) -> Outcome {
    match number(call, 0)? {
        Number::Exact(decimal) => exact(call, decimal.abs()),
        Number::Double(double) => Ok(Value::Double(double.abs())),
    }
}

fn sign(call: &Call<'_>) -> Outcome {
    let number = number(call, 0)?;
    Ok(Value::Int(match number {
        _ if number.is_zero() => 0,
        Number::Exact(decimal) => {
            if decimal.is_negative() {
                -1
            } else {
                1
            }
        }
        Number::Double(double) => {
            if double < 0.0 {
                -1
            } else {
                1
            }
        }
    }))
}

/// A decimal becomes a BIGINT if it can.
fn whole_number(args: &[Argument]) -> Type {
    const BIGINT_DIGITS: u8 = 18;
    match same_number(args) {
        number @ Type::Decimal(..) => match number.digits().0 {
            ..BIGINT_DIGITS => Type::Int,
            whole => Type::decimal(whole.saturating_add(1), 0),
        },
        other => other,
    }
}

fn whole(call: &Call<'_>, of_decimal: fn(Decimal) -> Decimal, of_double: fn(f64) -> f64) -> Outcome {
    match number(call, 0)? {
        Number::Exact(decimal) => exact(call, of_decimal(decimal)),
        Number::Double(double) => Ok(Value::Double(of_double(double))),
    }
}

fn rounded_number(args: &[Argument]) -> Type {
    rounded_type(args, 1)
}

fn truncated_number(args: &[Argument]) -> Type {
    rounded_type(args, 0)
}

/// Rounding can make a digit more in front of the point: `carry`.
fn rounded_type(args: &[Argument], carry: u8) -> Type {
    let number @ Type::Decimal(..) = number_type(args) else { return same_number(args) };
    let (whole, scale) = number.digits();
    let digits = match args.get(1) {
        None => 0,
        Some(Argument { constant: None, .. }) => i64::from(scale),
        Some(constant) => constant.constant_int().unwrap_or(0),
    };
    let wanted = u8::try_from(digits.clamp(0, i64::from(SCALE_MAX))).unwrap_or(0);
    let carry = if wanted < scale { carry } else { 0 };
    Type::decimal(whole.saturating_add(carry), wanted)
}

fn rounded(call: &Call<'_>, cut: bool) -> Outcome {
    let digits = if call.count() > 1 { call.int(1)? } else { 0 };
    match number(call, 0)? {
        Number::Exact(decimal) => exact(call, rounded_decimal(decimal, digits, cut)),
        Number::Double(double) => Ok(Value::Double(rounded_double(double, digits, cut))),
    }
}

/// A decimal with so many digits behind the point at most, or zeros in front of it.
pub fn rounded_decimal(decimal: Decimal, digits: i64, cut: bool) -> Decimal {
    if let Ok(digits) = u8::try_from(digits) {
        return match (digits < decimal.scale(), cut) {
            (false, _) => decimal,
            (true, true) => decimal.truncated(digits),
            (true, false) => decimal.rescaled(digits).unwrap_or(decimal),
        };
    }
    let Ok(zeros @ 1..=65) = u8::try_from(digits.saturating_neg()) else {
        return if digits > 0 { decimal } else { Decimal::ZERO };
    };
    // The digits that become zeros are moved behind the point and cut or rounded there, then moved back.
    let ten = i256::from_i128(10).wrapping_pow(zeros.into());
    let moved = Decimal::new(decimal.truncated(0).unscaled(), zeros);
    let whole = if cut { moved.truncated(0) } else { Decimal::new(moved.rounded(), 0) };
    Decimal::new(whole.unscaled().wrapping_mul(ten), 0)
}

/// A double with so many digits behind the point: a half goes to the even neighbour, as in the C library.
pub fn rounded_double(value: f64, digits: i64, cut: bool) -> f64 {
    let to_whole = |scaled: f64| if cut { scaled.trunc() } else { scaled.round_ties_even() };
    let ten: f64 = format!("1e{}", digits.unsigned_abs().min(400)).parse().unwrap_or(f64::INFINITY);
    if digits < 0 {
        return if ten.is_infinite() { 0.0 } else { to_whole(value / ten) * ten };
    }
    let scaled = value * ten;
    if scaled.is_finite() { to_whole(scaled) / ten } else { value }
}

fn natural(x: f64) -> Option<f64> {
    (x > 0.0).then(|| x.ln())
}

/// NULL where the function is not defined, an error where its value is no double.
fn unary(call: &Call<'_>, of: fn(f64) -> Option<f64>) -> Outcome {
    finite(call, some(of(call.double(0)?))?)
}

fn binary(call: &Call<'_>, of: fn(f64, f64) -> f64) -> Outcome {
    finite(call, of(call.double(0)?, call.double(1)?))
}

fn finite(call: &Call<'_>, result: f64) -> Outcome {
    match result.is_finite() {
        true => Ok(Value::Double(result)),
        false => Err(out_of_range(call, "DOUBLE")),
    }
}

fn log(call: &Call<'_>) -> Outcome {
    if call.count() == 1 {
        return unary(call, natural);
    }
    let (base, x) = (call.double(0)?, call.double(1)?);
    let (over, under) = (some(natural(x))?, some(natural(base))?);
    if under == 0.0 { Err(Stop::Null) } else { finite(call, over / under) }
}
