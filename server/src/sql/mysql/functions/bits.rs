//! Functions of bits. The operators of bits are the planner's.

use crate::sql::mysql::functions::definition::{Call, Definition, Outcome};
use crate::sql::mysql::functions::returns;
use crate::sql::mysql::value::Value;

/// The functions of this file.
pub static FUNCTIONS: &[Definition] =
    &[Definition::new("bit_count", "bit_count(bits)", (1, 1), returns::int, bit_count)];

/// Those of all bytes of what is binary, else of the number's 64.
fn bit_count(call: &Call<'_>) -> Outcome {
    Ok(Value::Int(match call.value(0)? {
        Value::Bytes(bytes) => bytes.iter().map(|byte| i64::from(byte.count_ones())).sum(),
        _ => call.bits(0)?.count_ones().into(),
    }))
}
