//! MySQL's types over Arrow's: which value a column holds, and which type comes of several.
//!
//! The two JSON texts and dates of different precision are told apart by Arrow's own types, so that a type goes through
//! every operator of a plan: JSON is `LargeUtf8`, what has 0, 3 or 6 digits of a second is of that unit, a TIME is a
//! duration.

use arrow::datatypes::{DataType, TimeUnit};

use super::value::{DIGITS_MAX, DIVISION_DIGITS, HIDDEN_MAX, SCALE_MAX, quotient_digits};

/// Digits of a second of a column of a table.
pub const COLUMN_DIGITS: u8 = 6;

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// Of NULL alone.
    Null,
    /// BOOLEAN: a number that is 0 or 1.
    Bool,
    /// BIGINT.
    Int,
    /// BIGINT UNSIGNED.
    UInt,
    /// DECIMAL(precision, scale). A quotient is calculated with more digits than it shows: its scale counts them all, and its
    /// precision is above [`DIGITS_MAX`] by as many as are hidden ([`Type::exact`]).
    Decimal(u8, u8),
    /// DOUBLE.
    Double,
    /// TEXT.
    Text,
    /// BLOB.
    Bytes,
    /// JSON.
    Json,
    /// DATE.
    Date,
    /// DATETIME with 0, 3 or 6 digits of a second.
    DateTime(u8),
    /// TIME with 0, 3 or 6 digits of a second.
    Time(u8),
}

fn unit(digits: u8) -> TimeUnit {
    match digits {
        0 => TimeUnit::Second,
        1..=3 => TimeUnit::Millisecond,
        _ => TimeUnit::Microsecond,
    }
}

fn digits(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond | TimeUnit::Nanosecond => 6,
    }
}

impl From<&DataType> for Type {
    fn from(arrow: &DataType) -> Self {
        match arrow {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Bool,
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => Self::Int,
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => Self::UInt,
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale)
            | DataType::Decimal256(precision, scale) => {
                Self::Decimal((*precision).min(DIGITS_MAX + HIDDEN_MAX), u8::try_from(*scale).unwrap_or(0))
            }
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Self::Double,
            DataType::LargeUtf8 => Self::Json,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
                Self::Bytes
            }
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Timestamp(unit, _) => Self::DateTime(digits(*unit)),
            DataType::Duration(unit) => Self::Time(digits(*unit)),
            _ => Self::Text,
        }
    }
}

impl Type {
    /// Arrow's type of it.
    pub fn arrow(self) -> DataType {
        /// Digits of a Decimal128.
        const SHORT_MAX: u8 = 38;
        match self {
            Self::Null => DataType::Null,
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::UInt => DataType::UInt64,
            Self::Decimal(precision @ ..=SHORT_MAX, scale) => DataType::Decimal128(precision, scale.cast_signed()),
            Self::Decimal(precision, scale) => DataType::Decimal256(precision, scale.cast_signed()),
            Self::Double => DataType::Float64,
            Self::Text => DataType::Utf8,
            Self::Json => DataType::LargeUtf8,
            Self::Bytes => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::DateTime(digits) => DataType::Timestamp(unit(digits), None),
            Self::Time(digits) => DataType::Duration(unit(digits)),
        }
    }

    /// A DECIMAL of that many digits, as many as there may be; those in front of the point go first.
    pub fn decimal(whole: u8, scale: u8) -> Self {
        let scale = scale.min(SCALE_MAX);
        Self::Decimal(whole.saturating_add(scale).clamp(1, DIGITS_MAX), scale)
    }

    /// A DECIMAL that shows `scale` digits behind the point, and is calculated with `kept` of them.
    fn exact(whole: u8, scale: u8, kept: u8) -> Self {
        let scale = scale.min(SCALE_MAX);
        match kept.saturating_sub(scale).min(HIDDEN_MAX) {
            0 => Self::decimal(whole, scale),
            hidden => Self::Decimal(DIGITS_MAX + hidden, scale + hidden),
        }
    }

    /// Digits behind the point that it is calculated with.
    fn kept(self) -> u8 {
        match self.number() {
            Self::Decimal(_, kept) => kept,
            _ => 0,
        }
    }

    /// The type of what is shown of it, is compared and is sorted: without hidden digits.
    pub fn plain(self) -> Self {
        match self {
            Self::Decimal(precision, _) if precision > DIGITS_MAX => {
                let (whole, scale) = self.digits();
                Self::decimal(whole, scale)
            }
            other => other,
        }
    }

    /// The type in which DataFusion's SUM is exact: it adds digits to the precision, and hidden ones stay hidden.
    pub fn summand(self) -> Self {
        /// Digits that SUM adds, and those of a Decimal128.
        const ADDED: u8 = 10;
        const SHORT_MAX: u8 = 38;
        match self.number() {
            Self::Double => Self::Double,
            Self::Null => Self::Decimal(19, 0),
            Self::Decimal(precision, kept) if precision > DIGITS_MAX => Self::Decimal(precision - ADDED, kept),
            number => {
                let (whole, scale) = number.digits();
                let precision = (whole + scale).max(1);
                match precision + ADDED > SHORT_MAX {
                    true => Self::Decimal(precision.clamp(SHORT_MAX + 1, DIGITS_MAX - ADDED), scale),
                    false => Self::Decimal(precision, scale),
                }
            }
        }
    }

    /// Text, bytes or JSON.
    pub fn is_textual(self) -> bool {
        matches!(self, Self::Text | Self::Bytes | Self::Json)
    }

    /// A date, a time, or both.
    pub fn is_temporal(self) -> bool {
        matches!(self, Self::Date | Self::DateTime(_) | Self::Time(_))
    }

    /// With a date in it.
    pub fn has_date(self) -> bool {
        matches!(self, Self::Date | Self::DateTime(_))
    }

    /// Digits of a second.
    pub fn second_digits(self) -> u8 {
        match self {
            Self::DateTime(digits) | Self::Time(digits) => digits,
            Self::Text | Self::Json | Self::Bytes | Self::Double => COLUMN_DIGITS,
            Self::Decimal(..) => self.digits().1.min(COLUMN_DIGITS),
            _ => 0,
        }
    }

    /// The type of the number that it is in arithmetic.
    pub fn number(self) -> Self {
        match self {
            Self::Bool | Self::Date | Self::Time(0) | Self::DateTime(0) => Self::Int,
            Self::Null | Self::Int | Self::UInt | Self::Decimal(..) | Self::Double => self,
            Self::Time(digits) => Self::decimal(7, digits),
            Self::DateTime(digits) => Self::decimal(14, digits),
            Self::Text | Self::Bytes | Self::Json => Self::Double,
        }
    }

    /// Digits before the point and behind it of an exact number.
    pub fn digits(self) -> (u8, u8) {
        match self.number() {
            Self::Int => (19, 0),
            Self::UInt => (20, 0),
            Self::Decimal(precision, kept) => {
                let scale = kept.saturating_sub(precision.saturating_sub(DIGITS_MAX));
                (precision.min(DIGITS_MAX).saturating_sub(scale), scale)
            }
            _ => (1, 0),
        }
    }

    /// The type that holds the values of both: of CASE, COALESCE, UNION.
    pub fn merged(self, other: Self) -> Self {
        use Type::{Bool, Date, DateTime, Decimal, Double, Int, Json, Null, Text, Time, UInt};
        match (self, other) {
            (a, b) if a == b => a,
            (Null, other) | (other, Null) => other,
            (Json, _) | (_, Json) => Text,
            (a, b) if a.is_textual() || b.is_textual() => {
                if a == Self::Bytes || b == Self::Bytes {
                    Self::Bytes
                } else {
                    Text
                }
            }
            (DateTime(a), DateTime(b)) => DateTime(a.max(b)),
            (Time(a), Time(b)) => Time(a.max(b)),
            (DateTime(a) | Time(a), Date) | (Date, DateTime(a) | Time(a)) => DateTime(a),
            (DateTime(a), Time(b)) | (Time(b), DateTime(a)) => DateTime(a.max(b)),
            (a, b) if a.is_temporal() || b.is_temporal() => Text,
            (Double, _) | (_, Double) => Double,
            (Bool | Int, Bool | Int) => Int,
            (UInt, Bool) | (Bool, UInt) => UInt,
            (UInt, Int) | (Int, UInt) => Decimal(20, 0),
            (a, b) => {
                let ((whole_a, scale_a), (whole_b, scale_b)) = (a.digits(), b.digits());
                Self::exact(whole_a.max(whole_b), scale_a.max(scale_b), a.kept().max(b.kept()))
            }
        }
    }

    /// The type that holds the values of all.
    pub fn merged_all(types: impl IntoIterator<Item = Self>) -> Self {
        types.into_iter().fold(Self::Null, Self::merged)
    }

    /// The type of `+`, `-` or `*`.
    pub fn arithmetic(self, op: char, other: Self) -> Self {
        let (a, b) = (self.number(), other.number());
        let ((whole_a, scale_a), (whole_b, scale_b)) = (a.digits(), b.digits());
        match (a, b) {
            (Self::Double, _) | (_, Self::Double) => Self::Double,
            (Self::Decimal(..), _) | (_, Self::Decimal(..)) if op == '*' => {
                Self::exact(whole_a + whole_b, scale_a + scale_b, a.kept() + b.kept())
            }
            (Self::Decimal(..), _) | (_, Self::Decimal(..)) => {
                Self::exact(whole_a.max(whole_b) + 1, scale_a.max(scale_b), a.kept().max(b.kept()))
            }
            (Self::UInt, _) | (_, Self::UInt) => Self::UInt,
            _ => Self::Int,
        }
    }

    /// The type of `/`: it shows [`DIVISION_DIGITS`] more digits, and is calculated to the end of a word.
    pub fn quotient(self, other: Self) -> Self {
        let (a, b) = (self.number(), other.number());
        let ((whole, scale), (_, under)) = (a.digits(), b.digits());
        match (a, b) {
            (Self::Double, _) | (_, Self::Double) => Self::Double,
            _ => Self::exact(whole.saturating_add(under), scale + DIVISION_DIGITS, quotient_digits(a.kept(), b.kept())),
        }
    }

    /// The type of `%`.
    pub fn remainder(self, other: Self) -> Self {
        let (a, b) = (self.number(), other.number());
        let ((whole_a, scale_a), (whole_b, scale_b)) = (a.digits(), b.digits());
        match (a, b) {
            (Self::Double, _) | (_, Self::Double) => Self::Double,
            (Self::Decimal(..), _) | (_, Self::Decimal(..)) => {
                Self::exact(whole_a.max(whole_b), scale_a.max(scale_b), a.kept().max(b.kept()))
            }
            (a, _) => {
                if a == Self::UInt {
                    a
                } else {
                    Self::Int
                }
            }
        }
    }

    /// What a column of it is called in SQL.
    pub fn name(self) -> String {
        match self {
            Self::Null => "NULL".into(),
            Self::Bool => "BOOLEAN".into(),
            Self::Int => "BIGINT".into(),
            Self::UInt => "BIGINT UNSIGNED".into(),
            Self::Decimal(..) => {
                let (whole, scale) = self.digits();
                format!("DECIMAL({},{scale})", whole + scale)
            }
            Self::Double => "DOUBLE".into(),
            Self::Text => "TEXT".into(),
            Self::Bytes => "BLOB".into(),
            Self::Json => "JSON".into(),
            Self::Date => "DATE".into(),
            Self::DateTime(0) => "DATETIME".into(),
            Self::DateTime(digits) => format!("DATETIME({digits})"),
            Self::Time(0) => "TIME".into(),
            Self::Time(digits) => format!("TIME({digits})"),
        }
    }
}
