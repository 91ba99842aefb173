//! The types of columns.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataType {
    /// True or false.
    Bool,
    /// Signed 64-bit integer: SQL's BIGINT.
    Int64,
    /// Unsigned 64-bit integer: SQL's BIGINT UNSIGNED.
    UInt64,
    /// 64-bit float: SQL's DOUBLE.
    Float64,
    /// UTF-8 text.
    Text,
    /// Bytes.
    Bytes,
    /// Microseconds since the epoch, UTC.
    Timestamp,
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "BOOLEAN",
            Self::Int64 => "BIGINT",
            Self::UInt64 => "BIGINT UNSIGNED",
            Self::Float64 => "DOUBLE",
            Self::Text => "TEXT",
            Self::Bytes => "BLOB",
            Self::Timestamp => "TIMESTAMP",
        })
    }
}
