//! Functions that add times, subtract them, and take parts of them by a unit.

use chrono::{Datelike, NaiveDateTime, NaiveTime};

use crate::sql::mysql::functions::calendar;
use crate::sql::mysql::functions::definition::{Argument, Call, Definition, Outcome, Stop, some};
use crate::sql::mysql::functions::interval::{self, Interval, SECOND, Unit};
use crate::sql::mysql::functions::returns::{self, second_digits, unit_digits};
use crate::sql::mysql::functions::time::{clock, is_datetime};
use crate::sql::mysql::types::Type;
use crate::sql::mysql::value::{Clock, TIME_MICROS_MAX, Value, has_clock, time_text, timestamp_text};

/// The functions of this file.
pub static FUNCTIONS: &[Definition] = &[
    Definition::new(
        "date_add",
        "date_add(time, INTERVAL count unit)",
        (3, 3),
        |args| moved_type(args, [0, 1, 2]),
        |call| moved(call, [0, 1, 2], false),
    ),
    Definition::new(
        "date_sub",
        "date_sub(time, INTERVAL count unit)",
        (3, 3),
        |args| moved_type(args, [0, 1, 2]),
        |call| moved(call, [0, 1, 2], true),
    ),
    Definition::new(
        "timestampadd",
        "timestampadd(unit, count, time)",
        (3, 3),
        |args| moved_type(args, [2, 1, 0]),
        |call| moved(call, [2, 1, 0], false),
    ),
    Definition::new("timestampdiff", "timestampdiff(unit, from, to)", (3, 3), returns::int, timestampdiff),
    Definition::new("extract", "extract(unit FROM time)", (2, 2), returns::int, extract),
    Definition::new("datediff", "datediff(date, date)", (2, 2), returns::int, datediff),
    Definition::new("addtime", "addtime(time, time)", (2, 2), addtime_type, |call| addtime(call, 1)),
    Definition::new("subtime", "subtime(time, time)", (2, 2), addtime_type, |call| addtime(call, -1)),
    Definition::new("timediff", "timediff(time, time)", (2, 2), returns::time_of_all, timediff),
    Definition::new("period_add", "period_add(period, months)", (2, 2), returns::int, period_add),
    Definition::new("period_diff", "period_diff(period, period)", (2, 2), returns::int, period_diff),
];

fn unit(call: &Call<'_>, at: usize) -> Result<Unit, Stop> {
    let name = call.text(at)?;
    Unit::parse(&name)
        .ok_or_else(|| Stop::error(format!("{name} is no unit of time; DAY, SECOND and HOUR_MINUTE are such")))
}

/// The type of a time to which units are added; `at` has the positions of the time, the count and the unit.
fn moved_type(args: &[Argument], at: [usize; 3]) -> Type {
    let [time, count, unit] = at.map(|at| args.get(at));
    let Some(time) = time else { return Type::Text };
    let unit = unit.and_then(|unit| unit.constant.as_ref()?.to_text().and_then(|name| Unit::parse(&name)));
    let added = match unit {
        Some(unit) if unit.has_micros() => 6,
        Some(Unit::Micros(SECOND)) => count.map_or(0, |count| match count.data_type {
            // Any text may have a fraction.
            text if text.is_textual() => 6,
            number => unit_digits(number.second_digits()),
        }),
        _ => 0,
    };
    match time.data_type {
        Type::Date if unit.is_some_and(Unit::is_of_days) => Type::Date,
        Type::Date => Type::DateTime(added),
        Type::DateTime(digits) => Type::DateTime(unit_digits(digits).max(added)),
        Type::Time(digits) if unit.is_some_and(Unit::is_of_months) => Type::DateTime(unit_digits(digits)),
        Type::Time(digits) => Type::Time(unit_digits(digits).max(added)),
        _ => Type::Text,
    }
}

fn moved(call: &Call<'_>, at: [usize; 3], back: bool) -> Outcome {
    let [time, count, unit_at] = at;
    let unit = unit(call, unit_at)?;
    let interval = some(Interval::of(call.value(count)?, unit))?;
    let interval = if back { interval.negated() } else { interval };
    let time = call.value(time)?;
    if let Value::Time(from, _) = time {
        if unit.is_of_months() {
            return Err(Stop::Null);
        }
        let micros = some(interval.micros().and_then(|micros| micros.checked_add(from.micros())))?;
        return if micros.abs() > TIME_MICROS_MAX { Err(Stop::Null) } else { clock(call, Clock::clamped(micros)) };
    }
    let (from, _) = some(time.to_datetime())?;
    let moved = some(interval.after(from))?;
    match call.returns {
        Type::Date => Ok(Value::Date(moved.date())),
        Type::DateTime(digits) => Ok(Value::DateTime(moved, digits)),
        _ if unit.is_of_days()
            && !time.to_text().is_some_and(|text| has_clock(&text))
            && moved.time() == NaiveTime::MIN =>
        {
            Ok(Value::text(moved.format("%Y-%m-%d").to_string()))
        }
        _ => Ok(Value::text(shown(moved))),
    }
}

/// A time as text, with the fraction of its second if there is one.
fn shown(time: NaiveDateTime) -> String {
    timestamp_text(time, if time.and_utc().timestamp_subsec_micros() == 0 { 0 } else { 6 })
}

fn timestampdiff(call: &Call<'_>) -> Outcome {
    let (unit, a, b) = (unit(call, 0)?, call.datetime(1)?.0, call.datetime(2)?.0);
    Ok(Value::Int(some(interval::difference(unit, a, b))?))
}

/// A time of day, with the day of its month, or the days that a span of time has.
fn day_and_clock(value: &Value<'_>) -> Option<(i64, Clock)> {
    match value {
        Value::Time(clock, _) => Some((0, *clock)),
        _ if is_datetime(value) => {
            let (time, _) = value.to_datetime()?;
            Some((time.day().into(), Clock::of_day(time.time())))
        }
        _ => Some((0, value.to_time()?.0)),
    }
}

fn extract(call: &Call<'_>) -> Outcome {
    let name = call.text(0)?.to_ascii_uppercase();
    let date = || call.date(1);
    let number = match name.as_str() {
        "YEAR" => date()?.year().into(),
        "QUARTER" => (date()?.month0() / 3 + 1).into(),
        "MONTH" => date()?.month().into(),
        "WEEK" => calendar::week(date()?, 0).0.into(),
        "DAY" => date()?.day().into(),
        "YEAR_MONTH" => i64::from(date()?.year()) * 100 + i64::from(date()?.month()),
        _ => {
            let (day, clock) = some(day_and_clock(call.value(1)?))?;
            let (hours, minutes, seconds, micros) = clock.parts();
            let to_minute = |hours: i64| hours * 100 + minutes;
            let to_second = |hours: i64| to_minute(hours) * 100 + seconds;
            let days_hours = day * 100 + hours;
            let number = match name.as_str() {
                "HOUR" => hours,
                "MINUTE" => minutes,
                "SECOND" => seconds,
                "MICROSECOND" => micros,
                "DAY_HOUR" => days_hours,
                "DAY_MINUTE" => to_minute(days_hours),
                "DAY_SECOND" => to_second(days_hours),
                "DAY_MICROSECOND" => to_second(days_hours) * SECOND + micros,
                "HOUR_MINUTE" => to_minute(hours),
                "HOUR_SECOND" => to_second(hours),
                "HOUR_MICROSECOND" => to_second(hours) * SECOND + micros,
                "MINUTE_SECOND" => minutes * 100 + seconds,
                "MINUTE_MICROSECOND" => (minutes * 100 + seconds) * SECOND + micros,
                "SECOND_MICROSECOND" => seconds * SECOND + micros,
                other => return Err(Stop::error(format!("{other} is no unit of time"))),
            };
            if clock < Clock::ZERO { -number } else { number }
        }
    };
    Ok(Value::Int(number))
}

fn datediff(call: &Call<'_>) -> Outcome {
    Ok(Value::Int(calendar::day_number(call.date(0)?) - calendar::day_number(call.date(1)?)))
}

/// Text of text; a TIME of a TIME, and a DATETIME of what has a date.
fn addtime_type(args: &[Argument]) -> Type {
    let digits = args.iter().map(|arg| second_digits(Some(arg))).max().unwrap_or(0);
    match args.first().map(|arg| arg.data_type) {
        Some(Type::Date | Type::DateTime(_)) => Type::DateTime(digits),
        Some(Type::Time(_)) => Type::Time(digits),
        _ => Type::Text,
    }
}

fn addtime(call: &Call<'_>, sign: i64) -> Outcome {
    let (first, second) = (call.value(0)?, call.value(1)?);
    // What is added is a span of time, never a date.
    if is_datetime(second) {
        return Err(Stop::Null);
    }
    let added = call.time(1)?.0.micros() * sign;
    if is_datetime(first) {
        let (time, _) = call.datetime(0)?;
        let time = some(calendar::later(time, added.into()))?;
        return match call.returns {
            Type::DateTime(digits) => Ok(Value::DateTime(time, digits)),
            _ => Ok(Value::text(shown(time))),
        };
    }
    let sum = Clock::clamped(call.time(0)?.0.micros() + added);
    match call.returns {
        Type::Time(_) => clock(call, sum),
        _ => Ok(Value::text(time_text(sum, if sum.parts().3 == 0 { 0 } else { 6 }))),
    }
}

/// Both are dates, or both are dates with a time, or both are none.
fn timediff(call: &Call<'_>) -> Outcome {
    let (first, second) = (call.value(0)?, call.value(1)?);
    let is_date = |value: &Value<'_>| matches!(value, Value::Date(_));
    if is_date(first) != is_date(second) {
        return Err(Stop::Null);
    }
    let micros = match (is_datetime(first), is_datetime(second)) {
        (true, true) => {
            let since = |at| call.datetime(at).map(|(time, _)| calendar::micros_since_year_0(time));
            some(i64::try_from(since(0)? - since(1)?).ok())?
        }
        (false, false) => call.time(0)?.0.micros() - call.time(1)?.0.micros(),
        _ => return Err(Stop::Null),
    };
    clock(call, Clock::clamped(micros))
}

/// `YYMM` or `YYYYMM` as months since the year 0.
fn months_of_period(call: &Call<'_>, at: usize) -> Result<i64, Stop> {
    /// In MySQL more are no number of months any more.
    const PERIOD_MAX: i64 = u32::MAX as i64;
    let period = call.int(at)?;
    let (year, month) = (calendar::full_year(period / 100), period % 100);
    if !(1..=PERIOD_MAX).contains(&period) || !(1..=12).contains(&month) {
        return Err(Stop::Null);
    }
    Ok(year * 12 + month - 1)
}

fn period_add(call: &Call<'_>) -> Outcome {
    let added = call.int(1)?;
    let months = months_of_period(call, 0)?.saturating_add(added).max(0);
    Ok(Value::Int((months / 12).saturating_mul(100).saturating_add(months % 12 + 1)))
}

fn period_diff(call: &Call<'_>) -> Outcome {
    call.value(1)?;
    Ok(Value::Int(months_of_period(call, 0)? - months_of_period(call, 1)?))
}
