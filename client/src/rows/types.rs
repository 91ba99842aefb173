//! Types of cells: which a column has, and what a cell is in it.

use chrono::{DateTime, NaiveDateTime};
use unum_proto::model::{Column, DataType, Invalid, Value};

use super::error::quoted;

/// A value as it was written, which is not NULL.
#[derive(Debug)]
pub(super) struct Cell {
    text: String,
    kind: Kind,
}

/// What the format says of a value's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing: CSV.
    Untyped,
    Boolean,
    Number,
    String,
    /// An array or an object, as its JSON text.
    Nested,
}

impl Cell {
    pub(super) fn untyped(text: &str) -> Self {
        Self { text: text.to_owned(), kind: Kind::Untyped }
    }

    pub(super) fn boolean(value: bool) -> Self {
        Self { text: value.to_string(), kind: Kind::Boolean }
    }

    pub(super) fn number(text: String) -> Self {
        Self { text, kind: Kind::Number }
    }

    pub(super) fn string(text: String) -> Self {
        Self { text, kind: Kind::String }
    }

    pub(super) fn nested(text: String) -> Self {
        Self { text, kind: Kind::Nested }
    }

    /// Whether a column may be given this type because of the cell. Stricter than [`convert`]: nothing of the text may
    /// get lost, as the zeros of the id `007` would, or the last digits of a long one.
    fn suggests(&self, data_type: DataType) -> bool {
        let may_be = match data_type {
            DataType::Bool => matches!(self.kind, Kind::Untyped | Kind::Boolean) && !matches!(&*self.text, "0" | "1"),
            DataType::Int64 | DataType::UInt64 => self.is_number(),
            DataType::Float64 => self.is_number() && keeps_its_digits(&self.text),
            DataType::Timestamp => matches!(self.kind, Kind::Untyped | Kind::String),
            DataType::Text => true,
            DataType::Bytes => false,
        };
        may_be && convert(&self.text, data_type).is_some()
    }

    /// Whether it is a number, and written as JSON writes one: no zeros or plus in front.
    fn is_number(&self) -> bool {
        match self.kind {
            Kind::Number => true,
            Kind::Untyped => {
                self.text.ends_with(|c: char| c.is_ascii_digit())
                    && self.text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
                    && serde_json::from_str::<f64>(&self.text).is_ok()
            }
            Kind::Boolean | Kind::String | Kind::Nested => false,
        }
    }
}

/// An integer may be longer than a double is exact.
fn keeps_its_digits(number: &str) -> bool {
    let is_integer = number.bytes().all(|c| c == b'-' || c.is_ascii_digit());
    let exact = |integer: i128| integer as f64 as i128 == integer;
    !is_integer || number.parse().is_ok_and(exact)
}

/// From the narrowest to the one that anything fits.
const INFERRED: [DataType; 6] =
    [DataType::Bool, DataType::Int64, DataType::UInt64, DataType::Float64, DataType::Timestamp, DataType::Text];

/// The narrowest type that fits all cells; text if there are none, as nothing is known of them.
pub(super) fn infer<'a>(cells: impl Iterator<Item = &'a Cell> + Clone) -> DataType {
    let mut some = cells.clone().peekable();
    let fits_all = |data_type: &DataType| cells.clone().all(|cell| cell.suggests(*data_type));
    match some.peek() {
        Some(_) => INFERRED.into_iter().find(fits_all).unwrap_or(DataType::Text),
        None => DataType::Text,
    }
}

/// The value of a cell in a column.
pub(super) fn value(cell: Option<&Cell>, column: &Column) -> Result<Value, Invalid> {
    let (name, data_type) = (&column.name, column.data_type);
    match cell {
        None if column.nullable => Ok(Value::Null),
        None => Err(Invalid::new(format!("column {name} is NULL"), "the schema says NOT NULL: write a value")),
        Some(cell) => convert(&cell.text, data_type).ok_or_else(|| {
            Invalid::new(format!("column {name} is {data_type}, not {}", quoted(&cell.text)), remedy(data_type))
        }),
    }
}

fn convert(text: &str, data_type: DataType) -> Option<Value> {
    match data_type {
        DataType::Bool => boolean(text).map(Value::Bool),
        DataType::Int64 => text.parse().ok().map(Value::Int64),
        DataType::UInt64 => text.parse().ok().map(Value::UInt64),
        DataType::Float64 => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float64),
        DataType::Text => Some(Value::Text(text.to_owned())),
        DataType::Bytes => Some(Value::Bytes(text.as_bytes().to_vec())),
        DataType::Timestamp => timestamp(text).map(Value::Timestamp),
    }
}

/// What `convert` takes for the type.
fn remedy(data_type: DataType) -> &'static str {
    match data_type {
        DataType::Bool => "write true, false, 1 or 0",
        DataType::Int64 => "write an integer of 64 bits",
        DataType::UInt64 => "write an integer of 64 bits that is not negative",
        DataType::Float64 => "write a finite number",
        DataType::Timestamp => "write it as 2026-01-31 23:59:59.123456, which is UTC, or with Z or +02:00 after it",
        DataType::Text | DataType::Bytes => "write UTF-8 text",
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// RFC 3339, a blank for the T allowed; and what else people write: a zone without a colon, slashes, the times of web servers and of
/// mail. UTC unless it has a zone. Digits after the microseconds are dropped.
fn timestamp(text: &str) -> Option<i64> {
    let zoned = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc3339(&format!("{text}Z")));
    let zoned = zoned.ok().or_else(|| {
        // Nothing else begins so.
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) || text.len() < 15 || text.len() > 40 {
            return None;
        }
        let formats = ZONED.iter().find_map(|format| DateTime::parse_from_str(text, format).ok());
        let plain = || PLAIN.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
        formats.or_else(|| DateTime::parse_from_rfc2822(text).ok()).or_else(|| Some(plain()?.and_utc().fixed_offset()))
    });
    zoned.map(|time| time.timestamp_micros())
}

/// Times with a zone.
const ZONED: [&str; 6] = [
    "%Y-%m-%dT%H:%M:%S%.f%z",
    "%Y-%m-%d %H:%M:%S%.f %z",
    "%d/%b/%Y:%H:%M:%S %z",
    "%Y/%m/%d %H:%M:%S%.f %z",
    "%Y%m%dT%H%M%S%z",
    "%Y-%m-%d %H:%M:%S%.f %z UTC",
];

/// Times without.
const PLAIN: [&str; 4] = ["%Y/%m/%d %H:%M:%S%.f", "%Y%m%dT%H%M%SZ", "%a %b %e %H:%M:%S %Y", "%Y-%m-%d %H:%M:%S%.f UTC"];
