//! A number of any kind.

use std::cmp::Ordering;

use super::decimal::Decimal;

/// A number, exact where it can be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number or a decimal.
    Exact(Decimal),
    /// A double.
    Double(f64),
}

impl Number {
    /// The nearest double.
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Exact(decimal) => decimal.to_f64(),
            Self::Double(double) => double,
        }
    }

    /// How it compares with another one: exactly if both are exact.
    pub fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) => a.cmp(&b),
            (a, b) => a.to_f64().partial_cmp(&b.to_f64()).unwrap_or(Ordering::Equal),
        }
    }

    /// Whether it is 0.
    pub fn is_zero(self) -> bool {
        match self {
            Self::Exact(decimal) => decimal.is_zero(),
            Self::Double(double) => double == 0.0,
        }
    }
}
