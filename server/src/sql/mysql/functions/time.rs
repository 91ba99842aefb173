//! Functions of time. All times are UTC, as those of the catalog are.

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};
use datafusion::common::{Result, ScalarValue, exec_err, internal_err, plan_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use datafusion::prelude::lit;

use super::calendar::{self, Unit};
use super::function::{Arg, Definition, TIMESTAMP, int, number};

/// A part of a time, by its name: `time_part('HOUR', t)`.
pub const TIME_PART: &str = "time_part";

/// `DATE_ADD(t, INTERVAL count unit)` as `time_add(t, count, 'unit')`.
pub const TIME_ADD: &str = "time_add";

pub static FUNCTIONS: &[Definition] = &[
    Definition::new(TIME_ADD, &[Arg::Time, Arg::Number, Arg::Text], 3, TIMESTAMP, time_add),
    Definition::new(TIME_PART, &[Arg::Text, Arg::Time], 2, DataType::Int64, time_part),
    Definition::new("timestampdiff", &[Arg::Text, Arg::Time, Arg::Time], 3, DataType::Int64, timestampdiff),
    Definition::new("datediff", &[Arg::Time, Arg::Time], 2, DataType::Int64, datediff),
    Definition::new("unix_timestamp", &[Arg::Time], 1, DataType::Int64, unix_timestamp),
    Definition::new("from_unixtime", &[Arg::Number], 1, TIMESTAMP, from_unixtime),
    Definition::new("date_format", &[Arg::Time, Arg::Text], 2, DataType::Utf8, date_format),
    Definition::new("str_to_date", &[Arg::Text, Arg::Text], 2, TIMESTAMP, str_to_date),
    Definition::new("date", &[Arg::Time], 1, DataType::Date32, date),
    Definition::new("last_day", &[Arg::Time], 1, DataType::Date32, last_day),
    Definition::new("dayname", &[Arg::Time], 1, DataType::Utf8, |a| format_as(a, "%W")),
    Definition::new("monthname", &[Arg::Time], 1, DataType::Utf8, |a| format_as(a, "%M")),
    Definition::new("week", &[Arg::Time, Arg::Int], 1, DataType::Int64, week),
    Definition::new("sec_to_time", &[Arg::Number], 1, DataType::Utf8, sec_to_time),
];

/// The times of an argument that was read as [`Arg::Time`].
fn times(array: &ArrayRef) -> impl Iterator<Item = Option<NaiveDateTime>> + '_ {
    let texts = array.as_string_opt::<i32>();
    let instants = array.as_primitive_opt::<TimestampMicrosecondType>();
    (0..array.len()).map(move |row| match (array.is_null(row), texts, instants) {
        (false, Some(texts), _) => calendar::parse_time(texts.value(row)),
        (false, None, Some(instants)) => from_micros(instants.value(row)),
        _ => None,
    })
}

/// The numbers of an argument that was read as [`Arg::Number`].
fn numbers(array: &ArrayRef) -> impl Iterator<Item = Option<f64>> + '_ {
    (0..array.len()).map(|row| number(array, row))
}

fn texts(array: &ArrayRef) -> impl Iterator<Item = Option<&str>> {
    array.as_string::<i32>().iter()
}

fn from_micros(micros: i64) -> Option<NaiveDateTime> {
    Some(DateTime::from_timestamp_micros(micros)?.naive_utc())
}

fn instants(values: impl Iterator<Item = Option<NaiveDateTime>>) -> Result<ArrayRef> {
    let micros = values.map(|time| Some(time?.and_utc().timestamp_micros()));
    Ok(Arc::new(micros.collect::<TimestampMicrosecondArray>()))
}

fn integers(values: impl Iterator<Item = Option<i64>>) -> Result<ArrayRef> {
    Ok(Arc::new(values.collect::<Int64Array>()))
}

fn dates(values: impl Iterator<Item = Option<NaiveDate>>) -> Result<ArrayRef> {
    Ok(Arc::new(values.map(|date| Some(Date32Type::from_naive_date(date?))).collect::<Date32Array>()))
}

fn unit(name: &str) -> Result<Unit> {
    match Unit::parse(name) {
        Some(unit) => Ok(unit),
        None => exec_err!(
            "{name} is no unit of time; use MICROSECOND, SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER or YEAR"
        ),
    }
}

/// The one text of an argument that is the same for all rows, as a rewritten statement has it.
fn constant<'a>(array: &'a ArrayRef, default: &'a str) -> &'a str {
    texts(array).next().flatten().unwrap_or(default)
}

fn time_add(args: &[ArrayRef]) -> Result<ArrayRef> {
    let unit = unit(constant(&args[2], "DAY"))?;
    instants(times(&args[0]).zip(numbers(&args[1])).map(|(time, count)| calendar::add(time?, count?, unit)))
}

fn timestampdiff(args: &[ArrayRef]) -> Result<ArrayRef> {
    let unit = unit(constant(&args[0], "SECOND"))?;
    integers(times(&args[1]).zip(times(&args[2])).map(|(a, b)| Some(calendar::difference(unit, a?, b?))))
}

fn datediff(args: &[ArrayRef]) -> Result<ArrayRef> {
    integers(times(&args[0]).zip(times(&args[1])).map(|(a, b)| Some((a?.date() - b?.date()).num_days())))
}

fn time_part(args: &[ArrayRef]) -> Result<ArrayRef> {
    let name = constant(&args[0], "YEAR");
    let part: fn(NaiveDateTime) -> i64 = match name {
        "YEAR" => |t| i64::from(t.year()),
        "QUARTER" => |t| i64::from(t.month0() / 3 + 1),
        "MONTH" => |t| i64::from(t.month()),
        "DAY" => |t| i64::from(t.day()),
        "HOUR" => |t| i64::from(t.hour()),
        "MINUTE" => |t| i64::from(t.minute()),
        "SECOND" => |t| i64::from(t.second()),
        "MICROSECOND" => |t| i64::from(t.nanosecond() / 1_000),
        "DAYOFYEAR" => |t| i64::from(t.ordinal()),
        "DAYOFWEEK" => |t| i64::from(t.weekday().number_from_sunday()),
        "WEEKDAY" => |t| i64::from(t.weekday().num_days_from_monday()),
        other => return exec_err!("{other} is no part of a time"),
    };
    integers(times(&args[1]).map(|time| time.map(part)))
}

fn unix_timestamp(args: &[ArrayRef]) -> Result<ArrayRef> {
    integers(times(&args[0]).map(|time| Some(time?.and_utc().timestamp())))
}

fn from_unixtime(args: &[ArrayRef]) -> Result<ArrayRef> {
    let time = |seconds: f64| {
        let micros = (seconds * 1e6).round();
        // MySQL's own bound: what is before the epoch is NULL.
        (micros >= 0.0 && micros < i64::MAX as f64).then(|| from_micros(micros as i64)).flatten()
    };
    instants(numbers(&args[0]).map(|seconds| time(seconds?)))
}

fn date_format(args: &[ArrayRef]) -> Result<ArrayRef> {
    let formatted = times(&args[0]).zip(texts(&args[1])).map(|(time, f)| Some(calendar::format(time?, f?)));
    Ok(Arc::new(formatted.collect::<StringArray>()))
}

fn format_as(args: &[ArrayRef], format: &str) -> Result<ArrayRef> {
    Ok(Arc::new(times(&args[0]).map(|time| Some(calendar::format(time?, format))).collect::<StringArray>()))
}

fn str_to_date(args: &[ArrayRef]) -> Result<ArrayRef> {
    instants(texts(&args[0]).zip(texts(&args[1])).map(|(text, f)| calendar::parse_format(text?, f?)))
}

fn date(args: &[ArrayRef]) -> Result<ArrayRef> {
    dates(times(&args[0]).map(|time| Some(time?.date())))
}

fn last_day(args: &[ArrayRef]) -> Result<ArrayRef> {
    dates(times(&args[0]).map(|time| calendar::last_day(time?.date())))
}

fn week(args: &[ArrayRef]) -> Result<ArrayRef> {
    let week = |row: usize, time: Option<NaiveDateTime>| {
        let mode = match args.get(1) {
            Some(mode) => int(mode, row)?,
            None => 0,
        };
        Some(i64::from(calendar::week(time?.date(), mode & 7).0))
    };
    integers(times(&args[0]).enumerate().map(|(row, time)| week(row, time)))
}

fn sec_to_time(args: &[ArrayRef]) -> Result<ArrayRef> {
    let text = |seconds: f64| {
        let (sign, whole) = (if seconds < 0.0 { "-" } else { "" }, seconds.abs() as u64);
        format!("{sign}{:02}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
    };
    Ok(Arc::new(numbers(&args[0]).map(|seconds| seconds.map(text)).collect::<StringArray>()))
}

/// `NOW()` and `CURDATE()`: the instant at which the statement started, wherever they stand in it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Now {
    name: &'static str,
    returns: DataType,
    signature: Signature,
}

impl Now {
    /// `now([digits])`: to the second, or with as many digits of it.
    pub fn instant() -> Self {
        Self { name: "now", returns: TIMESTAMP, signature: Signature::user_defined(Volatility::Stable) }
    }

    /// `curdate()`.
    pub fn day() -> Self {
        Self { name: "curdate", returns: DataType::Date32, signature: Signature::nullary(Volatility::Stable) }
    }
}

impl ScalarUDFImpl for Now {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [] => Ok(Vec::new()),
            [digits] if digits.is_integer() => Ok(vec![DataType::Int64]),
            _ => plan_err!("{} takes the digits of a second, or nothing", self.name),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn simplify(&self, args: Vec<Expr>, context: &SimplifyContext) -> Result<ExprSimplifyResult> {
        const DIGITS_MAX: i64 = 6;
        let digits = match args.first() {
            None => 0,
            Some(Expr::Literal(ScalarValue::Int64(Some(digits @ 0..=DIGITS_MAX)), _)) => *digits,
            Some(other) => return exec_err!("now({other}): the digits of a second are 0 to {DIGITS_MAX}"),
        };
        let Some(now) = context.query_execution_start_time() else {
            return internal_err!("the statement has no start");
        };
        Ok(ExprSimplifyResult::Simplified(match self.returns {
            DataType::Date32 => lit(ScalarValue::Date32(Some(Date32Type::from_naive_date(now.date_naive())))),
            _ => {
                let step = 10_i64.pow((DIGITS_MAX - digits) as u32);
                let micros = now.timestamp_micros();
                lit(ScalarValue::TimestampMicrosecond(Some(micros - micros.rem_euclid(step)), None))
            }
        }))
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("{} is a constant of the statement", self.name)
    }
}
