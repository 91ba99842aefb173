//! Values of rows as a column: each as the column's type, which is at least as wide as its own.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
    UInt64Builder,
};
use unum_proto::model::{DataType, Value};

use crate::base::text::{double_text, parse_timestamp, timestamp_text};

/// A value that somebody else owns.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    /// As in [`Value`], and so are the others.
    Null,
    #[expect(missing_docs)]
    Bool(bool),
    #[expect(missing_docs)]
    Int64(i64),
    #[expect(missing_docs)]
    UInt64(u64),
    #[expect(missing_docs)]
    Float64(f64),
    #[expect(missing_docs)]
    Text(&'a str),
    #[expect(missing_docs)]
    Bytes(&'a [u8]),
    #[expect(missing_docs)]
    Timestamp(i64),
}

impl<'a> From<&'a Value> for Cell<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int64(value) => Self::Int64(*value),
            Value::UInt64(value) => Self::UInt64(*value),
            Value::Float64(value) => Self::Float64(*value),
            Value::Text(value) => Self::Text(value),
            Value::Bytes(value) => Self::Bytes(value),
            Value::Timestamp(value) => Self::Timestamp(*value),
        }
    }
}

impl<'a> Cell<'a> {
    fn to_bool(self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(value) } else { None }
    }

    fn to_int64(self) -> Option<i64> {
        match self {
            Self::Bool(value) => Some(value.into()),
            Self::Int64(value) => Some(value),
            Self::UInt64(value) => i64::try_from(value).ok(),
            _ => None,
        }
    }

    fn to_uint64(self) -> Option<u64> {
        match self {
            Self::Bool(value) => Some(value.into()),
            Self::Int64(value) => u64::try_from(value).ok(),
            Self::UInt64(value) => Some(value),
            _ => None,
        }
    }

    fn to_float64(self) -> Option<f64> {
        match self {
            Self::Bool(value) => Some(u8::from(value).into()),
            Self::Int64(value) => Some(value as f64),
            Self::UInt64(value) => Some(value as f64),
            Self::Float64(value) => Some(value),
            _ => None,
        }
    }

    fn to_timestamp(self) -> Option<i64> {
        if let Self::Timestamp(value) = self { Some(value) } else { None }
    }

    fn to_text(self) -> Option<Cow<'a, str>> {
        Some(match self {
            Self::Null | Self::Bytes(_) => return None,
            // As SQL shows it.
            Self::Bool(value) => Cow::Borrowed(if value { "1" } else { "0" }),
            Self::Int64(value) => Cow::Owned(value.to_string()),
            Self::UInt64(value) => Cow::Owned(value.to_string()),
            Self::Float64(value) => Cow::Owned(double_text(value)),
            Self::Text(value) => Cow::Borrowed(value),
            Self::Timestamp(value) => Cow::Owned(timestamp_text(value)),
        })
    }

    fn to_bytes(self) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Bytes(value) => Some(Cow::Borrowed(value)),
            other => Some(match other.to_text()? {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            }),
        }
    }
}

/// A value as one of that type, which holds it without loss; NULL if it does not.
pub fn converted(value: Value, of: DataType) -> Value {
    if value.data_type().is_none_or(|own| own == of) {
        return value;
    }
    let cell = Cell::from(&value);
    let converted = match of {
        DataType::Bool => cell.to_bool().map(Value::Bool),
        DataType::Int64 => cell.to_int64().map(Value::Int64),
        DataType::UInt64 => cell.to_uint64().map(Value::UInt64),
        DataType::Float64 => cell.to_float64().map(Value::Float64),
        DataType::Text => cell.to_text().map(|text| Value::Text(text.into_owned())),
        DataType::Bytes => cell.to_bytes().map(|bytes| Value::Bytes(bytes.into_owned())),
        DataType::Timestamp => cell.to_timestamp().map(Value::Timestamp),
    };
    converted.unwrap_or(Value::Null)
}

/// A value as one of a type that may be narrower than its own; none if it is no such value. How a text writes a number gets
/// lost, as in `007`, and nothing else.
pub fn narrowed(value: &Value, of: DataType) -> Option<Value> {
    if value.fits(of) {
        return Some(converted(value.clone(), of));
    }
    let text = |text: &str| match of {
        DataType::Bool => match text {
            "1" | "true" => Some(Value::Bool(true)),
            "0" | "false" => Some(Value::Bool(false)),
            _ => None,
        },
        DataType::Int64 => text.parse().ok().map(Value::Int64),
        DataType::UInt64 => text.parse().ok().map(Value::UInt64),
        DataType::Float64 => {
            let keeps =
                |double: &f64| text.parse::<i128>().map_or(double.is_finite(), |whole| *double as i128 == whole);
            text.parse().ok().filter(keeps).map(Value::Float64)
        }
        DataType::Timestamp => parse_timestamp(text).map(Value::Timestamp),
        DataType::Text | DataType::Bytes => None,
    };
    match (value, of) {
        (Value::Bytes(bytes), DataType::Text) => String::from_utf8(bytes.clone()).ok().map(Value::Text),
        (Value::Bytes(bytes), _) => std::str::from_utf8(bytes).ok().and_then(text),
        (Value::Text(value), _) => text(value),
        (Value::Int64(_) | Value::UInt64(_) | Value::Float64(_), _) => text(&Cell::from(value).to_text()?),
        _ => None,
    }
}

/// One column. What does not fit its type is NULL; a push that has such a value makes the type a wider one.
pub fn build<'a>(data_type: DataType, cells: impl Iterator<Item = Cell<'a>>) -> ArrayRef {
    macro_rules! column {
        ($builder:expr, $read:ident) => {{
            let mut builder = $builder;
            cells.for_each(|cell| builder.append_option(cell.$read()));
            Arc::new(builder.finish())
        }};
    }
    match data_type {
        DataType::Bool => column!(BooleanBuilder::new(), to_bool),
        DataType::Int64 => column!(Int64Builder::new(), to_int64),
        DataType::UInt64 => column!(UInt64Builder::new(), to_uint64),
        DataType::Float64 => column!(Float64Builder::new(), to_float64),
        DataType::Text => column!(StringBuilder::new(), to_text),
        DataType::Bytes => column!(BinaryBuilder::new(), to_bytes),
        DataType::Timestamp => column!(TimestampMicrosecondBuilder::new(), to_timestamp),
    }
}
