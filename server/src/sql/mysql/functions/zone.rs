//! Functions that know zones of time. The session's zone comes as an argument: nothing here has a setting.

use std::str::FromStr;

use arrow::datatypes::i256;
use chrono::{DateTime, Datelike, Duration, LocalResult, NaiveDateTime, Offset, TimeZone, Timelike};
use chrono_tz::{TZ_VARIANTS, Tz};

use crate::sql::mysql::functions::calendar::YEAR_MAX;
use crate::sql::mysql::functions::definition::{Argument, Call, Definition, Outcome, Stop, some};
use crate::sql::mysql::functions::interval::{SECOND, micros_of};
use crate::sql::mysql::functions::returns::{second_digits, unit_digits};
use crate::sql::mysql::types::Type;
use crate::sql::mysql::value::{Decimal, Value};

/// The functions of this file.
pub static FUNCTIONS: &[Definition] = &[
    Definition::new("unix_timestamp_in", "unix_timestamp(time)", (2, 2), unix_timestamp_type, unix_timestamp),
    Definition::new("from_unixtime_in", "from_unixtime(seconds)", (2, 2), from_unixtime_type, from_unixtime),
    Definition::new("convert_tz", "convert_tz(time, from, to)", (3, 3), |args| datetime_type(args, 0), convert_tz),
    Definition::new(
        "to_session_zone",
        "to_session_zone(zone, time)",
        (2, 2),
        |args| datetime_type(args, 1),
        |call| {
            let (zone, time) = (zone(call, 0)?, call.datetime(1)?.0);
            datetime(call, some(zone.local(time))?)
        },
    ),
    Definition::new(
        "from_session_zone",
        "from_session_zone(zone, time)",
        (2, 2),
        |args| datetime_type(args, 1),
        |call| {
            let (zone, time) = (zone(call, 0)?, call.datetime(1)?.0);
            datetime(call, some(zone.utc(time))?)
        },
    ),
];

/// The last second that MySQL 8.4 converts: the end of the year 3000.
const SECONDS_MAX: i64 = 32_536_771_199;

/// A zone of time.
#[derive(Debug, Clone, Copy)]
pub enum Zone {
    /// So many seconds ahead of UTC.
    Fixed(i64),
    /// With the rules of a place.
    Named(Tz),
}

impl Zone {
    /// `+02:00` between -13:59 and +14:00, `SYSTEM`, which is UTC, or a name in any case.
    pub fn parse(name: &str) -> Option<Self> {
        if name.starts_with(['+', '-']) {
            return offset(name).map(Self::Fixed);
        }
        if name.eq_ignore_ascii_case("SYSTEM") || name.eq_ignore_ascii_case("UTC") {
            return Some(Self::Fixed(0));
        }
        let known = || TZ_VARIANTS.iter().copied().find(|zone| zone.name().eq_ignore_ascii_case(name));
        Tz::from_str(name).ok().or_else(known).map(Self::Named)
    }

    /// The time in this zone at a time of UTC.
    pub fn local(self, utc: NaiveDateTime) -> Option<NaiveDateTime> {
        let ahead = match self {
            Self::Fixed(seconds) => seconds,
            Self::Named(zone) => zone.offset_from_utc_datetime(&utc).fix().local_minus_utc().into(),
        };
        utc.checked_add_signed(Duration::seconds(ahead))
    }

    /// The time of UTC at a time in this zone. One that there is twice is the first; one that clocks skip is the instant
    /// at which they do.
    pub fn utc(self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let zone = match self {
            Self::Fixed(seconds) => return local.checked_sub_signed(Duration::seconds(seconds)),
            Self::Named(zone) => zone,
        };
        match zone.from_local_datetime(&local) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => Some(time.naive_utc()),
            LocalResult::None => {
                // Clocks are put forward by quarters of an hour, by a day at most.
                const QUARTERS: i64 = 4 * 25;
                let past = Duration::seconds(i64::from(local.num_seconds_from_midnight()) % 900)
                    + Duration::nanoseconds(i64::from(local.nanosecond()));
                let quarter = local.checked_sub_signed(past)?;
                (1..=QUARTERS).find_map(|quarters| {
                    let later = quarter.checked_add_signed(Duration::minutes(15 * quarters))?;
                    zone.from_local_datetime(&later).earliest().map(|time| time.naive_utc())
                })
            }
        }
    }
}

/// Seconds ahead of UTC.
fn offset(name: &str) -> Option<i64> {
    let (hours, minutes) = name.get(1..)?.split_once(':')?;
    let number = |digits: &str, lengths: std::ops::RangeInclusive<usize>| {
        let plain = lengths.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse::<i64>().ok())?
    };
    let (hours, minutes) = (number(hours, 1..=2)?, number(minutes, 2..=2)?);
    let seconds = (minutes < 60).then_some(hours * 3_600 + minutes * 60)?;
    let seconds = if name.starts_with('-') { -seconds } else { seconds };
    (-13 * 3_600 - 59 * 60..=14 * 3_600).contains(&seconds).then_some(seconds)
}

/// NULL for a zone that there is not.
fn zone(call: &Call<'_>, at: usize) -> Result<Zone, Stop> {
    some(Zone::parse(&call.text(at)?))
}

fn datetime_type(args: &[Argument], at: usize) -> Type {
    Type::DateTime(second_digits(args.get(at)))
}

/// NULL past the calendar's ends, which a zone can lead to.
fn datetime(call: &Call<'_>, time: NaiveDateTime) -> Outcome {
    if !(0..=YEAR_MAX).contains(&time.year()) {
        return Err(Stop::Null);
    }
    Ok(Value::DateTime(time, call.returns.second_digits()))
}

/// Whole seconds are a BIGINT.
fn unix_timestamp_type(args: &[Argument]) -> Type {
    match second_digits(args.get(1)) {
        0 => Type::Int,
        digits => Type::decimal(11, digits),
    }
}

/// 0 outside of the times that MySQL converts.
fn unix_timestamp(call: &Call<'_>) -> Outcome {
    let (zone, (time, _)) = (zone(call, 0)?, call.datetime(1)?);
    let micros = some(zone.utc(time))?.and_utc().timestamp_micros();
    let micros = if (0..=SECONDS_MAX * SECOND + SECOND - 1).contains(&micros) { micros } else { 0 };
    Ok(match call.returns {
        Type::Decimal(_, scale) => Value::Decimal(Decimal::new(i256::from_i128(micros.into()), 6).truncated(scale)),
        _ => Value::Int(micros / SECOND),
    })
}

/// Numbers that are no decimals have all digits.
fn from_unixtime_type(args: &[Argument]) -> Type {
    Type::DateTime(args.get(1).map_or(0, |arg| unit_digits(arg.data_type.second_digits())))
}

fn from_unixtime(call: &Call<'_>) -> Outcome {
    let (zone, seconds) = (zone(call, 0)?, call.decimal(1)?);
    if seconds.is_negative() {
        return Err(Stop::Null);
    }
    let micros = some(micros_of(seconds).and_then(|micros| i64::try_from(micros).ok()))?;
    if micros / SECOND > SECONDS_MAX {
        return Err(Stop::Null);
    }
    let utc = some(DateTime::from_timestamp_micros(micros))?.naive_utc();
    datetime(call, some(zone.local(utc))?)
}

/// A time that is out of range in UTC stays as it is.
fn convert_tz(call: &Call<'_>) -> Outcome {
    let (time, from, to) = (call.datetime(0)?.0, zone(call, 1)?, zone(call, 2)?);
    let utc = some(from.utc(time))?;
    if !(1..=SECONDS_MAX).contains(&utc.and_utc().timestamp()) {
        return datetime(call, time);
    }
    datetime(call, some(to.local(utc))?)
}
