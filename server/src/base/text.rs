//! Values as the text that MySQL shows of them, where both the catalog and SQL need it.

use chrono::DateTime;

/// A double as MySQL shows it: the fewest digits that are it, with an exponent for whole numbers from 10^15 on and below
/// 10^-15.
pub fn double_text(value: f64) -> String {
    const POINT_MAX: i32 = 15;
    if value == 0.0 {
        return "0".into();
    }
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // A fraction is shown as one, however large the number before it.
    let after_first = digits.split_once('.').map_or(0, |(_, after)| after.len());
    let has_fraction = exponent >= POINT_MAX && usize::try_from(exponent).is_ok_and(|exponent| after_first > exponent);
    match (-POINT_MAX..POINT_MAX).contains(&exponent) || has_fraction {
        true => format!("{value}"),
        false => format!("{digits}e{exponent}"),
    }
}

/// Microseconds since 1970-01-01T00:00:00Z as MySQL shows a TIMESTAMP(6), in UTC.
pub fn timestamp_text(us: i64) -> String {
    let time = DateTime::from_timestamp_micros(us).unwrap_or(if us < 0 {
        DateTime::<chrono::Utc>::MIN_UTC
    } else {
        DateTime::<chrono::Utc>::MAX_UTC
    });
    time.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

/// The inverse of [`timestamp_text`]; the fraction may be missing.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let parsed = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f");
    parsed.ok().map(|time| time.and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As MariaDB and MySQL have it.
    #[test]
    fn a_double_is_as_short_as_it_can_be() {
        for (double, text) in [
            (1e14, "100000000000000"),
            (1e15, "1e15"),
            (1_000_000_000_000_003.5, "1000000000000003.5"),
            (-1_234_567_890_123_456.7, "-1234567890123456.8"),
            (1_234_567_890_123_456.0, "1.234567890123456e15"),
            (12_345_678_901_234_567.0, "1.2345678901234568e16"),
            (1e-15, "0.000000000000001"),
            (-0.0, "0"),
        ] {
            assert_eq!(double_text(double), text);
        }
    }

    #[test]
    fn a_time_has_six_digits_of_its_second() {
        assert_eq!(timestamp_text(1_709_294_400_000_000), "2024-03-01 12:00:00.000000");
        assert_eq!(timestamp_text(-1), "1969-12-31 23:59:59.999999");
    }
}
