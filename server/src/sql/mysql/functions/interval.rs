//! Spans of time: the units of INTERVAL, how many of one a value is, and times so much later. Pure.

use chrono::{Datelike, Months, NaiveDateTime};

use crate::sql::mysql::functions::calendar::{YEAR_MAX, in_calendar, later, micros_since_year_0};
use crate::sql::mysql::value::{Decimal, Value};

/// Microseconds of a second.
pub const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
/// Microseconds of a day.
pub const DAY: i64 = 24 * HOUR;

/// A unit of time in INTERVAL, TIMESTAMPDIFF and EXTRACT. One of several parts is known by those that it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// So many microseconds.
    Micros(i64),
    /// So many months, whose lengths differ.
    Months(i64),
    /// `YEAR_MONTH`.
    YearMonth,
    /// `DAY_SECOND` and such: its parts, each so many microseconds.
    Parts(&'static [i64]),
}

impl Unit {
    /// The unit of that name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        const ALL: &[i64] = &[DAY, HOUR, MINUTE, SECOND, 1];
        let parts = |from: usize, to: usize| ALL.get(from..=to).map(Self::Parts);
        Some(match name.to_ascii_uppercase().as_str() {
            "MICROSECOND" => Self::Micros(1),
            "SECOND" => Self::Micros(SECOND),
            "MINUTE" => Self::Micros(MINUTE),
            "HOUR" => Self::Micros(HOUR),
            "DAY" => Self::Micros(DAY),
            "WEEK" => Self::Micros(7 * DAY),
            "MONTH" => Self::Months(1),
            "QUARTER" => Self::Months(3),
            "YEAR" => Self::Months(12),
            "YEAR_MONTH" => Self::YearMonth,
            "DAY_HOUR" => return parts(0, 1),
            "DAY_MINUTE" => return parts(0, 2),
            "DAY_SECOND" => return parts(0, 3),
            "DAY_MICROSECOND" => return parts(0, 4),
            "HOUR_MINUTE" => return parts(1, 2),
            "HOUR_SECOND" => return parts(1, 3),
            "HOUR_MICROSECOND" => return parts(1, 4),
            "MINUTE_SECOND" => return parts(2, 3),
            "MINUTE_MICROSECOND" => return parts(2, 4),
            "SECOND_MICROSECOND" => return parts(3, 4),
            _ => return None,
        })
    }

    /// Whether a date stays one when such units are added to it.
    pub fn is_of_days(self) -> bool {
        match self {
            Self::Months(_) | Self::YearMonth => true,
            Self::Micros(micros) => micros >= DAY,
            Self::Parts(_) => false,
        }
    }

    /// Whether its length is that of the months it meets.
    pub fn is_of_months(self) -> bool {
        matches!(self, Self::Months(_) | Self::YearMonth)
    }

    /// Whether it has fractions of a second whatever the count.
    pub fn has_micros(self) -> bool {
        match self {
            Self::Micros(micros) => micros == 1,
            Self::Parts(parts) => parts.last() == Some(&1),
            _ => false,
        }
    }
}

/// A span of time: one of the two is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    months: i64,
    micros: i128,
}

impl Interval {
    /// So many of a unit; none of NULL, and of a text that is none.
    pub fn of(count: &Value<'_>, unit: Unit) -> Option<Self> {
        match unit {
            Unit::Micros(SECOND) => {
                // Here further digits are cut off.
                let micros = micros_of(count.to_decimal()?.truncated(6))?;
                Some(Self { months: 0, micros })
            }
            Unit::Micros(micros) => Some(Self { months: 0, micros: i128::from(count.to_i64()?) * i128::from(micros) }),
            Unit::Months(months) => Some(Self { months: count.to_i64()?.checked_mul(months)?, micros: 0 }),
            Unit::YearMonth => {
                let (sign, numbers) = composite(&count.to_text()?, 2, false)?;
                let months = numbers.first()?.checked_mul(12)?.checked_add(*numbers.last()?)?.checked_mul(sign)?;
                Some(Self { months, micros: 0 })
            }
            Unit::Parts(parts) => {
                let (sign, numbers) = composite(&count.to_text()?, parts.len(), unit.has_micros())?;
                let total: i128 = parts.iter().zip(numbers).map(|(part, n)| i128::from(*part) * i128::from(n)).sum();
                Some(Self { months: 0, micros: total * i128::from(sign) })
            }
        }
    }

    /// The same, backwards.
    pub fn negated(self) -> Self {
        Self { months: self.months.saturating_neg(), micros: -self.micros }
    }

    /// Its microseconds; none if they are too many.
    pub fn micros(self) -> Option<i64> {
        i64::try_from(self.micros).ok()
    }

    /// The time so much later; none outside the years 0 to 9999.
    pub fn after(self, time: NaiveDateTime) -> Option<NaiveDateTime> {
        let distance = Months::new(u32::try_from(self.months.unsigned_abs()).ok()?);
        let time = if self.months < 0 { time.checked_sub_months(distance) } else { time.checked_add_months(distance) }?;
        let time = in_calendar(time.date()).and_time(time.time());
        let time = if self.micros == 0 { time } else { later(time, self.micros)? };
        (0..=YEAR_MAX).contains(&time.year()).then_some(time)
    }
}

/// Seconds as microseconds, the seventh digit rounded.
pub fn micros_of(seconds: Decimal) -> Option<i128> {
    seconds.rescaled(6)?.unscaled().to_i128()
}

/// The numbers in a text, whatever separates them. If there are fewer than wanted, those in front are 0; none if there are
/// more. The last one is a fraction of a second if it is microseconds: `1.5` has 500000.
fn composite(text: &str, wanted: usize, has_micros: bool) -> Option<(i64, Vec<i64>)> {
    let text = text.trim_start();
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let runs: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()).collect();
    let mut numbers = vec![0_i64; wanted];
    let empty = wanted.checked_sub(runs.len())?;
    for (number, run) in numbers.iter_mut().skip(empty).zip(&runs) {
        *number = run.parse().ok()?;
    }
    if let (true, Some(last), Some(run)) = (has_micros, numbers.last_mut(), runs.last()) {
        *last = format!("{run:0<6}").get(..6)?.parse().ok()?;
    }
    Some((sign, numbers))
}

/// Whole units from `a` to `b`.
pub fn difference(unit: Unit, a: NaiveDateTime, b: NaiveDateTime) -> Option<i64> {
    let micros = || i64::try_from(micros_since_year_0(b) - micros_since_year_0(a)).ok();
    match unit {
        Unit::Micros(length) => micros()?.checked_div(length),
        Unit::Months(length) => {
            let (early, late, sign) = if a <= b { (a, b, 1) } else { (b, a, -1) };
            let month = |time: NaiveDateTime| i64::from(time.year()) * 12 + i64::from(time.month0());
            let rest = |time: NaiveDateTime| (time.day(), time.time());
            // The last month counts once it is full.
            let full = month(late) - month(early) - i64::from(rest(late) < rest(early));
            Some(sign * (full / length))
        }
        // TIMESTAMPDIFF has units of one part only.
        Unit::YearMonth | Unit::Parts(_) => None,
    }
}
