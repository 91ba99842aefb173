//! Times as text and as numbers, and text and numbers as times, as MySQL reads and writes them.

use arrow::datatypes::i256;
use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::Decimal;

/// Digits of a second that a time has at most.
const DIGITS_MAX: u8 = 6;
const SECOND: i64 = 1_000_000;

/// The longest TIME: 838:59:59.
pub const TIME_MICROS_MAX: i64 = (838 * 3_600 + 59 * 60 + 59) * SECOND;

/// A time of day, or a span of time, of either sign: microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clock(i64);

impl Clock {
    /// No time.
    pub const ZERO: Self = Self(0);

    /// So many microseconds; what is longer than the longest TIME is that.
    pub fn clamped(micros: i64) -> Self {
        Self(micros.clamp(-TIME_MICROS_MAX, TIME_MICROS_MAX))
    }

    /// The time since midnight.
    pub fn of_day(time: NaiveTime) -> Self {
        Self(i64::from(time.num_seconds_from_midnight()) * SECOND + i64::from(time.nanosecond() / 1_000))
    }

    /// In microseconds.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Hours, minutes, seconds and microseconds, without the sign.
    pub fn parts(self) -> (i64, i64, i64, i64) {
        let micros = self.0.abs();
        (micros / SECOND / 3_600, micros / SECOND / 60 % 60, micros / SECOND % 60, micros % SECOND)
    }

    /// Its digits as a number: 12:30:05 is 123005.
    pub fn number(self, digits: u8) -> Decimal {
        let (hours, minutes, seconds, micros) = self.parts();
        let whole = hours * 10_000 + minutes * 100 + seconds;
        with_fraction(if self.0 < 0 { -1 } else { 1 }, whole.into(), micros, digits)
    }
}

fn with_fraction(sign: i128, whole: i128, micros: i64, digits: u8) -> Decimal {
    let unscaled = sign * (whole * i128::from(SECOND) + i128::from(micros));
    Decimal::new(i256::from_i128(unscaled), DIGITS_MAX).truncated(digits)
}

/// The digits of a date, or of a date and time with so many digits of a second, as a number.
pub fn date_number(time: NaiveDateTime, digits: Option<u8>) -> Decimal {
    let date = i128::from(time.year()) * 10_000 + i128::from(time.month()) * 100 + i128::from(time.day());
    match digits {
        None => Decimal::new(i256::from_i128(date), 0),
        Some(digits) => {
            let clock = i128::from(time.hour()) * 10_000 + i128::from(time.minute()) * 100 + i128::from(time.second());
            with_fraction(1, date * 1_000_000 + clock, micros_of(time), digits)
        }
    }
}

fn micros_of(time: NaiveDateTime) -> i64 {
    i64::from(time.nanosecond() / 1_000) % SECOND
}

/// A date and time as text, with so many digits of a second.
pub fn timestamp_text(time: NaiveDateTime, digits: u8) -> String {
    let mut text = time.format("%Y-%m-%d %H:%M:%S").to_string();
    push_fraction(&mut text, micros_of(time), digits);
    text
}

/// A TIME as text, with so many digits of a second.
pub fn time_text(clock: Clock, digits: u8) -> String {
    let (hours, minutes, seconds, micros) = clock.parts();
    let sign = if clock.0 < 0 { "-" } else { "" };
    let mut text = format!("{sign}{hours:02}:{minutes:02}:{seconds:02}");
    push_fraction(&mut text, micros, digits);
    text
}

fn push_fraction(text: &mut String, micros: i64, digits: u8) {
    if digits > 0 {
        text.push('.');
        text.push_str(&format!("{micros:06}")[..usize::from(digits.min(DIGITS_MAX))]);
    }
}

/// What is left of a text that is being read.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    /// The digits that it goes on with.
    fn digits(&mut self) -> &'a str {
        let (digits, rest) = self.0.split_at(self.0.bytes().take_while(u8::is_ascii_digit).count());
        self.0 = rest;
        digits
    }

    /// A number of one or two digits behind any sign that separates.
    fn part(&mut self) -> Option<u32> {
        let mut inner = Reader(self.0.strip_prefix(|c: char| c.is_ascii_punctuation())?);
        let digits = inner.digits();
        let number = (1..=2).contains(&digits.len()).then(|| digits.parse().ok())??;
        self.0 = inner.0;
        Some(number)
    }

    /// `.5`: microseconds, and how many digits there are. A seventh digit rounds.
    fn fraction(&mut self) -> (i64, u8) {
        let Some(inner) = self.0.strip_prefix('.') else { return (0, 0) };
        let mut inner = Reader(inner);
        let digits = inner.digits();
        self.0 = inner.0;
        let micros: i64 = format!("{:0<7}", digits.get(..7).unwrap_or(digits)).parse().unwrap_or(0);
        ((micros + 5) / 10, u8::try_from(digits.len()).unwrap_or(DIGITS_MAX).min(DIGITS_MAX))
    }
}

fn later(time: NaiveDateTime, micros: i64) -> Option<NaiveDateTime> {
    time.checked_add_signed(Duration::microseconds(micros)).filter(|time| (0..=9999).contains(&time.year()))
}

/// Text as a date and time, and how many digits of a second it has; none if it does not begin with one.
///
/// `2024-3-1`, `2024/03/01 12:00`, `2024-03-01T12:00:00.5`, `20240301120000`, `240301`: any sign separates.
pub fn parse_datetime(text: &str) -> Option<(NaiveDateTime, u8)> {
    let mut reader = Reader(text.trim_start());
    let first = reader.digits();
    match first.len() {
        0 => None,
        1..=4 => separated(first, reader),
        _ => packed(first, reader),
    }
}

fn year(digits: &str) -> Option<i32> {
    let year: i32 = digits.parse().ok()?;
    Some(match digits.len() {
        // Two digits are between 1970 and 2069.
        2 if year < 70 => 2000 + year,
        2 => 1900 + year,
        _ => year,
    })
}

/// All digits in one run, or with a `T` behind the date. Digits past the seconds are left out; nothing else may follow but
/// letters and spaces.
fn packed(run: &str, mut rest: Reader<'_>) -> Option<(NaiveDateTime, u8)> {
    /// Digits of a year, two of all else.
    const LONG: usize = 14;
    const SHORT: usize = 12;
    let mut run = run.to_owned();
    let clock = rest.0.strip_prefix('T').map(|clock| Reader(clock).digits()).unwrap_or_default();
    if matches!(run.len(), 6 | 8) && clock.len() == SHORT - 6 {
        run.push_str(clock);
        rest = Reader(&rest.0[1 + clock.len()..]);
    }
    let (whole, year_digits) = if run.len() == 8 || run.len() >= LONG { (LONG, 4) } else { (SHORT, 2) };
    let is_whole = run.len() == whole;
    if run.len() <= whole && !(is_whole && rest.0.starts_with('.')) {
        let is_sign = rest.0.starts_with(|c: char| c.is_ascii_punctuation());
        if is_sign || rest.0.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
    }
    let (year_text, run) = run.split_at(year_digits);
    let number = |at: usize| match run.get(at..run.len().min(at + 2)) {
        None | Some("") => Some(0),
        Some(digits) => digits.parse::<u32>().ok(),
    };
    let date = NaiveDate::from_ymd_opt(year(year_text)?, number(0)?, number(2)?)?;
    let time = date.and_hms_opt(number(4)?, number(6)?, number(8)?)?;
    let (micros, digits) = if is_whole { rest.fraction() } else { (0, 0) };
    Some((later(time, micros)?, digits))
}

fn separated(year_text: &str, mut rest: Reader<'_>) -> Option<(NaiveDateTime, u8)> {
    let date = NaiveDate::from_ymd_opt(year(year_text)?, rest.part()?, rest.part()?)?;
    let behind_date = |c: char| matches!(c, ' ' | 'T' | 't') || c.is_ascii_punctuation();
    let mut clock = Reader(rest.0.trim_start_matches(behind_date));
    let hour = if clock.0.len() < rest.0.len() { clock.digits() } else { "" };
    if hour.is_empty() {
        return Some((date.and_hms_opt(0, 0, 0)?, 0));
    }
    // A point separates as any sign does; behind the seconds alone is a fraction of them.
    let (minute, second) = (clock.part(), clock.part());
    let time = date.and_hms_opt(hour.parse().ok()?, minute.unwrap_or(0), second.unwrap_or(0))?;
    let (micros, digits) = if second.is_some() { clock.fraction() } else { (0, 0) };
    Some((later(time, micros)?, digits))
}

/// A number as a date and time: 20240301 or 240301120000, with a fraction of a second.
pub fn parse_number(number: Decimal) -> Option<(NaiveDateTime, u8)> {
    let whole = number.truncated(0).unscaled().to_i128().filter(|whole| *whole >= 101)?;
    let digits = match whole {
        0..=999_999 => format!("{whole:06}"),
        1_000_000..=99_999_999 => format!("{whole:08}"),
        100_000_000..=999_999_999_999 => format!("{whole:012}"),
        1_000_000_000_000..=99_999_999_999_999 => format!("{whole:014}"),
        _ => return None,
    };
    let (time, _) = parse_datetime(&digits)?;
    if digits.len() <= 8 {
        // A date has no fraction of a second.
        return Some((time, 0));
    }
    let (micros, fraction_digits) = fraction_of(number)?;
    Some((later(time, micros)?, fraction_digits))
}

/// Microseconds behind the point of a number, and how many digits they have.
fn fraction_of(number: Decimal) -> Option<(i64, u8)> {
    let fraction = number.abs().sub(number.abs().truncated(0))?;
    let micros = fraction.rescaled(DIGITS_MAX)?.unscaled().to_i128()?;
    Some((i64::try_from(micros).ok()?, number.scale().min(DIGITS_MAX)))
}

/// Whether a text is written as a date with a time of day, whatever that is.
pub fn has_clock(text: &str) -> bool {
    const DATE_DIGITS: usize = 8;
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match digits {
        0 => false,
        // All in one run.
        5.. => digits > DATE_DIGITS,
        _ => {
            let behind = text.split_once([' ', 'T', 't']).map(|(_, behind)| behind.trim_start());
            behind.is_some_and(|behind| behind.starts_with(|c: char| c.is_ascii_digit()))
        }
    }
}

/// Whether a text that could be a span of time is a date with a time of day: only what is long enough is.
pub fn is_timestamp(text: &str) -> bool {
    const LENGTH: usize = 12;
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    // `1 10:11:12.5` has days in front of its hours, no date.
    let separated = text.get(digits..).is_some_and(|rest| !rest.starts_with([' ', ':']));
    text.len() >= LENGTH && has_clock(text) && separated
}

/// Text as a time of day or a span of time: `-1 02:03:04.5`, `02:03`, `20304`, or that of a date and time.
pub fn parse_time(text: &str) -> Option<(Clock, u8)> {
    let text = text.trim_start();
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let mut reader = Reader(unsigned);
    let first = reader.digits();
    if first.is_empty() {
        return None;
    }
    if !negative && is_timestamp(text) {
        let (time, digits) = parse_datetime(text)?;
        return Some((Clock::of_day(time.time()), digits));
    }
    let (days, hours) = match reader.0.strip_prefix(' ') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => {
            reader.0 = rest;
            (first.parse::<i64>().ok()?, reader.digits())
        }
        _ => (0, first),
    };
    let colon = reader.0.strip_prefix(':').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let (mut hours, mut minutes, mut seconds) = (hours.parse::<i64>().ok()?, 0, 0);
    if colon {
        // A colon with no number behind it ends the time.
        minutes = i64::from(reader.part().unwrap_or(0));
        seconds = if reader.0.starts_with(':') { i64::from(reader.part().unwrap_or(0)) } else { 0 };
    } else if days == 0 {
        (hours, minutes, seconds) = (hours / 10_000, hours / 100 % 100, hours % 100);
    }
    let (micros, digits) = reader.fraction();
    clock_of(negative, days.checked_mul(24)?.checked_add(hours)?, minutes, seconds, micros).map(|clock| (clock, digits))
}

/// A number as a time: 20304 is 02:03:04.
pub fn time_of_number(number: Decimal) -> Option<(Clock, u8)> {
    let whole = i64::try_from(number.abs().truncated(0).unscaled().to_i128()?).ok()?;
    let (micros, digits) = fraction_of(number)?;
    if whole >= 10_000_000_000 {
        let (time, _) = parse_number(number)?;
        return Some((Clock::of_day(time.time()), digits));
    }
    clock_of(number.is_negative(), whole / 10_000, whole / 100 % 100, whole % 100, micros).map(|clock| (clock, digits))
}

fn clock_of(negative: bool, hours: i64, minutes: i64, seconds: i64, micros: i64) -> Option<Clock> {
    if minutes > 59 || seconds > 59 {
        return None;
    }
    let total = hours.saturating_mul(3_600).saturating_add(minutes * 60 + seconds);
    let micros = total.saturating_mul(SECOND).saturating_add(micros);
    Some(Clock::clamped(if negative { -micros } else { micros }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from MariaDB 10.11.
    #[test]
    fn text_and_numbers_are_read_as_times() {
        for (text, expected) in [
            ("2024-03-01", Some("2024-03-01 00:00:00")),
            ("2024-3-1", Some("2024-03-01 00:00:00")),
            ("24-3-1 1:2", Some("2024-03-01 01:02:00")),
            ("2024-03-01 12:30:05.5", Some("2024-03-01 12:30:05.5")),
            ("2024-03-01T12:30:05.1234567", Some("2024-03-01 12:30:05.123457")),
            ("20240301", Some("2024-03-01 00:00:00")),
            ("20240301123005", Some("2024-03-01 12:30:05")),
            ("2024-03-01 1.2.3.5", Some("2024-03-01 01:02:03.5")),
            ("2024-03-01@10", Some("2024-03-01 10:00:00")),
            ("1-1-1", Some("0001-01-01 00:00:00")),
            ("100-1-1", Some("0100-01-01 00:00:00")),
            ("2024-02-30", None),
            ("2024-03-01 25:00:00", None),
            ("abc", None),
            ("", None),
        ] {
            let read = parse_datetime(text).map(|(time, digits)| timestamp_text(time, digits));
            assert_eq!(read.as_deref(), expected, "{text:?}");
        }
        for (text, expected) in [
            ("12:30:05", Some("12:30:05")),
            ("-1 02:03:04.5", Some("-26:03:04.5")),
            ("123005", Some("12:30:05")),
            ("5", Some("00:00:05")),
            ("900:00:00", Some("838:59:59")),
            ("2024-03-01 12:30:05", Some("12:30:05")),
            // Too short for a date with a time of day.
            ("2024-03-01", Some("00:20:24")),
            ("1 10:11:12.500", Some("34:11:12.500")),
            ("2024-13-01 10:00:00", None),
            ("10:11:", Some("10:11:00")),
            ("10:", Some("00:00:10")),
            ("12:61:00", None),
            ("x", None),
        ] {
            let read = parse_time(text).map(|(clock, digits)| time_text(clock, digits));
            assert_eq!(read.as_deref(), expected, "{text:?}");
        }
        let number = |text: &str| Decimal::parse(text).expect("a number");
        let shown = |text: &str| parse_number(number(text)).map(|(time, digits)| timestamp_text(time, digits));
        assert_eq!(shown("20240301").as_deref(), Some("2024-03-01 00:00:00"));
        assert_eq!(shown("20240301123005.25").as_deref(), Some("2024-03-01 12:30:05.25"));
        assert_eq!(shown("20240301.5").as_deref(), Some("2024-03-01 00:00:00"));
        assert_eq!(shown("5"), None);
    }
}
