//! How two values of any types compare, and in which form two columns do.

use std::cmp::Ordering;

use chrono::{NaiveDate, NaiveDateTime};

use super::functions::definition::{Call, Definition, Outcome, Stop, some};
use super::functions::json::json_scalar;
use super::types::Type;
use super::value::{Number, Value};

/// The form that both sides of a comparison are brought into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Values of this type.
    Typed(Type),
    /// Numbers that are exact on one side and text on the other: the text of the number is the same if the numbers are.
    ExactOrText,
    /// JSON values.
    Json,
}

/// The form in which two types compare.
pub fn form(a: Type, b: Type) -> Form {
    use Type::{Bytes, Double, Json, Null, Text};
    match (a, b) {
        (Null, other) | (other, Null) => Form::Typed(if other == Null { Type::Int } else { other }),
        (a, b) if a == b => {
            if a == Json {
                Form::Json
            } else {
                Form::Typed(a)
            }
        }
        (Bytes, b) if b.is_textual() => Form::Typed(Bytes),
        (a, Bytes) if a.is_textual() => Form::Typed(Bytes),
        (Json | Text, Json | Text) => Form::Typed(Text),
        (a, b) if a.has_date() && b.has_date() => Form::Typed(Type::DateTime(a.second_digits().max(b.second_digits()))),
        (a, b) if (a.has_date() && b.is_textual()) || (b.has_date() && a.is_textual()) => {
            Form::Typed(Type::DateTime(6))
        }
        (Type::Time(a), Type::Time(b)) => Form::Typed(Type::Time(a.max(b))),
        (Type::Time(_), b) if b.is_textual() => Form::Typed(Type::Time(6)),
        (a, Type::Time(_)) if a.is_textual() => Form::Typed(Type::Time(6)),
        (Type::Time(_), b) if b.has_date() => Form::Typed(Type::DateTime(6)),
        (a, Type::Time(_)) if a.has_date() => Form::Typed(Type::DateTime(6)),
        (a, b) => match (a.number(), b.number()) {
            (Double, Double) if a.is_textual() || b.is_textual() => match a == Double || b == Double {
                true => Form::Typed(Double),
                false => Form::Typed(Text),
            },
            (Double, other) if a.is_textual() && other != Double => Form::ExactOrText,
            (other, Double) if b.is_textual() && other != Double => Form::ExactOrText,
            (a, b) if a == b => Form::Typed(a),
            (a, b) => Form::Typed(a.merged(b)),
        },
    }
}

/// How two values compare; none if one is NULL, or is not what the other is compared as.
pub fn compare(a: &Value<'_>, b: &Value<'_>) -> Option<Ordering> {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Json(a), Value::Json(b)) => Some(json_order(a, b)),
        (Value::Bytes(_), other) | (other, Value::Bytes(_)) if other.is_textual() => {
            Some(a.to_bytes()?.as_ref().cmp(b.to_bytes()?.as_ref()))
        }
        (Value::Text(_) | Value::Json(_), Value::Text(_) | Value::Json(_)) => {
            Some(a.to_text()?.as_ref().cmp(b.to_text()?.as_ref()))
        }
        (Value::Date(_) | Value::DateTime(..), other) | (other, Value::Date(_) | Value::DateTime(..))
            if other.is_textual() || matches!(other, Value::Date(_) | Value::DateTime(..)) =>
        {
            Some(a.to_datetime()?.0.cmp(&b.to_datetime()?.0))
        }
        (Value::Time(..), other) | (other, Value::Time(..))
            if other.is_textual() || matches!(other, Value::Time(..)) =>
        {
            Some(a.to_time()?.0.cmp(&b.to_time()?.0))
        }
        _ => Some(a.to_number()?.compare(b.to_number()?)),
    }
}

/// JSON values: numbers by their value, the rest by its text.
fn json_order(a: &str, b: &str) -> Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        _ => a.cmp(b),
    }
}

/// The text of a number that is the same if the numbers are.
fn numeric_key(call: &Call<'_>) -> Outcome {
    Ok(Value::text(match call.number(0)? {
        Number::Exact(decimal) => {
            let text = decimal.to_string();
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
        Number::Double(double) if double.fract() == 0.0 && double.abs() < 1e38 => format!("{}", double as i128),
        Number::Double(double) => format!("{double:e}"),
    }))
}

macro_rules! comparisons {
    ($($name:ident, $text:literal, $test:expr;)*) => {
        $(
            /// A comparison of values of any types.
            pub static $name: Definition = Definition::new($text, $text, (2, 2), |_| Type::Bool, |call| {
                let order = some(compare(call.any(0), call.any(1)))?;
                let test: fn(Ordering) -> bool = $test;
                Ok(Value::bool(test(order)))
            });
        )*
    };
}

comparisons! {
    EQUAL, "equal", Ordering::is_eq;
    NOT_EQUAL, "not_equal", Ordering::is_ne;
    LESS, "less", Ordering::is_lt;
    LESS_OR_EQUAL, "less_or_equal", Ordering::is_le;
    GREATER, "greater", Ordering::is_gt;
    GREATER_OR_EQUAL, "greater_or_equal", Ordering::is_ge;
}

/// Text as a time to compare with: what is none is before all.
pub static MOMENT: Definition = Definition::new(
    "moment",
    "moment(text)",
    (1, 1),
    |_| Type::DateTime(6),
    |call| {
        let value = call.value(0)?;
        Ok(match value.to_datetime() {
            Some((time, digits)) => Value::DateTime(time, digits),
            None => Value::DateTime(some(first_moment())?, 0),
        })
    },
);

fn first_moment() -> Option<NaiveDateTime> {
    NaiveDate::from_ymd_opt(-1, 1, 1)?.and_hms_opt(0, 0, 0)
}

/// A JSON value beside one that is none: a string without its quotes, a number as one.
pub static JSON_SCALAR: Definition = Definition::new(
    "json_scalar",
    "json_scalar(json)",
    (1, 1),
    |_| Type::Text,
    |call| match call.value(0)? {
        Value::Json(json) => match json_scalar(json) {
            Value::Null => Err(Stop::Null),
            value => Ok(value.into_owned()),
        },
        other => Ok(other.clone().into_owned()),
    },
);

/// The text of a number in [`Form::ExactOrText`].
pub static NUMERIC_KEY: Definition =
    Definition::new("numeric_key", "numeric_key(value)", (1, 1), |_| Type::Text, numeric_key);

/// A JSON value in [`Form::Json`].
pub static JSON_KEY: Definition = Definition::new(
    "json_key",
    "json_key(value)",
    (1, 1),
    |_| Type::Text,
    |call| {
        let json = call.text(0)?;
        Ok(Value::text(match json.parse::<f64>() {
            Ok(number) => format!("{number:e}"),
            Err(_) => json.into_owned(),
        }))
    },
);

/// The largest or smallest of several values.
fn extreme(call: &Call<'_>, wanted: Ordering) -> Outcome {
    let mut best = call.value(0)?;
    for at in 1..call.count() {
        let other = call.value(at)?;
        if some(compare(other, best))? == wanted {
            best = other;
        }
    }
    // A text that is no time, beside one.
    let is_none = matches!(best, Value::DateTime(time, _) if Some(*time) == first_moment());
    if is_none { Err(Stop::Null) } else { Ok(best.clone().into_owned()) }
}

/// GREATEST.
pub static GREATEST: Definition = Definition::new(
    "greatest",
    "GREATEST(value, …)",
    (2, usize::MAX),
    |_| Type::Null,
    |call| extreme(call, Ordering::Greater),
);

/// LEAST.
pub static LEAST: Definition =
    Definition::new("least", "LEAST(value, …)", (2, usize::MAX), |_| Type::Null, |call| extreme(call, Ordering::Less));
