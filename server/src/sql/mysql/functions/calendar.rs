//! The calendar as MySQL has it: units, formats, weeks. Pure, and without a clock.

use chrono::format::{Parsed, StrftimeItems, parse};
use chrono::{Datelike, Days, Duration, Months, NaiveDate, NaiveDateTime, Timelike};

/// A unit of time in INTERVAL, TIMESTAMPDIFF and EXTRACT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// So many microseconds.
    Micros(i64),
    /// So many months, whose lengths differ.
    Months(i64),
}

impl Unit {
    /// The unit of that name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        const SECOND: i64 = 1_000_000;
        Some(match name.to_ascii_uppercase().as_str() {
            "MICROSECOND" => Self::Micros(1),
            "SECOND" => Self::Micros(SECOND),
            "MINUTE" => Self::Micros(60 * SECOND),
            "HOUR" => Self::Micros(3_600 * SECOND),
            "DAY" => Self::Micros(86_400 * SECOND),
            "WEEK" => Self::Micros(7 * 86_400 * SECOND),
            "MONTH" => Self::Months(1),
            "QUARTER" => Self::Months(3),
            "YEAR" => Self::Months(12),
            _ => return None,
        })
    }
}

/// The time that many units later; none past the calendar's end.
pub fn add(time: NaiveDateTime, count: f64, unit: Unit) -> Option<NaiveDateTime> {
    match unit {
        Unit::Micros(micros) => {
            let micros = count * micros as f64;
            (micros.abs() < i64::MAX as f64).then_some(())?;
            time.checked_add_signed(Duration::microseconds(micros.round() as i64))
        }
        Unit::Months(months) => {
            let months = count.round() * months as f64;
            let distance = Months::new((months.abs() < f64::from(u32::MAX)).then_some(months.abs() as u32)?);
            if months < 0.0 { time.checked_sub_months(distance) } else { time.checked_add_months(distance) }
        }
    }
}

/// Whole units from `a` to `b`.
pub fn difference(unit: Unit, a: NaiveDateTime, b: NaiveDateTime) -> i64 {
    match unit {
        Unit::Micros(micros) => (b - a).num_microseconds().unwrap_or(i64::MAX) / micros,
        Unit::Months(months) => {
            let (early, late, sign) = if a <= b { (a, b, 1) } else { (b, a, -1) };
            let month = |time: NaiveDateTime| i64::from(time.year()) * 12 + i64::from(time.month0());
            let rest = |time: NaiveDateTime| (time.day(), time.time());
            // The last month counts once it is full.
            let full = month(late) - month(early) - i64::from(rest(late) < rest(early));
            sign * (full / months)
        }
    }
}

/// Text as a time, as MySQL writes one.
pub fn parse_time(text: &str) -> Option<NaiveDateTime> {
    const FORMATS: [&str; 4] = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
    let text = text.trim().trim_end_matches('Z');
    let with_time = FORMATS.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    with_time.or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))
}

/// `DATE_FORMAT`: MySQL's letters, which are not those of C.
pub fn format(time: NaiveDateTime, format: &str) -> String {
    let mut out = String::with_capacity(format.len() + 8);
    let mut letters = format.chars();
    while let Some(c) = letters.next() {
        match c {
            '%' => match letters.next() {
                Some(letter) => push_letter(time, letter, &mut out),
                None => out.push('%'),
            },
            c => out.push(c),
        }
    }
    out
}

fn push_letter(time: NaiveDateTime, letter: char, out: &mut String) {
    let hour12 = time.hour12().1;
    let text = match letter {
        'a' => time.format("%a").to_string(),
        'b' => time.format("%b").to_string(),
        'c' => time.month().to_string(),
        'D' => format!("{}{}", time.day(), ordinal_suffix(time.day())),
        'd' => format!("{:02}", time.day()),
        'e' => time.day().to_string(),
        'f' => format!("{:06}", time.nanosecond() / 1_000 % 1_000_000),
        'H' => format!("{:02}", time.hour()),
        'h' | 'I' => format!("{hour12:02}"),
        'i' => format!("{:02}", time.minute()),
        'j' => format!("{:03}", time.ordinal()),
        'k' => time.hour().to_string(),
        'l' => hour12.to_string(),
        'M' => time.format("%B").to_string(),
        'm' => format!("{:02}", time.month()),
        'p' => time.format("%p").to_string(),
        'r' => time.format("%I:%M:%S %p").to_string(),
        'S' | 's' => format!("{:02}", time.second()),
        'T' => time.format("%H:%M:%S").to_string(),
        'U' => format!("{:02}", week(time.date(), 0).0),
        'u' => format!("{:02}", week(time.date(), 1).0),
        'V' => format!("{:02}", week(time.date(), 2).0),
        'v' => format!("{:02}", week(time.date(), 3).0),
        'W' => time.format("%A").to_string(),
        'w' => time.weekday().num_days_from_sunday().to_string(),
        'X' => format!("{:04}", week(time.date(), 2).1),
        'x' => format!("{:04}", week(time.date(), 3).1),
        'Y' => format!("{:04}", time.year()),
        'y' => format!("{:02}", time.year().rem_euclid(100)),
        // MySQL shows a letter that it does not know as it is.
        other => other.to_string(),
    };
    out.push_str(&text);
}

fn ordinal_suffix(day: u32) -> &'static str {
    match day {
        11..=13 => "th",
        _ => match day % 10 {
            1 => "st",
            2 => "nd",
            3 => "rd",
            _ => "th",
        },
    }
}

/// `STR_TO_DATE`: the inverse of [`format`], as far as the letters say a time.
pub fn parse_format(text: &str, format: &str) -> Option<NaiveDateTime> {
    let mut translated = String::new();
    let mut letters = format.chars();
    while let Some(c) = letters.next() {
        match c {
            '%' => translated.push_str(match letters.next()? {
                'a' => "%a",
                'b' => "%b",
                'c' | 'm' => "%m",
                'd' | 'e' => "%d",
                'f' => "%6f",
                'H' | 'k' => "%H",
                'h' | 'I' | 'l' => "%I",
                'i' => "%M",
                'j' => "%j",
                'M' => "%B",
                'p' => "%p",
                'r' => "%I:%M:%S %p",
                'S' | 's' => "%S",
                'T' => "%H:%M:%S",
                'W' => "%A",
                'Y' => "%Y",
                'y' => "%y",
                '%' => "%%",
                _ => return None,
            }),
            c => translated.push(c),
        }
    }
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, StrftimeItems::new(&translated)).ok()?;
    let date = parsed.to_naive_date().ok()?;
    // A format without an hour is a day, one with an hour and no minute is that hour.
    match parsed.to_naive_time() {
        Ok(time) => Some(date.and_time(time)),
        Err(_) => date.and_hms_opt(parsed.hour_div_12().unwrap_or(0) * 12 + parsed.hour_mod_12().unwrap_or(0), 0, 0),
    }
}

/// The last day of that month.
pub fn last_day(date: NaiveDate) -> Option<NaiveDate> {
    date.with_day(1)?.checked_add_months(Months::new(1))?.checked_sub_days(Days::new(1))
}

/// The week of a year and the year that it belongs to, in MySQL's modes 0 to 7 (`WEEK(date, mode)`).
pub fn week(date: NaiveDate, mode: i64) -> (u32, i32) {
    let monday_first = mode & 1 != 0;
    let mut week_of_other_year = mode & 2 != 0;
    // Week 1 is the one with the year's first day of the week, or the one with four days.
    let by_first_weekday = (mode & 4 != 0) == monday_first;
    let days_in =
        |year: i32| if NaiveDate::from_ymd_opt(year, 12, 31).is_some_and(|d| d.ordinal() == 366) { 366 } else { 365 };
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
    ((days / 7 + 1) as u32, year)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> NaiveDateTime {
        parse_time(text).expect("a time")
    }

    #[test]
    fn date_format_has_mysqls_letters() {
        // The expected texts are those of MySQL's manual.
        for (at, letters, expected) in [
            ("2009-10-04 22:23:00", "%W %M %Y", "Sunday October 2009"),
            ("2007-10-04 22:23:00", "%H:%i:%s", "22:23:00"),
            ("1900-10-04 22:23:00", "%D %y %a %d %m %b %j", "4th 00 Thu 04 10 Oct 277"),
            ("1997-10-04 22:23:00", "%H %k %I %r %T %S %w", "22 22 10 10:23:00 PM 22:23:00 00 6"),
            ("1999-01-01", "%X %V", "1998 52"),
            ("2006-06-01 01:02:03.000456", "%e %c %l %f %%", "1 6 1 000456 %"),
            ("2024-01-11", "%D", "11th"),
            ("2024-01-01", "%q%", "q%"),
        ] {
            assert_eq!(format(time(at), letters), expected, "{letters}");
        }
    }

    #[test]
    fn weeks_are_mysqls() {
        // The first five from MySQL's manual.
        for (date, mode, expected) in [
            ("2008-02-20", 0, 7),
            ("2008-02-20", 1, 8),
            ("2008-12-31", 1, 53),
            ("2000-01-01", 0, 0),
            ("2000-01-01", 2, 52),
            ("2024-12-31", 3, 1),
            ("2021-01-03", 3, 53),
            ("2023-01-01", 0, 1),
        ] {
            assert_eq!(week(time(date).date(), mode).0, expected, "{date} in mode {mode}");
        }
    }

    #[test]
    fn str_to_date_reads_what_date_format_writes() {
        for (text, letters, expected) in [
            ("01,5,2013", "%d,%m,%Y", Some("2013-05-01")),
            ("May 1, 2013", "%M %d, %Y", Some("2013-05-01")),
            ("2024-02-30", "%Y-%m-%d", None),
            ("2024-02-03 04:05:06", "%Y-%m-%d %T", Some("2024-02-03 04:05:06")),
            ("2024-02-03 04", "%Y-%m-%d %H", Some("2024-02-03 04:00:00")),
            ("x", "%Y", None),
        ] {
            assert_eq!(parse_format(text, letters), expected.map(time), "{text}");
        }
    }

    #[test]
    fn months_are_added_and_counted_as_they_are_long() {
        let unit = |name| Unit::parse(name).expect("a unit");
        for (at, count, name, expected) in [
            ("2024-01-31", 1.0, "month", "2024-02-29"),
            ("2024-02-29", 1.0, "YEAR", "2025-02-28"),
            ("2024-01-01", -1.0, "second", "2023-12-31 23:59:59"),
            ("2024-01-01", 1.5, "SECOND", "2024-01-01 00:00:01.5"),
            ("2024-01-01", 2.0, "quarter", "2024-07-01"),
        ] {
            assert_eq!(add(time(at), count, unit(name)), Some(time(expected)), "{at} + {count} {name}");
        }
        assert_eq!(add(time("2024-01-01"), 1e18, unit("day")), None);
        for (name, a, b, expected) in [
            ("MONTH", "2003-02-01", "2003-05-01", 3),
            ("YEAR", "2002-05-01", "2001-01-01", -1),
            ("MINUTE", "2003-02-01", "2003-05-01 12:05:55", 128_885),
            ("MONTH", "2024-01-31", "2024-02-29", 0),
        ] {
            assert_eq!(difference(unit(name), time(a), time(b)), expected, "{name} {a} {b}");
        }
    }
}
