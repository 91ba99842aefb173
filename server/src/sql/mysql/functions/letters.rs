//! Texts and bytes as the same thing to functions of texts: a row of letters.
//!
//! MySQL's functions of texts work on characters of text and on the bytes of what is binary. Here a byte of what is
//! binary is the character of that number, so that each function is written once. It owns no function.

use std::borrow::Cow;

use crate::sql::mysql::functions::definition::{Call, Outcome, Stop};
use crate::sql::mysql::types::Type;
use crate::sql::mysql::value::Value;

/// Whether a call is about bytes: one argument that is makes all of them so.
pub fn is_binary(call: &Call<'_>) -> bool {
    call.returns == Type::Bytes || call.args.iter().any(|arg| matches!(arg, Value::Bytes(_)))
}

/// The letters of an argument; ends the evaluation if it is NULL.
pub fn letters<'a>(call: &Call<'a>, at: usize) -> Result<Cow<'a, str>, Stop> {
    match is_binary(call) {
        true => Ok(Cow::Owned(call.bytes(at)?.iter().map(|byte| char::from(*byte)).collect())),
        false => call.text(at),
    }
}

/// The result that those letters are.
pub fn made(call: &Call<'_>, text: impl Into<String>) -> Outcome {
    let text = text.into();
    match call.returns {
        // What is no byte comes from no argument, so that nothing is lost here.
        Type::Bytes => Ok(Value::Bytes(text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect())),
        _ => Ok(Value::text(text)),
    }
}

/// The number that a count of letters is as a result.
pub fn count(number: usize) -> Outcome {
    Ok(Value::Int(i64::try_from(number).unwrap_or(i64::MAX)))
}
