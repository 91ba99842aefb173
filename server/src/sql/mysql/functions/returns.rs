//! The types that functions return, for those whose type is the same whatever they take, and what several share.
//!
//! A type that is one function's own stands beside that function.

use crate::sql::mysql::functions::definition::Argument;
use crate::sql::mysql::types::Type;

/// Digits of a second of what is no exact number of them.
const DIGITS_MAX: u8 = 6;

/// BIGINT.
pub fn int(_: &[Argument]) -> Type {
    Type::Int
}

/// A condition: BIGINT where it is a number, true or false in JSON.
pub fn bool(_: &[Argument]) -> Type {
    Type::Bool
}

/// BIGINT UNSIGNED.
pub fn uint(_: &[Argument]) -> Type {
    Type::UInt
}

/// DOUBLE.
pub fn double(_: &[Argument]) -> Type {
    Type::Double
}

/// TEXT.
pub fn text(_: &[Argument]) -> Type {
    Type::Text
}

/// BLOB.
pub fn bytes(_: &[Argument]) -> Type {
    Type::Bytes
}

/// JSON.
pub fn json(_: &[Argument]) -> Type {
    Type::Json
}

/// DATE.
pub fn date(_: &[Argument]) -> Type {
    Type::Date
}

/// Text of texts; bytes if some of the arguments are bytes.
pub fn letters(args: &[Argument]) -> Type {
    match args.iter().any(|arg| arg.data_type == Type::Bytes) {
        true => Type::Bytes,
        false => Type::Text,
    }
}

/// The digits of a second that a type has: 0, 3 or 6.
pub fn unit_digits(digits: u8) -> u8 {
    match digits {
        0 => 0,
        1..=3 => 3,
        _ => DIGITS_MAX,
    }
}

/// The digits of a second that an argument has when it is read as a time: a constant text has those written in it.
pub fn second_digits(arg: Option<&Argument>) -> u8 {
    let Some(arg) = arg else { return 0 };
    if let (true, Some(constant)) = (arg.data_type.is_textual(), &arg.constant) {
        // A text may be read either way, and has a fraction where it is read the right way.
        let (datetime, time) = (constant.to_datetime(), constant.to_time());
        let digits = datetime.map(|(_, digits)| digits).max(time.map(|(_, digits)| digits));
        return unit_digits(digits.unwrap_or(DIGITS_MAX));
    }
    unit_digits(arg.data_type.second_digits())
}

/// TIME with the digits of the first argument.
pub fn time(args: &[Argument]) -> Type {
    Type::Time(second_digits(args.first()))
}

/// TIME with the digits of whichever argument has the most.
pub fn time_of_all(args: &[Argument]) -> Type {
    Type::Time(args.iter().map(|arg| second_digits(Some(arg))).max().unwrap_or(0))
}
