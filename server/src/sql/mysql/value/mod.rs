//! One SQL value as MySQL has it, and what it is as another type.
//!
//! All of MySQL's conversions are here, each once: text as the number that it begins with, a number as text, text as a
//! time, a time as a number. Functions take any value and ask it for what they need. Nothing here knows columns.

mod decimal;
mod number;
mod numeric_text;
mod temporal;

use std::borrow::Cow;

use chrono::{NaiveDate, NaiveDateTime};

use super::warnings;

pub use crate::base::text::double_text;
pub use decimal::{DIGITS_MAX, DIVISION_DIGITS, Decimal, HIDDEN_MAX, SCALE_MAX, quotient_digits};
pub use number::Number;
pub use numeric_text::{leading_number, leading_whole};
pub use temporal::{
    Clock, TIME_MICROS_MAX, date_number, has_clock, is_timestamp, parse_datetime, parse_number as datetime_of_number,
    parse_time, time_of_number, time_text, timestamp_text,
};

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// BIGINT. What is true is 1.
    Int(i64),
    /// BIGINT UNSIGNED.
    UInt(u64),
    /// DECIMAL.
    Decimal(Decimal),
    /// DOUBLE.
    Double(f64),
    /// TEXT.
    Text(Cow<'a, str>),
    /// BLOB.
    Bytes(Cow<'a, [u8]>),
    /// The text of a JSON value.
    Json(Cow<'a, str>),
    /// DATE.
    Date(NaiveDate),
    /// DATETIME, in the session's zone, with so many digits of a second.
    DateTime(NaiveDateTime, u8),
    /// TIME, with so many digits of a second.
    Time(Clock, u8),
}

/// The number that a text begins with; it is told if there is more in it.
fn number_of(text: &str) -> Number {
    let (number, is_all) = leading_number(text);
    if !is_all {
        warnings::truncated("DOUBLE", text);
    }
    number
}

/// The whole number that a text begins with; it is told if there is more in it.
fn whole_of(text: &str) -> i128 {
    let (number, is_all) = leading_number(text);
    let whole = leading_whole(text);
    let is_whole = matches!(number, Number::Exact(decimal) if decimal.scale() == 0);
    if !is_all || !is_whole {
        warnings::truncated("INTEGER", text);
    }
    whole
}

impl<'a> Value<'a> {
    /// A text of its own.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// What is true, as a number.
    pub fn bool(truth: bool) -> Self {
        Self::Int(i64::from(truth))
    }

    /// Whether it is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is text, or bytes, or the text of JSON.
    pub fn is_textual(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Bytes(_) | Self::Json(_))
    }

    /// As text; none of NULL.
    pub fn to_text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Null => return None,
            Self::Int(value) => Cow::Owned(value.to_string()),
            Self::UInt(value) => Cow::Owned(value.to_string()),
            Self::Decimal(value) => Cow::Owned(value.to_string()),
            Self::Double(value) => Cow::Owned(double_text(*value)),
            Self::Text(text) | Self::Json(text) => Cow::Borrowed(text),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes),
            Self::Date(date) => Cow::Owned(date.format("%Y-%m-%d").to_string()),
            Self::DateTime(time, digits) => Cow::Owned(timestamp_text(*time, *digits)),
            Self::Time(clock, digits) => Cow::Owned(time_text(*clock, *digits)),
        })
    }

    /// As bytes; none of NULL.
    pub fn to_bytes(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
            other => Some(match other.to_text()? {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            }),
        }
    }

    /// As a number: text is the number that it begins with, or else 0; a time is its digits. None of NULL.
    pub fn to_number(&self) -> Option<Number> {
        Some(match self {
            Self::Null => return None,
            Self::Int(value) => Number::Exact((*value).into()),
            Self::UInt(value) => Number::Exact((*value).into()),
            Self::Decimal(value) => Number::Exact(*value),
            Self::Double(value) => Number::Double(*value),
            Self::Text(text) | Self::Json(text) => number_of(text),
            Self::Bytes(bytes) => number_of(&String::from_utf8_lossy(bytes)),
            Self::Date(date) => Number::Exact(date_number(date.and_hms_opt(0, 0, 0)?, None)),
            Self::DateTime(time, digits) => Number::Exact(date_number(*time, Some(*digits))),
            Self::Time(clock, digits) => Number::Exact(clock.number(*digits)),
        })
    }

    /// As a double; none of NULL.
    pub fn to_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::UInt(value) => Some(*value as f64),
            // The sign of "-0" is lost in a decimal.
            Self::Text(text) if text.trim_start().starts_with("-0") => {
                self.to_number().map(|number| match number.is_zero() {
                    true => -0.0,
                    false => number.to_f64(),
                })
            }
            other => other.to_number().map(Number::to_f64),
        }
    }

    /// As a decimal; none of NULL, and of a double that is too large for one.
    pub fn to_decimal(&self) -> Option<Decimal> {
        match self.to_number()? {
            Number::Exact(decimal) => Some(decimal),
            Number::Double(double) => Decimal::from_f64(double),
        }
    }

    /// As a whole number between those of BIGINT and of BIGINT UNSIGNED: fractions are rounded, those of text are cut, and
    /// what is past the ends is the end. None of NULL.
    pub fn to_whole(&self) -> Option<i128> {
        const LEAST: i128 = i64::MIN as i128;
        const MOST: i128 = u64::MAX as i128;
        let clamped = |decimal: Decimal| match decimal.rounded().to_i128() {
            Some(whole) => whole.clamp(LEAST, MOST),
            None => {
                if decimal.is_negative() {
                    LEAST
                } else {
                    MOST
                }
            }
        };
        Some(match self {
            Self::Int(value) => i128::from(*value),
            Self::UInt(value) => i128::from(*value),
            Self::Text(text) | Self::Json(text) => whole_of(text).clamp(LEAST, MOST),
            Self::Bytes(bytes) => whole_of(&String::from_utf8_lossy(bytes)).clamp(LEAST, MOST),
            other => match other.to_number()? {
                Number::Exact(decimal) => clamped(decimal),
                Number::Double(double) => (double.round_ties_even() as i128).clamp(LEAST, MOST),
            },
        })
    }

    /// As a BIGINT, or the nearest one; none of NULL. What is UNSIGNED and too large is the largest.
    pub fn to_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            other => other
                .to_whole()
                .map(|whole| i64::try_from(whole).unwrap_or(if whole < 0 { i64::MIN } else { i64::MAX })),
        }
    }

    /// As 64 bits: what is negative is its two's complement; none of NULL.
    pub fn to_bits(&self) -> Option<u64> {
        if let Self::Decimal(_) = self {
            // A decimal is a BIGINT before it is bits.
            return self.to_i64().map(i64::cast_unsigned);
        }
        self.to_whole().map(|whole| match u64::try_from(whole) {
            Ok(bits) => bits,
            Err(_) if whole < 0 => i64::try_from(whole).unwrap_or(i64::MIN) as u64,
            Err(_) => u64::MAX,
        })
    }

    /// As a condition: anything but 0; none of NULL.
    pub fn to_bool(&self) -> Option<bool> {
        self.to_number().map(|number| !number.is_zero())
    }

    /// As a date and time, with its digits of a second; none of NULL and of what is no time.
    pub fn to_datetime(&self) -> Option<(NaiveDateTime, u8)> {
        match self {
            Self::Null => None,
            Self::Date(date) => Some((date.and_hms_opt(0, 0, 0)?, 0)),
            Self::DateTime(time, digits) => Some((*time, *digits)),
            Self::Text(text) | Self::Json(text) => parse_datetime(text),
            Self::Bytes(bytes) => parse_datetime(std::str::from_utf8(bytes).ok()?),
            // A time of day is one of no day that is known here.
            Self::Time(..) => None,
            Self::Int(_) | Self::UInt(_) | Self::Decimal(_) | Self::Double(_) => datetime_of_number(self.to_decimal()?),
        }
    }

    /// As a date; none of NULL and of what is no time.
    pub fn to_date(&self) -> Option<NaiveDate> {
        self.to_datetime().map(|(time, _)| time.date())
    }

    /// As a time of day, or a span of time, with its digits of a second; none of NULL and of what is none.
    pub fn to_time(&self) -> Option<(Clock, u8)> {
        match self {
            Self::Null => None,
            Self::Time(clock, digits) => Some((*clock, *digits)),
            Self::DateTime(time, digits) => Some((Clock::of_day(time.time()), *digits)),
            Self::Date(_) => Some((Clock::ZERO, 0)),
            Self::Text(text) | Self::Json(text) => parse_time(text),
            Self::Bytes(bytes) => parse_time(std::str::from_utf8(bytes).ok()?),
            Self::Int(_) | Self::UInt(_) | Self::Decimal(_) | Self::Double(_) => time_of_number(self.to_decimal()?),
        }
    }

    /// The same, owned.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Int(value) => Value::Int(value),
            Self::UInt(value) => Value::UInt(value),
            Self::Decimal(value) => Value::Decimal(value),
            Self::Double(value) => Value::Double(value),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.into_owned())),
            Self::Json(text) => Value::Json(Cow::Owned(text.into_owned())),
            Self::Date(date) => Value::Date(date),
            Self::DateTime(time, digits) => Value::DateTime(time, digits),
            Self::Time(clock, digits) => Value::Time(clock, digits),
        }
    }
}
