//! Values and rows.

use serde::{Deserialize, Serialize};

use super::DataType;

/// One value of a table. Its variants are those of [`DataType`], and NULL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// Not known or not there.
    Null,
    /// True or false.
    Bool(bool),
    /// A signed integer.
    Int64(i64),
    /// An unsigned integer.
    UInt64(u64),
    /// A double.
    Float64(f64),
    /// UTF-8 text.
    Text(String),
    /// Bytes of no known encoding.
    Bytes(Vec<u8>),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
}

/// One value a column, in the schema's order.
pub type Row = Vec<Value>;

impl Value {
    /// The type, or none for NULL, which is of every type.
    pub fn data_type(&self) -> Option<DataType> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(_) => DataType::Bool,
            Self::Int64(_) => DataType::Int64,
            Self::UInt64(_) => DataType::UInt64,
            Self::Float64(_) => DataType::Float64,
            Self::Text(_) => DataType::Text,
            Self::Bytes(_) => DataType::Bytes,
            Self::Timestamp(_) => DataType::Timestamp,
        })
    }

    /// Bytes that the value takes, roughly as stored: what row limits count.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) => 1,
            Self::Int64(_) | Self::UInt64(_) | Self::Float64(_) | Self::Timestamp(_) => 8,
            Self::Text(text) => text.len() + 4,
            Self::Bytes(bytes) => bytes.len() + 4,
        }
    }
}

macro_rules! value_from {
    ($($from:ty => $variant:ident),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

value_from!(bool => Bool, i64 => Int64, i32 => Int64, u64 => UInt64, u32 => UInt64, f64 => Float64, &str => Text, String => Text);

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
