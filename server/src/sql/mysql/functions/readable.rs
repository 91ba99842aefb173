//! Amounts and times in the unit that fits, for people.

use crate::sql::mysql::functions::definition::{Call, Definition, Outcome};
use crate::sql::mysql::functions::returns;
use crate::sql::mysql::value::Value;

/// The functions of this file.
pub static FUNCTIONS: &[Definition] = &[
    Definition::new("format_bytes", "format_bytes(bytes)", (1, 1), returns::text, |call| {
        Ok(Value::text(with_unit(call.double(0)?, 1024.0, &BYTES)))
    }),
    Definition::new("format_nano_time", "format_nano_time(nanoseconds)", (1, 1), returns::text, |call| {
        readable_time(call, 1.0)
    }),
    Definition::new("format_pico_time", "format_pico_time(picoseconds)", (1, 1), returns::text, |call| {
        readable_time(call, 1000.0)
    }),
];

const BYTES: [&str; 7] = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// In the largest unit of which it is at least 1; whole numbers of the smallest have no fraction.
fn with_unit(value: f64, step: f64, units: &[&str]) -> String {
    let mut scaled = value;
    let mut unit = 0;
    while scaled.abs() >= step && unit + 1 < units.len() {
        scaled /= step;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or_default();
    match unit == 0 && scaled.fract() == 0.0 {
        true => format!("{scaled:.0} {name}"),
        false => format!("{scaled:.2} {name}"),
    }
}

fn readable_time(call: &Call<'_>, per_nano: f64) -> Outcome {
    let value = call.double(0)?;
    let seconds = value / per_nano / 1e9;
    Ok(Value::text(match seconds.abs() {
        86_400.0.. => format!("{:.2} d", seconds / 86_400.0),
        3_600.0.. => format!("{:.2} h", seconds / 3_600.0),
        60.0.. => format!("{:.2} min", seconds / 60.0),
        _ if per_nano > 1.0 => with_unit(value, 1000.0, &["ps", "ns", "us", "ms", "s"]),
        _ => with_unit(value, 1000.0, &["ns", "us", "ms", "s"]),
    }))
}
