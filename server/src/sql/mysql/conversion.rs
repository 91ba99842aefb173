//! Conversions that are functions: what CAST does, and what an operator needs of its sides.

use std::borrow::Cow;

use chrono::{Datelike, Duration, NaiveDateTime, Timelike};

use super::functions::definition::{Call, Definition, Stop, some};
use super::types::Type;
use super::value::{Decimal, Value};

/// A value as one of the type of the call.
pub static CONVERT: Definition = Definition::new(
    "convert",
    "CAST(value AS type)",
    (1, 1),
    |_| Type::Null,
    |call| Ok(call.any(0).clone().into_owned()),
);

/// A condition: anything but 0.
pub static TRUTH: Definition =
    Definition::new("is_true", "value", (1, 1), |_| Type::Bool, |call| Ok(Value::bool(some(call.any(0).to_bool())?)));

/// A sum, a variance, a deviation.
pub static FINITE: Definition = Definition::new(
    "total",
    "SUM(value)",
    (1, 1),
    |_| Type::Double,
    |call| match call.double(0)? {
        finite if finite.is_finite() => Ok(Value::Double(finite)),
        _ => Err(Stop::error(
            "DOUBLE value is out of range in an aggregate; CAST(… AS DECIMAL(65,30)), or leave rows out",
        )),
    },
);

/// `-a`.
pub static NEGATE: Definition = Definition::new(
    "negate",
    "-value",
    (1, 1),
    |_| Type::Null,
    |call| {
        let range = |what: &dyn std::fmt::Display| {
            let name = call.returns.name();
            Stop::error(format!("{} value is out of range in '-({what})'", name.split('(').next().unwrap_or_default()))
        };
        match call.returns {
            Type::Int => {
                let whole = some(call.any(0).to_whole())?;
                i64::try_from(-whole).map(Value::Int).map_err(|_| range(&whole))
            }
            Type::Decimal(..) => call.decimal(0).map(|decimal| Value::Decimal(decimal.negated())),
            _ => call.double(0).map(|double| Value::Double(-double)),
        }
    },
);

/// `~a`.
pub static BIT_NOT: Definition =
    Definition::new("bit_not", "~value", (1, 1), |_| Type::UInt, |call| call.bits(0).map(|bits| Value::UInt(!bits)));

/// 64 bits.
pub static BITS: Definition =
    Definition::new("bits", "value", (1, 1), |_| Type::UInt, |call| call.bits(0).map(Value::UInt));

/// `CAST(a AS SIGNED)`: what is UNSIGNED and too large is negative, anything else too large is the largest.
pub static SIGNED: Definition = Definition::new(
    "signed",
    "CAST(value AS SIGNED)",
    (1, 1),
    |_| Type::Int,
    |call| {
        Ok(Value::Int(match call.value(0)? {
            Value::Int(value) => *value,
            Value::UInt(value) => value.cast_signed(),
            text if text.is_textual() => match some(text.to_whole())? {
                whole if whole > i128::from(i64::MAX) => u64::try_from(whole).unwrap_or(u64::MAX).cast_signed(),
                whole => i64::try_from(whole).unwrap_or(i64::MIN),
            },
            other => some(other.to_i64())?,
        }))
    },
);

/// `CAST(a AS UNSIGNED)`: what is negative is its two's complement.
pub static UNSIGNED: Definition = Definition::new(
    "unsigned",
    "CAST(value AS UNSIGNED)",
    (1, 1),
    |_| Type::UInt,
    |call| match call.value(0)? {
        // A decimal below 0 is 0.
        Value::Decimal(decimal) if decimal.is_negative() => Ok(Value::UInt(0)),
        other => some(other.to_bits()).map(Value::UInt),
    },
);

/// `CAST(a AS CHAR(n))`: the first characters.
pub static CHARACTERS: Definition = Definition::new(
    "characters",
    "CAST(value AS CHAR(n))",
    (2, 2),
    |_| Type::Text,
    |call| {
        let (text, count) = (call.text(0)?, call.int(1)?);
        let end = usize::try_from(count)
            .ok()
            .and_then(|count| text.char_indices().nth(count))
            .map_or(text.len(), |(at, _)| at);
        Ok(Value::text(text[..end].to_owned()))
    },
);

/// `CAST(a AS BINARY(n))`: so many bytes, with zeros behind.
pub static BYTES: Definition = Definition::new(
    "binary",
    "CAST(value AS BINARY(n))",
    (2, 2),
    |_| Type::Bytes,
    |call| {
        let (bytes, count) = (call.bytes(0)?, usize::try_from(call.int(1)?).map_err(|_| Stop::Null)?);
        call.allow(count)?;
        let mut bytes = bytes.into_owned();
        bytes.resize(count, 0);
        Ok(Value::Bytes(Cow::Owned(bytes)))
    },
);

/// `CAST(a AS DECIMAL(p, s))`: rounded; what has more digits is the number with the most.
pub static DECIMAL: Definition = Definition::new(
    "decimal",
    "CAST(value AS DECIMAL(p, s))",
    (1, 1),
    |_| Type::Null,
    |call| {
        let Type::Decimal(precision, scale) = call.returns else { return Err(Stop::Null) };
        let number = call.number(0)?;
        let most = || {
            let nines = Decimal::parse(&"9".repeat(usize::from(precision)));
            nines.map(|nines| Decimal::new(nines.unscaled(), scale))
        };
        let rounded = call.any(0).to_decimal().and_then(|decimal| decimal.rescaled(scale));
        let fits = rounded.filter(|decimal| decimal.digits() <= precision);
        some(match fits {
            Some(fits) => Some(fits),
            None if number.to_f64() < 0.0 => most().map(Decimal::negated),
            None => most(),
        })
        .map(Value::Decimal)
    },
);

/// `CAST(a AS DATETIME(n))` and `TIME(n)`: rounded to the digits of a second.
pub static TEMPORAL: Definition = Definition::new(
    "temporal",
    "CAST(value AS DATETIME)",
    (1, 1),
    |_| Type::Null,
    |call| match call.returns {
        Type::DateTime(digits) => {
            let (time, _) = datetime_or_today(call)?;
            some(rounded(time, digits)).map(|time| Value::DateTime(time, digits))
        }
        Type::Time(digits) => {
            let (clock, _) = call.time(0)?;
            let step = 10_i64.pow(u32::from(6_u8.saturating_sub(digits)));
            let micros = (clock.micros().abs() + step / 2) / step * step * clock.micros().signum();
            Ok(Value::Time(super::value::Clock::clamped(micros), digits))
        }
        _ => call.date(0).map(Value::Date),
    },
);

fn datetime_or_today(call: &Call<'_>) -> Result<(NaiveDateTime, u8), Stop> {
    call.datetime(0)
}

fn rounded(time: NaiveDateTime, digits: u8) -> Option<NaiveDateTime> {
    let step = 10_i64.pow(u32::from(6_u8.saturating_sub(digits)));
    let micros = i64::from(time.nanosecond() / 1_000);
    let up = (micros + step / 2) / step * step - micros;
    time.checked_add_signed(Duration::microseconds(up)).filter(|time| (0..=9999).contains(&time.year()))
}

/// `CAST(a AS YEAR)`.
pub static YEAR: Definition = Definition::new(
    "to_year",
    "CAST(value AS YEAR)",
    (1, 1),
    |_| Type::Int,
    |call| {
        let year = call.int(0)?;
        Ok(Value::Int(match year {
            0 => 0,
            1..70 => 2000 + year,
            70..100 => 1900 + year,
            1901..=2155 => year,
            _ => return Err(Stop::Null),
        }))
    },
);

/// JSON from text that is JSON, or from any other value.
pub static JSON: Definition = Definition::new(
    "to_json",
    "CAST(value AS JSON)",
    (1, 1),
    |_| Type::Json,
    |call| {
        let text = call.text(0)?;
        match call.value(0)? {
            Value::Json(_) | Value::Int(_) | Value::UInt(_) | Value::Decimal(_) | Value::Double(_) => {
                Ok(Value::Json(text.into_owned().into()))
            }
            Value::Text(_) | Value::Bytes(_) => match serde_json::from_str::<serde_json::Value>(&text) {
                Ok(_) => Ok(Value::Json(text.into_owned().into())),
                Err(e) => Err(Stop::error(format!("{text:?} is no JSON: {e}"))),
            },
            _ => Ok(Value::Json(serde_json::Value::String(text.into_owned()).to_string().into())),
        }
    },
);
