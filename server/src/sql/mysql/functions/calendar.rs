//! The calendar as MySQL has it: day numbers, weeks, months. Pure, and without a clock.
//!
//! Texts of times are in [`super::time_format`], spans of time in [`super::interval`].

use chrono::{Datelike, Days, Duration, Months, NaiveDate, NaiveDateTime, NaiveTime};

/// Names of the months.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Names of the days of a week, from Monday.
pub const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The last year.
pub const YEAR_MAX: i32 = 9999;

/// The name of a date's month.
pub fn month_name(date: NaiveDate) -> &'static str {
    MONTHS.get(date.month0() as usize).copied().unwrap_or_default()
}

/// The name of a date's day of the week.
pub fn weekday_name(date: NaiveDate) -> &'static str {
    WEEKDAYS.get(date.weekday().num_days_from_monday() as usize).copied().unwrap_or_default()
}

/// Days between the year 0 and the year 1.
const DAYS_OF_YEAR_0: i64 = 365;

/// Days since the year 0 (`TO_DAYS`).
pub fn day_number(date: NaiveDate) -> i64 {
    match date.year() {
        // MySQL's year 0 is no leap year, chrono's is.
        0 => i64::from(date.ordinal()) - i64::from(date.month() > 2),
        _ => i64::from(date.num_days_from_ce()) + DAYS_OF_YEAR_0,
    }
}

/// The date of a number of days since the year 0 (`FROM_DAYS`), which has 365 here; none before it, and past the last year.
pub fn date_of_number(days: i64) -> Option<NaiveDate> {
    const DAYS_TO_MARCH: i64 = 59;
    match days {
        1..=DAYS_OF_YEAR_0 => NaiveDate::from_yo_opt(0, u32::try_from(days + i64::from(days > DAYS_TO_MARCH)).ok()?),
        days => {
            let since = i32::try_from(days.checked_sub(DAYS_OF_YEAR_0)?).ok().filter(|since| *since > 0)?;
            NaiveDate::from_num_days_from_ce_opt(since).filter(|date| date.year() <= YEAR_MAX)
        }
    }
}

/// Microseconds of a day.
const DAY_MICROS: i128 = 86_400_000_000;

/// Microseconds since the year 0.
pub fn micros_since_year_0(time: NaiveDateTime) -> i128 {
    let of_day =
        time.signed_duration_since(time.date().and_time(NaiveTime::MIN)).num_microseconds().unwrap_or_default();
    i128::from(day_number(time.date())) * DAY_MICROS + i128::from(of_day)
}

/// The time so many microseconds later; none before the year 0, and past the last year.
pub fn later(time: NaiveDateTime, micros: i128) -> Option<NaiveDateTime> {
    let micros = micros_since_year_0(time).checked_add(micros)?;
    let date = date_of_number(i64::try_from(micros.div_euclid(DAY_MICROS)).ok()?)?;
    let of_day = Duration::microseconds(i64::try_from(micros.rem_euclid(DAY_MICROS)).ok()?);
    date.and_time(NaiveTime::MIN).checked_add_signed(of_day)
}

/// A date that there is: the February of the year 0 has 28 days here.
pub fn in_calendar(date: NaiveDate) -> NaiveDate {
    match (date.year(), date.month(), date.day()) {
        (0, 2, 29) => date.with_day(28).unwrap_or(date),
        _ => date,
    }
}

/// A year of two digits is between 1970 and 2069.
pub fn full_year(year: i64) -> i64 {
    match year {
        0..70 => year + 2000,
        70..100 => year + 1900,
        _ => year,
    }
}

/// The last day of that month.
pub fn last_day(date: NaiveDate) -> Option<NaiveDate> {
    date.with_day(1)?.checked_add_months(Months::new(1))?.checked_sub_days(Days::new(1)).map(in_calendar)
}

/// The week of a year and the year that it belongs to, in MySQL's modes 0 to 7 (`WEEK(date, mode)`).
pub fn week(date: NaiveDate, mode: i64) -> (u32, i32) {
    let monday_first = mode & 1 != 0;
    let mut week_of_other_year = mode & 2 != 0;
    // Week 1 is the one with the year's first day of the week, or the one with four days.
    let by_first_weekday = (mode & 4 != 0) == monday_first;
    let mut year = date.year();
    let ordinal = i64::from(date.ordinal0());
    let first = date.with_ordinal(1).unwrap_or(date).weekday();
    let mut weekday = i64::from(if monday_first { first.num_days_from_monday() } else { first.num_days_from_sunday() });
    let begins_late = |weekday: i64| if by_first_weekday { weekday != 0 } else { weekday >= 4 };
    let mut day = ordinal;
    if ordinal < 7 - weekday && begins_late(weekday) {
        if !week_of_other_year {
            return (0, year);
        }
        year -= 1;
        let days = days_in(year);
        day += days;
        weekday = (weekday + 53 * 7 - days).rem_euclid(7);
        week_of_other_year = false;
    }
    let days = if begins_late(weekday) { day - (7 - weekday) } else { day + weekday };
    if week_of_other_year && days >= 52 * 7 {
        let next = (weekday + days_in(year)) % 7;
        if !begins_late(next) {
            return (1, year + 1);
        }
    }
    (u32::try_from(days / 7 + 1).unwrap_or(0), year)
}

fn days_in(year: i32) -> i64 {
    if NaiveDate::from_ymd_opt(year, 12, 31).is_some_and(|d| d.ordinal() == 366) { 366 } else { 365 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_mysqls() {
        // The first five from MySQL's manual.
        for (date, mode, expected) in [
            ((2008, 2, 20), 0, 7),
            ((2008, 2, 20), 1, 8),
            ((2008, 12, 31), 1, 53),
            ((2000, 1, 1), 0, 0),
            ((2000, 1, 1), 2, 52),
            ((2024, 12, 31), 3, 1),
            ((2021, 1, 3), 3, 53),
            ((2023, 1, 1), 0, 1),
        ] {
            let (year, month, day) = date;
            let day = NaiveDate::from_ymd_opt(year, month, day).unwrap();
            assert_eq!(week(day, mode).0, expected, "{day} in mode {mode}");
        }
    }

    #[test]
    fn days_are_numbered_as_mysqls() {
        for (date, expected) in [((2024, 3, 1), 739_311), ((1, 1, 1), 366), ((0, 1, 1), 1), ((0, 12, 31), 365)] {
            let (year, month, day) = date;
            let day = NaiveDate::from_ymd_opt(year, month, day).unwrap();
            assert_eq!(day_number(day), expected, "{day}");
            assert!(expected < 366 || date_of_number(expected) == Some(day), "{day}");
        }
    }
}
