//! The configuration of nodes: what a key may hold, what is wanted of it, and what came of that.
//!
//! A node publishes its configuration as the table [`CONFIG_TABLE`], one row a key. What it is to be changed to comes back
//! to it as [`DesiredValue`]s, and the node says what came of each as a [`ConfigReport`].

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::invalid::{at_most, quoted};
use super::limits::{CONFIG_ERROR_BYTES_MAX, CONFIG_KEY_BYTES_MAX, CONFIG_VALUE_BYTES_MAX};
use super::{ChangeId, DataType, Invalid, NodeKey};

/// The table that a node publishes its configuration as.
pub const CONFIG_TABLE: &str = "config";

/// Name, type and meaning of the columns of [`CONFIG_TABLE`]. The first two are what a table of that name must have to be
/// one.
pub const CONFIG_COLUMNS: &[(&str, DataType, &str)] = &[
    ("key", DataType::Text, "the name of the setting"),
    ("value", DataType::Text, "what it is; masked where it is a secret"),
    ("type", DataType::Text, "text, integer, number, boolean, duration, size or enum(a,b): what SET CONFIG checks"),
    ("default_value", DataType::Text, "what it is when nobody sets it"),
    ("dynamic", DataType::Bool, "whether a change takes effect at once; otherwise it needs a restart"),
    ("secret", DataType::Bool, "whether its values are masked"),
    ("description", DataType::Text, "what it does"),
];

/// What stands for the value of a secret.
pub const MASK: &str = "******";

/// What a key may hold, as its node declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigType {
    /// Anything.
    Text,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// true or false, on or off, 1 or 0.
    Boolean,
    /// `500ms`, `10s`, `5m`, `1h30m`.
    Duration,
    /// `1024`, `64KiB`, `10MB`.
    Size,
    /// One of these.
    Enum(Vec<String>),
}

impl FromStr for ConfigType {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let lower = text.trim().to_lowercase();
        Ok(match lower.as_str() {
            "" | "text" | "string" => Self::Text,
            "integer" | "int" | "bigint" => Self::Integer,
            "number" | "float" | "double" => Self::Number,
            "boolean" | "bool" => Self::Boolean,
            "duration" => Self::Duration,
            "size" | "bytes" => Self::Size,
            other => match other.strip_prefix("enum(").and_then(|rest| rest.strip_suffix(')')) {
                Some(names) => Self::Enum(names.split(',').map(|name| name.trim().to_owned()).collect()),
                None => {
                    return Err(Invalid::new(
                        format!("the config type {} is unknown", quoted(text)),
                        "use text, integer, number, boolean, duration, size or enum(a,b)",
                    ));
                }
            },
        })
    }
}

impl fmt::Display for ConfigType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Integer => f.write_str("integer"),
            Self::Number => f.write_str("number"),
            Self::Boolean => f.write_str("boolean"),
            Self::Duration => f.write_str("duration"),
            Self::Size => f.write_str("size"),
            Self::Enum(names) => write!(f, "enum({})", names.join(",")),
        }
    }
}

impl ConfigType {
    /// Whether a value is of this type, or else what one looks like.
    pub fn check(&self, value: &str) -> Result<(), String> {
        let (fits, remedy) = match self {
            Self::Text => (true, ""),
            Self::Integer => (value.parse::<i128>().is_ok(), "write a whole number"),
            Self::Number => (value.parse::<f64>().is_ok_and(f64::is_finite), "write a number"),
            Self::Boolean => (parse_boolean(value).is_some(), "write true or false"),
            Self::Duration => (parse_duration(value).is_some(), "write it as 500ms, 10s, 5m or 1h30m"),
            Self::Size => (parse_size(value).is_some(), "write it as 1024, 64KiB or 10MB"),
            Self::Enum(names) => {
                let fits = names.iter().any(|name| name.eq_ignore_ascii_case(value));
                return if fits { Ok(()) } else { Err(format!("write one of {}", names.join(", "))) };
            }
        };
        if fits { Ok(()) } else { Err(remedy.to_owned()) }
    }

    /// Whether two values mean the same: `1m` and `60s` do.
    pub fn same(&self, a: &str, b: &str) -> bool {
        fn equal<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
            a.is_some() && a == b
        }
        a == b
            || match self {
                Self::Text => false,
                Self::Integer => equal(a.parse::<i128>().ok(), b.parse().ok()),
                Self::Number => equal(a.parse::<f64>().ok(), b.parse().ok()),
                Self::Boolean => equal(parse_boolean(a), parse_boolean(b)),
                Self::Duration => equal(parse_duration(a), parse_duration(b)),
                Self::Size => equal(parse_size(a), parse_size(b)),
                Self::Enum(_) => a.eq_ignore_ascii_case(b),
            }
    }
}

/// `true`, `on`, `yes`, `1` and their opposites.
pub fn parse_boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Some(true),
        "false" | "off" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// `1h30m` in microseconds.
fn parse_duration(text: &str) -> Option<u128> {
    const UNITS: [(&str, u128); 7] = [
        ("d", 86_400_000_000),
        ("h", 3_600_000_000),
        ("ms", 1_000),
        ("us", 1),
        ("µs", 1),
        ("m", 60_000_000),
        ("s", 1_000_000),
    ];
    let mut rest = text.trim();
    let mut total = Duration::ZERO.as_micros();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (_, micros) = UNITS.iter().find(|(unit, _)| *unit == rest[..end].trim())?;
        total = total.checked_add((number * *micros as f64) as u128)?;
        rest = &rest[end..];
    }
    Some(total)
}

/// `64KiB` in bytes. `KB` is taken for `KiB`, as TiDB and TiKV do.
fn parse_size(text: &str) -> Option<u128> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let factor: u128 = match text[digits..].trim().to_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        "p" | "pb" | "pib" => 1 << 50,
        _ => return None,
    };
    Some((number * factor as f64) as u128)
}

/// The name of a setting.
pub fn check_key(key: &str) -> Result<(), Invalid> {
    let printable = |c: char| !c.is_control() && !c.is_whitespace();
    if key.is_empty() || !key.chars().all(printable) {
        return Err(Invalid::new(
            format!("{} is not a config key", quoted(key)),
            "write it without spaces, as log.level",
        ));
    }
    at_most("the config key", key.len(), CONFIG_KEY_BYTES_MAX, "bytes")
}

/// A value of a setting.
pub fn check_value(key: &str, value: &str) -> Result<(), Invalid> {
    at_most(format_args!("the value of {key}"), value.len(), CONFIG_VALUE_BYTES_MAX, "bytes")
}

/// What a node is to set a key to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredValue {
    /// The change that wants it.
    pub change: ChangeId,
    /// The setting.
    pub key: String,
    /// Its new value.
    pub value: String,
    /// How often the node has tried.
    pub attempts: u32,
}

/// What came of one attempt to set a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConfigOutcome {
    /// It has the value.
    Applied,
    /// It has the value from its next start on.
    NeedsRestart,
    /// It could not be set; another attempt may do better.
    Failed(String),
    /// The node does not take this value.
    Rejected(String),
}

impl ConfigOutcome {
    /// The same outcome, with this made of why it is none.
    #[must_use]
    pub fn map_why(self, made: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Failed(why) => Self::Failed(made(why)),
            Self::Rejected(why) => Self::Rejected(made(why)),
            done @ (Self::Applied | Self::NeedsRestart) => done,
        }
    }
}

/// A [`ConfigOutcome`], and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigReport {
    /// The change.
    pub change: ChangeId,
    /// The setting.
    pub key: String,
    /// What came of it.
    pub outcome: ConfigOutcome,
    /// Which attempt it was, from 1. A report that is sent again has the same.
    pub attempt: u32,
}

impl ConfigReport {
    /// A report whose error is cut to what is kept.
    pub fn new(change: ChangeId, key: String, outcome: ConfigOutcome, attempt: u32) -> Self {
        let cut = |mut why: String| {
            why.truncate(why.floor_char_boundary(CONFIG_ERROR_BYTES_MAX));
            why
        };
        let outcome = outcome.map_why(cut);
        Self { change, key, outcome, attempt }
    }
}

/// What a node says of its settings at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigReports {
    /// The node.
    pub node: NodeKey,
    /// One for each key.
    pub reports: Vec<ConfigReport>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_and_compared_by_their_type() {
        let of = |text: &str| text.parse::<ConfigType>().expect(text);
        for (data_type, value, fits) in [
            ("integer", "-12", true),
            ("integer", "1.5", false),
            ("number", "1.5", true),
            ("number", "NaN", false),
            ("boolean", "ON", true),
            ("boolean", "2", false),
            ("duration", "1h30m", true),
            ("duration", "1.5s", true),
            ("duration", "90", false),
            ("duration", "s", false),
            ("duration", "", false),
            ("size", "64KiB", true),
            ("size", "64 parsecs", false),
            ("enum(debug, info)", "INFO", true),
            ("enum(debug, info)", "loud", false),
            ("text", "", true),
        ] {
            assert_eq!(of(data_type).check(value).is_ok(), fits, "{data_type} {value:?}");
        }
        for (data_type, a, b, same) in [
            ("duration", "1m", "60s", true),
            ("duration", "1m", "61s", false),
            ("size", "1MB", "1024KiB", true),
            ("boolean", "on", "true", true),
            ("integer", "007", "7", true),
            ("text", "a", "A", false),
            ("integer", "x", "y", false),
        ] {
            assert_eq!(of(data_type).same(a, b), same, "{data_type} {a:?} {b:?}");
        }
        assert!("colour".parse::<ConfigType>().is_err());
    }
}
