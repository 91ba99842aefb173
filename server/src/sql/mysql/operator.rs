//! MySQL's operators, and functions that are no plain ones: what decides their type, and what of them is evaluated at all.
//!
//! Trees of SQL call them by a name that nobody can type ([`super::rewrite`]); they are gone when a plan is lowered
//! ([`super::lower`]).

use super::functions::definition::{ANY, Argument};
use super::types::Type;
use super::value::Value;

/// An operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `a + b * …`: operators of one text, then what they are between, from left to right.
    Chain,
    /// A condition: anything but 0.
    Truth,
    /// `a AND b AND …`.
    And,
    /// `a OR b OR …`.
    Or,
    /// `a XOR b`.
    Xor,
    /// `NOT a`.
    Not,
    /// `-a`.
    Negate,
    /// `~a`.
    BitNot,
    /// `a BETWEEN b AND c`.
    Between,
    /// `a IN (b, …)`.
    InList,
    /// `CASE WHEN a THEN b … ELSE c END`.
    Case,
    /// The first that is not NULL.
    Coalesce,
    /// NULL if both are equal.
    NullIf,
    /// The largest.
    Greatest,
    /// The smallest.
    Least,
    /// `CAST(a AS type)`: the type is a text.
    Cast,
    /// What SUM adds.
    Summand,
    /// What an aggregate came to: a double that none is, is out of range.
    Total,
    /// As a DOUBLE.
    Double,
    /// As a BIGINT.
    Signed,
    /// As 64 bits.
    Bits,
    /// As text.
    Text,
    /// The instant at which the statement began: which form of it, and digits of a second.
    Now,
}

impl Operator {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::Chain,
        Self::Truth,
        Self::And,
        Self::Or,
        Self::Xor,
        Self::Not,
        Self::Negate,
        Self::BitNot,
        Self::Between,
        Self::InList,
        Self::Case,
        Self::Coalesce,
        Self::NullIf,
        Self::Greatest,
        Self::Least,
        Self::Cast,
        Self::Summand,
        Self::Total,
        Self::Double,
        Self::Signed,
        Self::Bits,
        Self::Text,
        Self::Now,
    ];

    /// Its name in a tree.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chain => "#chain",
            Self::Truth => "#truth",
            Self::And => "#and",
            Self::Or => "#or",
            Self::Xor => "#xor",
            Self::Not => "#not",
            Self::Negate => "#negate",
            Self::BitNot => "#bit_not",
            Self::Between => "#between",
            Self::InList => "#in",
            Self::Case => "#case",
            Self::Coalesce => "coalesce",
            Self::NullIf => "nullif",
            Self::Greatest => "greatest",
            Self::Least => "least",
            Self::Cast => "#cast",
            Self::Summand => "#summand",
            Self::Total => "#total",
            Self::Double => "#double",
            Self::Signed => "#signed",
            Self::Bits => "#bits",
            Self::Text => "#text",
            Self::Now => "#now",
        }
    }

    /// How many arguments it has: at least, and at most.
    pub const fn arity(self) -> (usize, usize) {
        match self {
            Self::Chain | Self::And | Self::Or | Self::InList | Self::Case => (2, ANY),
            Self::Coalesce => (1, ANY),
            Self::Greatest | Self::Least => (2, ANY),
            Self::Xor | Self::NullIf | Self::Cast | Self::Now => (2, 2),
            Self::Between => (3, 3),
            Self::Truth
            | Self::Not
            | Self::Negate
            | Self::BitNot
            | Self::Summand
            | Self::Total
            | Self::Double
            | Self::Signed
            | Self::Bits
            | Self::Text => (1, 1),
        }
    }

    /// How it is written.
    pub const fn usage(self) -> &'static str {
        match self {
            Self::Coalesce => "COALESCE(value, …)",
            Self::NullIf => "NULLIF(value, other)",
            Self::Greatest => "GREATEST(value, other, …)",
            Self::Least => "LEAST(value, other, …)",
            other => other.name(),
        }
    }

    /// The type of its value.
    pub fn returns(self, args: &[Argument]) -> Type {
        let type_at = |at: usize| args.get(at).map_or(Type::Null, |arg| arg.data_type);
        let types = || args.iter().map(|arg| arg.data_type);
        match self {
            Self::Truth | Self::And | Self::Or | Self::Xor | Self::Not | Self::Between | Self::InList => Type::Bool,
            Self::Chain => match args.first().and_then(|ops| ops.constant.as_ref()).and_then(|ops| ops.to_text()) {
                Some(ops) => {
                    let ops = ops.chars().map(Binary::of_sign);
                    ops.zip(args.iter().skip(2)).fold(type_at(1), |left, (op, right)| op.returns(left, right.data_type))
                }
                None => Type::Null,
            },
            Self::Negate => match type_at(0).number() {
                // A literal below all BIGINTs becomes an exact number; values of columns have to fit.
                Type::UInt if args[0].constant.as_ref().and_then(Value::to_whole) > Some(1 << 63) => {
                    Type::Decimal(20, 0)
                }
                Type::UInt | Type::Null => Type::Int,
                other => other,
            },
            Self::BitNot | Self::Bits => Type::UInt,
            Self::Case => {
                let count = args.len();
                Type::merged_all(
                    (0..count).filter(|at| at % 2 == 1 || (at + 1 == count && count % 2 == 1)).map(type_at),
                )
            }
            Self::Coalesce => Type::merged_all(types()),
            Self::NullIf | Self::Total => type_at(0),
            Self::Greatest | Self::Least => extreme(types()),
            Self::Cast => args.get(1).and_then(|name| name.constant.as_ref()).and_then(|name| name.to_text()).map_or(
                Type::Null,
                |name| match Target::parse(&name) {
                    Some(target) => target.returns(type_at(0)),
                    None => Type::Null,
                },
            ),
            Self::Summand => type_at(0).summand(),
            Self::Double => Type::Double,
            Self::Signed => Type::Int,
            Self::Text => Type::Text,
            Self::Now => {
                let digits = args.get(1).and_then(Argument::constant_int).unwrap_or(0);
                let digits = u8::try_from(digits).unwrap_or(0);
                match args.first().and_then(|form| form.constant.as_ref()).and_then(|form| form.to_text()).as_deref() {
                    Some("date" | "utc_date") => Type::Date,
                    Some("time" | "utc_time") => Type::Time(digits),
                    _ => Type::DateTime(digits),
                }
            }
        }
    }
}

/// What GREATEST and LEAST return: a number if there is one, as MariaDB has it; else what holds all.
fn extreme(types: impl Iterator<Item = Type> + Clone) -> Type {
    let has_number = types.clone().any(|one| {
        matches!(one.number(), Type::Int | Type::UInt | Type::Decimal(..)) && !one.is_temporal() || one == Type::Double
    });
    let has_text = types.clone().any(Type::is_textual);
    let has_date = types.clone().any(Type::has_date);
    match (has_number, has_text, has_date) {
        (true, true, false) => Type::Double,
        (_, _, true) => {
            Type::merged_all(types.map(|one| if one.has_date() { one } else { Type::DateTime(one.second_digits()) }))
        }
        _ => match Type::merged_all(types) {
            Type::Bool => Type::Int,
            other => other,
        },
    }
}

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binary {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `DIV`
    DivideWhole,
    /// `%`
    Remainder,
    /// `&`
    BitAnd,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<=>`
    Same,
}

/// Each with its letter in the text of a chain, and as it is typed.
const SIGNS: [(Binary, char, &str); 18] = [
    (Binary::Add, '+', "+"),
    (Binary::Subtract, '-', "-"),
    (Binary::Multiply, '*', "*"),
    (Binary::Divide, '/', "/"),
    (Binary::DivideWhole, 'd', "DIV"),
    (Binary::Remainder, '%', "%"),
    (Binary::BitAnd, '&', "&"),
    (Binary::BitOr, '|', "|"),
    (Binary::BitXor, '^', "^"),
    (Binary::ShiftLeft, 'l', "<<"),
    (Binary::ShiftRight, 'r', ">>"),
    (Binary::Equal, '=', "="),
    (Binary::NotEqual, '!', "<>"),
    (Binary::Less, '<', "<"),
    (Binary::LessOrEqual, 'L', "<="),
    (Binary::Greater, '>', ">"),
    (Binary::GreaterOrEqual, 'G', ">="),
    (Binary::Same, 's', "<=>"),
];

impl Binary {
    /// The operator of a letter.
    pub fn of_sign(sign: char) -> Self {
        SIGNS.iter().find(|(_, letter, _)| *letter == sign).map_or(Self::Add, |(op, ..)| *op)
    }

    /// Its letter.
    pub fn sign(self) -> char {
        SIGNS.iter().find(|(op, ..)| *op == self).map_or('+', |(_, letter, _)| *letter)
    }

    /// As it is typed.
    pub fn typed(self) -> &'static str {
        SIGNS.iter().find(|(op, ..)| *op == self).map_or("+", |(.., typed)| typed)
    }

    /// Whether it compares.
    pub fn is_comparison(self) -> bool {
        use Binary::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual, Same};
        matches!(self, Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual | Same)
    }

    /// The comparison that says the same of its sides the other way round.
    pub fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    /// The type of its value.
    pub fn returns(self, left: Type, right: Type) -> Type {
        match self {
            Self::Add => left.arithmetic('+', right),
            Self::Subtract => left.arithmetic('-', right),
            Self::Multiply => left.arithmetic('*', right),
            Self::Divide => left.quotient(right),
            Self::DivideWhole if left.number() == Type::UInt || right.number() == Type::UInt => Type::UInt,
            Self::DivideWhole => Type::Int,
            Self::Remainder => left.remainder(right),
            Self::BitAnd | Self::BitOr | Self::BitXor | Self::ShiftLeft | Self::ShiftRight => Type::UInt,
            _ => Type::Bool,
        }
    }
}

/// The type of a CAST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// SIGNED.
    Signed,
    /// UNSIGNED.
    Unsigned,
    /// CHAR, of so many characters at most.
    Char(Option<usize>),
    /// BINARY, of so many bytes.
    Binary(Option<usize>),
    /// Any other type.
    Plain(Type),
    /// YEAR.
    Year,
}

impl Target {
    /// The type of that name, as `DECIMAL(10,2)`.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_uppercase();
        let (word, numbers) = match name.split_once('(') {
            Some((word, numbers)) => (word.trim(), numbers.trim_end_matches([')', ' '])),
            None => (name.as_str(), ""),
        };
        let numbers: Vec<usize> = numbers
            .split(',')
            .filter(|text| !text.trim().is_empty())
            .map(|text| text.trim().parse().ok())
            .collect::<Option<_>>()?;
        let digits =
            || numbers.first().map_or(Some(0), |digits| u8::try_from(*digits).ok().filter(|digits| *digits <= 6));
        Some(match word {
            "SIGNED" | "SIGNED INTEGER" | "INT" | "INTEGER" | "BIGINT" | "SMALLINT" | "TINYINT" | "MEDIUMINT" => {
                Self::Signed
            }
            "UNSIGNED" | "UNSIGNED INTEGER" | "BIGINT UNSIGNED" | "INT UNSIGNED" => Self::Unsigned,
            "CHAR" | "VARCHAR" | "NCHAR" | "CHARACTER" => Self::Char(numbers.first().copied()),
            "TEXT" => Self::Char(None),
            "BINARY" | "VARBINARY" => Self::Binary(numbers.first().copied()),
            "BLOB" => Self::Binary(None),
            "DECIMAL" | "DEC" | "NUMERIC" => {
                let precision = u8::try_from(numbers.first().copied().unwrap_or(10)).ok()?;
                let scale = u8::try_from(numbers.get(1).copied().unwrap_or(0)).ok()?;
                let legal = (1..=65).contains(&precision) && scale <= 30 && scale <= precision;
                legal.then_some(Self::Plain(Type::Decimal(precision, scale)))?
            }
            "DOUBLE" | "FLOAT" | "REAL" | "DOUBLE PRECISION" => Self::Plain(Type::Double),
            "DATE" => Self::Plain(Type::Date),
            "DATETIME" | "TIMESTAMP" => Self::Plain(Type::DateTime(rounded_up(digits()?))),
            "TIME" => Self::Plain(Type::Time(rounded_up(digits()?))),
            "JSON" => Self::Plain(Type::Json),
            "BOOLEAN" | "BOOL" => Self::Signed,
            "YEAR" => Self::Year,
            _ => return None,
        })
    }

    /// The type of the result.
    pub fn returns(self, _: Type) -> Type {
        match self {
            Self::Signed | Self::Year => Type::Int,
            Self::Unsigned => Type::UInt,
            Self::Char(_) => Type::Text,
            Self::Binary(_) => Type::Bytes,
            Self::Plain(data_type) => data_type,
        }
    }
}

/// Digits of a second that there is a type for.
pub fn rounded_up(digits: u8) -> u8 {
    match digits {
        0 => 0,
        1..=3 => 3,
        _ => 6,
    }
}
