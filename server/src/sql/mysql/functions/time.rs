//! Functions that take times apart and put them together. Arithmetic is in [`super::time_arithmetic`], zones in
//! [`super::zone`]. There is no clock here: what a TIME is as a date is NULL, since today is not known.

use chrono::{Datelike, NaiveDate, Timelike};

use crate::sql::mysql::functions::calendar;
use crate::sql::mysql::functions::definition::{Argument, Call, Definition, Outcome, Stop, some};
use crate::sql::mysql::functions::interval::{self, SECOND};
use crate::sql::mysql::functions::returns;
use crate::sql::mysql::functions::time_format::{self, joined};
use crate::sql::mysql::types::Type;
use crate::sql::mysql::value::{Clock, Decimal, TIME_MICROS_MAX, Value, is_timestamp};

/// The functions of this file.
pub static FUNCTIONS: &[Definition] = &[
    Definition::new("year", "year(date)", (1, 1), returns::int, |call| int(call.date(0)?.year())),
    Definition::new("quarter", "quarter(date)", (1, 1), returns::int, |call| int(call.date(0)?.month0() / 3 + 1)),
    Definition::new("month", "month(date)", (1, 1), returns::int, |call| int(call.date(0)?.month())),
    Definition::new("day", "day(date)", (1, 1), returns::int, |call| int(call.date(0)?.day())),
    Definition::new("dayofmonth", "dayofmonth(date)", (1, 1), returns::int, |call| int(call.date(0)?.day())),
    Definition::new("dayofweek", "dayofweek(date)", (1, 1), returns::int, |call| {
        int(call.date(0)?.weekday().number_from_sunday())
    }),
    Definition::new("dayofyear", "dayofyear(date)", (1, 1), returns::int, |call| int(call.date(0)?.ordinal())),
    Definition::new("weekday", "weekday(date)", (1, 1), returns::int, |call| {
        int(call.date(0)?.weekday().num_days_from_monday())
    }),
    Definition::new("week", "week(date[, mode])", (1, 2), returns::int, |call| {
        int(calendar::week(call.date(0)?, week_mode(call)).0)
    }),
    Definition::new("weekofyear", "weekofyear(date)", (1, 1), returns::int, |call| {
        int(calendar::week(call.date(0)?, 3).0)
    }),
    Definition::new("yearweek", "yearweek(date[, mode])", (1, 2), returns::int, yearweek),
    Definition::new("hour", "hour(time)", (1, 1), returns::int, |call| int(call.time(0)?.0.parts().0)),
    Definition::new("minute", "minute(time)", (1, 1), returns::int, |call| int(call.time(0)?.0.parts().1)),
    Definition::new("second", "second(time)", (1, 1), returns::int, |call| int(call.time(0)?.0.parts().2)),
    Definition::new("microsecond", "microsecond(time)", (1, 1), returns::int, |call| int(call.time(0)?.0.parts().3)),
    Definition::new("dayname", "dayname(date)", (1, 1), returns::text, |call| {
        Ok(Value::text(calendar::weekday_name(call.date(0)?)))
    }),
    Definition::new("monthname", "monthname(date)", (1, 1), returns::text, |call| {
        Ok(Value::text(calendar::month_name(call.date(0)?)))
    }),
    Definition::new("last_day", "last_day(date)", (1, 1), returns::date, |call| {
        Ok(Value::Date(some(calendar::last_day(call.date(0)?))?))
    }),
    Definition::new("date", "date(time)", (1, 1), returns::date, |call| Ok(Value::Date(call.date(0)?))),
    Definition::new("time", "time(time)", (1, 1), returns::time, |call| clock(call, call.time(0)?.0)),
    Definition::new("timestamp", "timestamp(date[, time])", (1, 2), timestamp_type, timestamp),
    Definition::new("to_days", "to_days(date)", (1, 1), returns::int, |call| int(calendar::day_number(call.date(0)?))),
    Definition::new("from_days", "from_days(days)", (1, 1), returns::date, |call| {
        Ok(Value::Date(some(calendar::date_of_number(call.int(0)?))?))
    }),
    Definition::new("to_seconds", "to_seconds(time)", (1, 1), returns::int, to_seconds),
    Definition::new("time_to_sec", "time_to_sec(time)", (1, 1), returns::int, |call| {
        int(call.time(0)?.0.micros() / SECOND)
    }),
    Definition::new("sec_to_time", "sec_to_time(seconds)", (1, 1), sec_to_time_type, sec_to_time),
    Definition::new("makedate", "makedate(year, day)", (2, 2), returns::date, makedate),
    Definition::new("maketime", "maketime(hours, minutes, seconds)", (3, 3), maketime_type, maketime),
    Definition::new("date_format", "date_format(time, format)", (2, 2), returns::text, date_format),
    Definition::new("time_format", "time_format(time, format)", (2, 2), returns::text, time_formatted),
    Definition::new("get_format", "get_format(DATE, place)", (2, 2), returns::text, get_format),
    Definition::new("str_to_date", "str_to_date(text, format)", (2, 2), str_to_date_type, str_to_date),
];

fn int(number: impl Into<i64>) -> Outcome {
    Ok(Value::Int(number.into()))
}

/// A TIME of the digits that were announced.
pub fn clock(call: &Call<'_>, clock: Clock) -> Outcome {
    Ok(Value::Time(clock, call.returns.second_digits()))
}

/// Whether a value is a date rather than a span of time where it could be either.
pub fn is_datetime(value: &Value<'_>) -> bool {
    match value {
        Value::Date(_) | Value::DateTime(..) => true,
        Value::Time(..) => false,
        _ => value.to_text().is_some_and(|text| is_timestamp(&text)),
    }
}

fn week_mode(call: &Call<'_>) -> i64 {
    // As in MySQL, no mode and NULL are the same.
    call.any(1).to_i64().unwrap_or(0) & 7
}

/// The week always belongs to one year alone.
fn yearweek(call: &Call<'_>) -> Outcome {
    let (week, year) = calendar::week(call.date(0)?, week_mode(call) | 2);
    int(i64::from(year) * 100 + i64::from(week))
}

fn timestamp_type(args: &[Argument]) -> Type {
    Type::DateTime(args.iter().map(|arg| returns::second_digits(Some(arg))).max().unwrap_or(0))
}

fn timestamp(call: &Call<'_>) -> Outcome {
    let (time, _) = call.datetime(0)?;
    let added = match call.count() {
        1 => Clock::ZERO,
        // What is added is a span of time, never a date.
        _ if is_datetime(call.value(1)?) => return Err(Stop::Null),
        _ => call.time(1)?.0,
    };
    let time = some(calendar::later(time, added.micros().into()))?;
    Ok(Value::DateTime(time, call.returns.second_digits()))
}

fn to_seconds(call: &Call<'_>) -> Outcome {
    let (time, _) = call.datetime(0)?;
    int(calendar::day_number(time.date()) * 86_400 + i64::from(time.num_seconds_from_midnight()))
}

/// Seconds of text and of doubles have as many digits as there are.
fn sec_to_time_type(args: &[Argument]) -> Type {
    Type::Time(args.first().map_or(0, |arg| returns::unit_digits(arg.data_type.second_digits())))
}

/// What is longer than the longest TIME is that.
fn clock_of_seconds(seconds: Decimal) -> Clock {
    let longest = if seconds.is_negative() { -TIME_MICROS_MAX } else { TIME_MICROS_MAX };
    Clock::clamped(interval::micros_of(seconds).and_then(|micros| i64::try_from(micros).ok()).unwrap_or(longest))
}

fn sec_to_time(call: &Call<'_>) -> Outcome {
    let number = call.number(0)?;
    let seconds = call.decimal(0).unwrap_or(if number.to_f64() < 0.0 { i64::MIN.into() } else { i64::MAX.into() });
    clock(call, clock_of_seconds(seconds))
}

/// The day of that number in a year; the years below 100 are those near 2000.
fn makedate(call: &Call<'_>) -> Outcome {
    let (year, day) = (call.int(0)?, call.int(1)?);
    if !(0..=i64::from(calendar::YEAR_MAX)).contains(&year) || day <= 0 {
        return Err(Stop::Null);
    }
    let year = i32::try_from(calendar::full_year(year)).map_err(|_| Stop::Null)?;
    let first = calendar::day_number(some(NaiveDate::from_ymd_opt(year, 1, 1))?);
    Ok(Value::Date(some(first.checked_add(day - 1).and_then(calendar::date_of_number))?))
}

fn maketime_type(args: &[Argument]) -> Type {
    Type::Time(args.get(2).map_or(0, |arg| returns::unit_digits(arg.data_type.second_digits())))
}

fn maketime(call: &Call<'_>) -> Outcome {
    let (hours, minutes, seconds) = (call.whole(0)?, call.int(1)?, call.decimal(2)?);
    if !(0..60).contains(&minutes) || seconds.is_negative() || seconds >= Decimal::from(60_i64) {
        return Err(Stop::Null);
    }
    let sign = if hours < 0 { -1 } else { 1 };
    let whole = hours.saturating_abs().saturating_mul(3_600).saturating_add(i128::from(minutes) * 60);
    let micros = whole.saturating_mul(i128::from(SECOND)).saturating_add(some(interval::micros_of(seconds))?);
    let longest = i128::from(TIME_MICROS_MAX);
    clock(call, Clock::clamped(i64::try_from(sign * micros.min(longest)).unwrap_or(TIME_MICROS_MAX)))
}

fn date_format(call: &Call<'_>) -> Outcome {
    let (time, format) = (call.datetime(0)?.0, call.text(1)?);
    formatted(call, time.into(), &format)
}

fn time_formatted(call: &Call<'_>) -> Outcome {
    let (time, format) = (call.time(0)?.0, call.text(1)?);
    formatted(call, time.into(), &format)
}

fn formatted(call: &Call<'_>, moment: time_format::Moment, format: &str) -> Outcome {
    // `%W` of a Wednesday is the longest of a letter.
    call.allow(format.len().saturating_mul(6))?;
    if format.is_empty() {
        return Err(Stop::Null);
    }
    Ok(Value::text(some(time_format::format(moment, format))?))
}

/// The format of dates or times at a place; NULL for a place that MySQL does not know.
fn get_format(call: &Call<'_>) -> Outcome {
    let (kind, place) = (call.text(0)?.to_ascii_uppercase(), call.text(1)?.to_ascii_uppercase());
    let [usa, jis, eur, internal] = match kind.as_str() {
        "DATE" => ["%m.%d.%Y", "%Y-%m-%d", "%d.%m.%Y", "%Y%m%d"],
        "TIME" => ["%h:%i:%s %p", "%H:%i:%s", "%H.%i.%s", "%H%i%s"],
        _ => ["%Y-%m-%d %H.%i.%s", "%Y-%m-%d %H:%i:%s", "%Y-%m-%d %H.%i.%s", "%Y%m%d%H%i%s"],
    };
    Ok(Value::text(match place.as_str() {
        "USA" => usa,
        "JIS" | "ISO" => jis,
        "EUR" => eur,
        "INTERNAL" => internal,
        _ => return Err(Stop::Null),
    }))
}

/// By the format if it is the same for all rows, else a date and time.
fn str_to_date_type(args: &[Argument]) -> Type {
    match args
        .get(1)
        .and_then(|format| format.constant.as_ref())
        .map(|format| format.to_text().map(|f| time_format::format_type(&f)))
    {
        Some(Some(known)) => known,
        _ => Type::DateTime(6),
    }
}

fn str_to_date(call: &Call<'_>) -> Outcome {
    let (text, format) = (call.text(0)?, call.text(1)?);
    let (date, time) = some(time_format::parse_format(&text, &format))?;
    match call.returns {
        Type::Time(_) => clock(call, time),
        Type::Date => Ok(Value::Date(some(date)?)),
        _ => Ok(Value::DateTime(some(joined(some(date)?, time))?, call.returns.second_digits())),
    }
}
