//! The scalars of a configuration file.

use std::collections::BTreeMap;
use std::ops::Range;

use unum_proto::model::ConfigType;

/// A scalar of a file: what it is, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scalar {
    pub(super) value: String,
    pub(super) data_type: ConfigType,
    /// Its bytes in the text, quotes included.
    pub(super) at: Range<usize>,
}

/// By key.
pub(super) type Scalars = BTreeMap<String, Scalar>;

/// A type for a text that is not quoted.
pub(super) fn type_of(text: &str) -> ConfigType {
    match text {
        "true" | "false" => ConfigType::Boolean,
        _ if text.parse::<i64>().is_ok() => ConfigType::Integer,
        _ if text.parse::<f64>().is_ok_and(f64::is_finite) => ConfigType::Number,
        _ => ConfigType::Text,
    }
}
