//! Times as text by a format, and text as a time by one: the letters of DATE_FORMAT, TIME_FORMAT and STR_TO_DATE. Pure.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};

use crate::sql::mysql::functions::calendar::{self, MONTHS, WEEKDAYS, month_name, week, weekday_name};
use crate::sql::mysql::types::Type;
use crate::sql::mysql::value::Clock;

/// What is formatted: a date and a time of day, or a time alone.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    date: Option<NaiveDate>,
    clock: Clock,
}

impl From<NaiveDateTime> for Moment {
    fn from(time: NaiveDateTime) -> Self {
        Self { date: Some(time.date()), clock: Clock::of_day(time.time()) }
    }
}

impl From<Clock> for Moment {
    fn from(clock: Clock) -> Self {
        Self { date: None, clock }
    }
}

/// A moment as MySQL's letters say, which are not those of C. None where they ask for the name of a day of no date.
pub fn format(moment: Moment, format: &str) -> Option<String> {
    let mut out = String::with_capacity(format.len() + 8);
    if moment.clock < Clock::ZERO {
        out.push('-');
    }
    let mut letters = format.chars();
    while let Some(c) = letters.next() {
        match (c, letters.clone().next()) {
            ('%', Some(letter)) => {
                letters.next();
                push_letter(moment, letter, &mut out)?;
            }
            (c, _) => out.push(c),
        }
    }
    Some(out)
}

fn push_letter(moment: Moment, letter: char, out: &mut String) -> Option<()> {
    let (hours, minutes, seconds, micros) = moment.clock.parts();
    let hour12 = (hours % 24 + 11) % 12 + 1;
    let half = if hours % 24 < 12 { "AM" } else { "PM" };
    let (year, month, day) = moment.date.map_or((0, 0, 0), |date| (date.year(), date.month(), date.day()));
    out.push_str(&match letter {
        'a' => weekday_name(moment.date?).get(..3)?.to_owned(),
        'b' => month_name(moment.date?).get(..3)?.to_owned(),
        'c' => month.to_string(),
        'D' => format!("{day}{}", ordinal_suffix(day)),
        'd' => format!("{day:02}"),
        'e' => day.to_string(),
        'f' => format!("{micros:06}"),
        'H' => format!("{hours:02}"),
        'h' | 'I' => format!("{hour12:02}"),
        'i' => format!("{minutes:02}"),
        'j' => format!("{:03}", moment.date?.ordinal()),
        'k' => hours.to_string(),
        'l' => hour12.to_string(),
        'M' => month_name(moment.date?).to_owned(),
        'm' => format!("{month:02}"),
        'p' => half.to_owned(),
        'r' => format!("{hour12:02}:{minutes:02}:{seconds:02} {half}"),
        'S' | 's' => format!("{seconds:02}"),
        'T' => format!("{hours:02}:{minutes:02}:{seconds:02}"),
        'U' => format!("{:02}", week(moment.date?, 0).0),
        'u' => format!("{:02}", week(moment.date?, 1).0),
        'V' => format!("{:02}", week(moment.date?, 2).0),
        'v' => format!("{:02}", week(moment.date?, 3).0),
        'W' => weekday_name(moment.date?).to_owned(),
        'w' => moment.date?.weekday().num_days_from_sunday().to_string(),
        'X' => format!("{:04}", week(moment.date?, 2).1),
        'x' => format!("{:04}", week(moment.date?, 3).1),
        'Y' => format!("{year:04}"),
        'y' => format!("{:02}", year.rem_euclid(100)),
        // MySQL shows a letter that it does not know as it is.
        other => other.to_string(),
    });
    Some(())
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

/// The type of what a format reads: a DATE, a TIME, or both.
pub fn format_type(format: &str) -> Type {
    const DATE: &str = "MVUXYWabcjmvuxyDdew";
    const TIME: &str = "fHISThiklprs";
    let letters = || format.split('%').skip(1).filter_map(|behind| behind.chars().next());
    let (has_date, has_time) = (letters().any(|c| DATE.contains(c)), letters().any(|c| TIME.contains(c)));
    let digits = if letters().any(|c| c == 'f') { 6 } else { 0 };
    match (has_date, has_time) {
        (true, true) => Type::DateTime(digits),
        (false, true) => Type::Time(digits),
        _ => Type::Date,
    }
}

/// What a text says by a format, part by part.
#[derive(Debug, Default)]
struct Read {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    /// Whether an hour of 12 was read.
    hour_of_half: bool,
    afternoon: bool,
    day_of_year: i64,
    /// From 1, Monday.
    weekday: i64,
    week: Option<i64>,
    week_year: Option<i64>,
    sunday_first: bool,
    strict_week: bool,
}

/// What is left of the text.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// A number of at most so many digits, and how many it had.
    fn number(&mut self, most: usize) -> Option<(i64, usize)> {
        let length = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at(length);
        self.0 = rest;
        Some((digits.parse().ok()?, length))
    }

    fn two(&mut self) -> Option<i64> {
        self.number(2).map(|(number, _)| number)
    }

    /// Which of the names the text goes on with, from 1; by their first letters alone if `length` says so.
    fn name(&mut self, names: &[&str], length: usize) -> Option<i64> {
        for (at, name) in (1..).zip(names) {
            let name = name.get(..length.min(name.len()))?;
            if self.0.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name)) {
                self.0 = self.0.get(name.len()..)?;
                return Some(at);
            }
        }
        None
    }

    fn skip(&mut self, what: impl Fn(char) -> bool) {
        self.0 = self.0.trim_start_matches(what);
    }
}

/// `STR_TO_DATE`: the time that a text says by a format, as the date and the time of day that it has. What the text ends
/// before is 0, and what is behind the format does not count. None if they do not match, or say no time.
pub fn parse_format(text: &str, format: &str) -> Option<(Option<NaiveDate>, Clock)> {
    let mut read = Read::default();
    read_format(&mut Rest(text), format, &mut read)?;
    if read.hour_of_half {
        (1..=12).contains(&read.hour).then_some(())?;
        read.hour = read.hour % 12 + if read.afternoon { 12 } else { 0 };
    }
    let in_range = read.hour < 24 && read.minute < 60 && read.second < 60;
    let seconds = in_range.then_some(read.hour * 3_600 + read.minute * 60 + read.second)?;
    Some((date_of(&read), Clock::clamped(seconds * 1_000_000 + read.micros)))
}

fn date_of(read: &Read) -> Option<NaiveDate> {
    let year = i32::try_from(read.year).ok()?;
    if read.day_of_year > 0 {
        let first = calendar::day_number(NaiveDate::from_ymd_opt(year, 1, 1)?);
        return calendar::date_of_number(first + read.day_of_year - 1);
    }
    if let (Some(week), 1..) = (read.week, read.weekday) {
        return date_of_week(read, week);
    }
    NaiveDate::from_ymd_opt(year, u32::try_from(read.month).ok()?, u32::try_from(read.day).ok()?)
}

/// The day of the week in a week of a year.
fn date_of_week(read: &Read, week: i64) -> Option<NaiveDate> {
    // A week that belongs to one year alone needs that year.
    let year = if read.strict_week { read.week_year? } else { read.year };
    let first = calendar::day_number(NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, 1, 1)?);
    // From 0: Monday, or Sunday.
    let weekday = (first + if read.sunday_first { 6 } else { 5 }) % 7;
    let days = match read.sunday_first {
        true => (if weekday == 0 { 0 } else { 7 }) - weekday + (week - 1) * 7 + read.weekday % 7,
        false => (if weekday <= 3 { 0 } else { 7 }) - weekday + (week - 1) * 7 + read.weekday - 1,
    };
    calendar::date_of_number(first + days)
}

fn read_format(rest: &mut Rest<'_>, format: &str, read: &mut Read) -> Option<()> {
    let mut letters = format.chars();
    while let Some(c) = letters.next() {
        rest.skip(char::is_whitespace);
        if rest.0.is_empty() {
            break;
        }
        match (c, letters.clone().next()) {
            ('%', Some(letter)) => {
                letters.next();
                read_letter(rest, letter, read)?;
            }
            (c, _) if c.is_whitespace() => {}
            (c, _) => rest.0 = rest.0.strip_prefix(c)?,
        }
    }
    Some(())
}

fn read_letter(rest: &mut Rest<'_>, letter: char, read: &mut Read) -> Option<()> {
    match letter {
        'Y' => {
            let (year, length) = rest.number(4)?;
            read.year = if length <= 2 { calendar::full_year(year) } else { year };
        }
        'y' => read.year = calendar::full_year(rest.two()?),
        'm' | 'c' => read.month = rest.two()?,
        'M' => read.month = rest.name(&MONTHS, usize::MAX)?,
        'b' => read.month = rest.name(&MONTHS, 3)?,
        'd' | 'e' => read.day = rest.two()?,
        'D' => {
            read.day = rest.two()?;
            // `st`, `nd`, `rd` or `th`.
            rest.0 = rest.0.char_indices().nth(2).and_then(|(end, _)| rest.0.get(end..)).unwrap_or("");
        }
        'h' | 'I' | 'l' => {
            read.hour = rest.two()?;
            read.hour_of_half = true;
        }
        'H' | 'k' => read.hour = rest.two()?,
        'i' => read.minute = rest.two()?,
        's' | 'S' => read.second = rest.two()?,
        'f' => {
            let (number, length) = rest.number(6)?;
            read.micros = number * 10_i64.pow(u32::try_from(6 - length).ok()?);
        }
        'p' => {
            read.hour_of_half.then_some(())?;
            read.afternoon = rest.name(&["AM", "PM"], 2)? == 2;
        }
        'W' => read.weekday = rest.name(&WEEKDAYS, usize::MAX)?,
        'a' => read.weekday = rest.name(&WEEKDAYS, 3)?,
        'w' => {
            let (number, _) = rest.number(1)?;
            (number < 7).then_some(())?;
            read.weekday = if number == 0 { 7 } else { number };
        }
        'j' => (read.day_of_year, _) = rest.number(3)?,
        'U' | 'u' | 'V' | 'v' => {
            read.sunday_first = matches!(letter, 'U' | 'V');
            read.strict_week = matches!(letter, 'V' | 'v');
            let number = rest.two()?;
            (number <= 53 && !(read.strict_week && number == 0)).then_some(())?;
            read.week = Some(number);
        }
        'X' | 'x' => read.week_year = Some(rest.number(4)?.0),
        'r' => read_format(rest, "%I:%i:%S %p", read)?,
        'T' => read_format(rest, "%H:%i:%S", read)?,
        '.' => rest.skip(|c| c.is_ascii_punctuation()),
        '@' => rest.skip(char::is_alphabetic),
        '#' => rest.skip(|c| c.is_ascii_digit()),
        _ => return None,
    }
    Some(())
}

/// A date and a time of day as one.
pub fn joined(date: NaiveDate, clock: Clock) -> Option<NaiveDateTime> {
    let time = date.and_hms_opt(0, 0, 0)?.checked_add_signed(chrono::Duration::microseconds(clock.micros()))?;
    (time.year() <= calendar::YEAR_MAX && time.nanosecond() < 1_000_000_000).then_some(time)
}
