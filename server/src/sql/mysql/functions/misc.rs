//! What belongs nowhere else.

use std::cmp::Ordering;

use crate::sql::mysql::functions::definition::{ANY, Call, Definition, Outcome};
use crate::sql::mysql::functions::letters::count;
use crate::sql::mysql::functions::returns;
use crate::sql::mysql::value::Value;

/// The functions of this file.
pub static FUNCTIONS: &[Definition] = &[
    Definition::new("interval_of", "interval(number, bound, …)", (2, ANY), returns::int, interval_of),
    Definition::new("charset", "charset(text)", (1, 1), returns::text, |call| named(call, "utf8mb4")),
    Definition::new("collation", "collation(text)", (1, 1), returns::text, |call| named(call, "utf8mb4_bin")),
];

/// How many of the bounds, which ascend, are not larger than the number; -1 of NULL.
fn interval_of(call: &Call<'_>) -> Outcome {
    let Some(number) = call.any(0).to_number() else { return Ok(Value::Int(-1)) };
    let larger = call.args.iter().skip(1).position(|bound| {
        // A bound that is NULL is not larger than anything.
        bound.to_number().is_some_and(|bound| bound.compare(number) == Ordering::Greater)
    });
    count(larger.unwrap_or(call.count() - 1))
}

/// Only text has a character set: all else is binary, but numbers and times, which are texts of it where they are read.
fn named(call: &Call<'_>, of_text: &'static str) -> Outcome {
    Ok(Value::text(match call.any(0) {
        Value::Text(_) | Value::Json(_) => of_text,
        _ => "binary",
    }))
}
