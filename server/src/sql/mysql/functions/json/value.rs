//! A JSON value as MySQL has it: shown as text, compared. It is read from text in [`super::parse`]. It knows no functions.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use crate::sql::mysql::value::{Decimal, double_text};

/// A key of an object. They are sorted by length, then by their bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(pub String);

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`, which is not NULL.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number that is too large for a BIGINT.
    UInt(u64),
    /// Any other number.
    Double(f64),
    /// An exact decimal, which only values of SQL are.
    Decimal(Decimal),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(BTreeMap<Key, Json>),
}

impl Json {
    /// How many levels it has: a scalar has one.
    pub fn depth(&self) -> usize {
        match self {
            Self::Array(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Self::Object(members) => 1 + members.values().map(Self::depth).max().unwrap_or(0),
            _ => 1,
        }
    }

    /// Its elements: what is no array is one of itself.
    pub fn into_items(self) -> Vec<Self> {
        match self {
            Self::Array(items) => items,
            other => vec![other],
        }
    }

    /// The number that it is.
    fn number(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::UInt(number) => Some(*number as f64),
            Self::Double(number) => Some(*number),
            Self::Decimal(number) => Some(number.to_f64()),
            _ => None,
        }
    }

    /// Whether they are the same value: numbers are by what they are, not by how they are written.
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::UInt(a), Self::UInt(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Self::Object(a), Self::Object(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|((key_a, a), (key_b, b))| key_a == key_b && a.same(b))
            }
            _ => match (self.number(), other.number()) {
                (Some(a), Some(b)) => a == b,
                _ => self == other,
            },
        }
    }

    /// In lines, with two spaces for each level. A text of more bytes than the limit ends anywhere past it.
    pub fn pretty(&self, bytes_max: usize) -> String {
        let mut out = String::new();
        self.push_pretty(0, bytes_max, &mut out);
        out
    }

    fn push_pretty(&self, level: usize, bytes_max: usize, out: &mut String) {
        if out.len() > bytes_max {
            return;
        }
        let line = |level: usize, out: &mut String| {
            out.push('\n');
            out.push_str(&"  ".repeat(level));
        };
        match self {
            Self::Array(items) if !items.is_empty() => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    line(level + 1, out);
                    item.push_pretty(level + 1, bytes_max, out);
                }
                line(level, out);
                out.push(']');
            }
            Self::Object(members) if !members.is_empty() => {
                out.push('{');
                for (at, (key, member)) in members.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    line(level + 1, out);
                    out.push_str(&quoted(&key.0));
                    out.push_str(": ");
                    member.push_pretty(level + 1, bytes_max, out);
                }
                line(level, out);
                out.push('}');
            }
            scalar => out.push_str(&scalar.to_string()),
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::UInt(number) => write!(f, "{number}"),
            Self::Decimal(number) => write!(f, "{number}"),
            Self::Double(number) => {
                // A double is told apart from a whole number.
                let text = double_text(*number);
                let whole = !text.contains(['.', 'e']);
                write!(f, "{text}{}", if whole { ".0" } else { "" })
            }
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Array(items) => {
                f.write_str("[")?;
                for (at, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (at, (key, member)) in members.iter().enumerate() {
                    write!(f, "{}{}: {member}", if at == 0 { "" } else { ", " }, quoted(&key.0))?;
                }
                f.write_str("}")
            }
        }
    }
}

/// A text as a JSON string.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
