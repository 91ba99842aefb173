//! Functions of text, and numbers made readable.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::function::{Arg, Definition, int, number, text};

pub static FUNCTIONS: &[Definition] = &[
    Definition::new("substr", &[Arg::Text, Arg::Int, Arg::Int], 2, DataType::Utf8, substr),
    Definition::new("left", &[Arg::Text, Arg::Int], 2, DataType::Utf8, left),
    Definition::new("right", &[Arg::Text, Arg::Int], 2, DataType::Utf8, right),
    Definition::new("locate", &[Arg::Text, Arg::Text, Arg::Int], 2, DataType::Int64, locate),
    Definition::new("field", &[Arg::Text], 2, DataType::Int64, field).repeating(),
    Definition::new("elt", &[Arg::Int, Arg::Text], 2, DataType::Utf8, elt).repeating(),
    Definition::new("format", &[Arg::Number, Arg::Int], 2, DataType::Utf8, format),
    Definition::new("format_bytes", &[Arg::Number], 1, DataType::Utf8, |a| readable(a, 1024.0, &BYTES)),
    Definition::new("format_nano_time", &[Arg::Number], 1, DataType::Utf8, |a| readable_time(a, 1.0)),
    Definition::new("format_pico_time", &[Arg::Number], 1, DataType::Utf8, |a| readable_time(a, 1000.0)),
];

fn texts(args: &[ArrayRef], value: impl Fn(usize) -> Option<String>) -> Result<ArrayRef> {
    Ok(Arc::new((0..args[0].len()).map(value).collect::<StringArray>()))
}

fn ints(args: &[ArrayRef], value: impl Fn(usize) -> Option<i64>) -> Result<ArrayRef> {
    Ok(Arc::new((0..args[0].len()).map(value).collect::<Int64Array>()))
}

/// A part, in characters from 1, or from the end if negative.
fn substr(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let (whole, from) = (text(&args[0], row)?, int(&args[1], row)?);
        let length = match args.get(2) {
            Some(length) => usize::try_from(int(length, row)?).unwrap_or(0),
            None => usize::MAX,
        };
        let characters = || whole.chars().count() as i64;
        let skipped = if from < 0 { characters() + from } else { from - 1 };
        let Ok(skipped) = usize::try_from(skipped) else { return Some(String::new()) };
        Some(whole.chars().skip(skipped).take(length).collect())
    })
}

/// The first characters.
fn left(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let (whole, count) = (text(&args[0], row)?, int(&args[1], row)?);
        Some(whole.chars().take(usize::try_from(count).unwrap_or(0)).collect())
    })
}

/// The last characters.
fn right(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let (whole, count) = (text(&args[0], row)?, int(&args[1], row)?);
        let skipped = whole.chars().count().saturating_sub(usize::try_from(count).unwrap_or(0));
        Some(whole.chars().skip(skipped).collect())
    })
}

/// Where a text is in another one, in characters from 1; 0 if it is not.
fn locate(args: &[ArrayRef]) -> Result<ArrayRef> {
    ints(args, |row| {
        let (part, whole) = (text(&args[0], row)?, text(&args[1], row)?);
        let from = match args.get(2) {
            Some(from) => int(from, row)?,
            None => 1,
        };
        let Some(skipped) = usize::try_from(from).ok().and_then(|from| from.checked_sub(1)) else { return Some(0) };
        let Some((start, _)) = whole.char_indices().chain([(whole.len(), ' ')]).nth(skipped) else { return Some(0) };
        let found = whole[start..].find(part);
        Some(found.map_or(0, |at| (whole[..start + at].chars().count() + 1) as i64))
    })
}

/// Which of the other arguments the first one is, from 1; 0 if none.
fn field(args: &[ArrayRef]) -> Result<ArrayRef> {
    ints(args, |row| {
        let Some(wanted) = text(&args[0], row) else { return Some(0) };
        Some(args[1..].iter().position(|arg| text(arg, row) == Some(wanted)).map_or(0, |at| at as i64 + 1))
    })
}

fn elt(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let position = usize::try_from(int(&args[0], row)?).ok().filter(|position| *position > 0)?;
        text(args.get(position)?, row).map(str::to_owned)
    })
}

/// `1234567.891` with two digits as `1,234,567.89`.
fn format(args: &[ArrayRef]) -> Result<ArrayRef> {
    const DIGITS_MAX: i64 = 30;
    texts(args, |row| {
        let digits = int(&args[1], row)?.clamp(0, DIGITS_MAX) as usize;
        let plain = format!("{:.digits$}", rounded(number(&args[0], row)?, digits));
        let (sign, plain) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        let mut grouped = String::from(sign);
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        if !fraction.is_empty() {
            grouped.push('.');
            grouped.push_str(fraction);
        }
        Some(grouped)
    })
}

/// A half goes away from 0; numbers so large that they have no such digits stay as they are.
fn rounded(value: f64, digits: usize) -> f64 {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let step = 10f64.powi(digits as i32);
    let scaled = value * step;
    if scaled.abs() < EXACT_MAX { scaled.round() / step } else { value }
}

const BYTES: [&str; 7] = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

fn readable(args: &[ArrayRef], step: f64, units: &[&str]) -> Result<ArrayRef> {
    texts(args, |row| Some(with_unit(number(&args[0], row)?, step, units)))
}

fn with_unit(value: f64, step: f64, units: &[&str]) -> String {
    let mut scaled = value;
    for (position, unit) in units.iter().enumerate() {
        if scaled.abs() < step || position + 1 == units.len() {
            return match position {
                0 if scaled.fract() == 0.0 => format!("{scaled:.0} {unit}"),
                _ => format!("{scaled:.2} {unit}"),
            };
        }
        scaled /= step;
    }
    unreachable!("the last unit is always taken")
}

/// Nanoseconds, or a fraction of them, in the unit that fits.
fn readable_time(args: &[ArrayRef], per_nano: f64) -> Result<ArrayRef> {
    texts(args, |row| {
        let nanos = number(&args[0], row)? / per_nano;
        let seconds = nanos / 1e9;
        Some(match seconds.abs() {
            86_400.0.. => format!("{:.2} d", seconds / 86_400.0),
            3_600.0.. => format!("{:.2} h", seconds / 3_600.0),
            60.0.. => format!("{:.2} min", seconds / 60.0),
            _ => with_unit(nanos, 1000.0, &["ns", "us", "ms", "s"]),
        })
    })
}
