//! The fingerprint of a statement: what it shares with those that differ from it in their values only. Their plan is kept
//! under it.

use std::fmt::Write;

use datafusion::arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType};
use datafusion::common::ScalarValue;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use crate::sql::mysql::value::Decimal;

/// Bytes of a statement whose plan is kept: a longer one is made by a program, and seldom twice.
const KEY_BYTES_MAX: usize = 16 * 1024;

/// A statement without its values, and its values.
#[derive(Debug, Clone)]
pub struct Fingerprint {
    /// The words of the statement, and what kind of value is between them. Statements of one key have the same tree.
    pub key: String,
    /// The values, in order.
    pub literals: Vec<Literal>,
}

/// A number or a text in a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// Where it stands.
    pub at: Location,
    kind: Kind,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Decimal,
    Text,
}

impl Fingerprint {
    /// The fingerprint of a statement in a schema, apart from those with other `marks`; none if it is too long to be kept.
    pub fn new(tokens: &[TokenWithSpan], schema: &str, marks: &str) -> Option<Self> {
        let mut key = String::with_capacity(8 * tokens.len());
        key.push_str(schema);
        key.push_str(marks);
        let mut literals = Vec::new();
        for token in tokens {
            // What no statement has stands between two words.
            key.push('\u{1}');
            let (kind, text) = match &token.token {
                Token::Whitespace(_) => {
                    key.pop();
                    continue;
                }
                Token::Number(number, false) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                    (Kind::Integer, number)
                }
                Token::Number(number, false) => (Kind::Decimal, number),
                Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => (Kind::Text, text),
                other => {
                    // Writing to a String does not fail.
                    let _ = write!(key, "{other}");
                    continue;
                }
            };
            key.push_str(match kind {
                Kind::Integer => "\u{2}i",
                Kind::Decimal => "\u{2}d",
                Kind::Text => "\u{2}t",
            });
            literals.push(Literal { at: token.span.start, kind, text: text.clone() });
        }
        (key.len() <= KEY_BYTES_MAX).then_some(Self { key, literals })
    }

    /// The values that no parameter stands for.
    pub fn fixed(&self, open: &[bool]) -> Vec<&str> {
        let fixed = self.literals.iter().zip(open).filter(|(_, open)| !**open);
        fixed.map(|(literal, _)| literal.text.as_str()).collect()
    }
}

impl Literal {
    /// As it stands in the statement; none of a number that is too long to be one.
    pub fn scalar(&self) -> Option<ScalarValue> {
        match self.kind {
            Kind::Text => Some(ScalarValue::Utf8(Some(self.text.clone()))),
            Kind::Decimal => {
                let decimal = Decimal::parse(&self.text)?;
                let precision = decimal.digits().max(decimal.scale()).max(1);
                let unscaled = decimal.unscaled().to_i128().filter(|_| precision <= DECIMAL128_MAX_PRECISION)?;
                Some(ScalarValue::Decimal128(Some(unscaled), precision, decimal.scale().cast_signed()))
            }
            Kind::Integer => {
                let signed = self.text.parse().ok().map(|number| ScalarValue::Int64(Some(number)));
                signed.or_else(|| self.text.parse().ok().map(|number| ScalarValue::UInt64(Some(number))))
            }
        }
    }

    /// As a value of a column's type, if comparing with it is the same as comparing with the literal.
    pub fn value(&self, data_type: &DataType) -> Option<ScalarValue> {
        match (self.kind, data_type) {
            (Kind::Text, DataType::Utf8) => Some(ScalarValue::Utf8(Some(self.text.clone()))),
            (Kind::Integer, DataType::Int64) => self.text.parse().ok().map(|number| ScalarValue::Int64(Some(number))),
            (Kind::Integer, DataType::UInt64) => self.text.parse().ok().map(|number| ScalarValue::UInt64(Some(number))),
            (Kind::Integer | Kind::Decimal, DataType::Float64) => self
                .text
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .map(|number| ScalarValue::Float64(Some(number))),
            _ => None,
        }
    }
}
