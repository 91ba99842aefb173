//! Values as the text that MySQL shows of them, where both the catalog and SQL need it.

use chrono::DateTime;

/// A double as MySQL shows it: the fewest digits that are it, with an exponent from 10^15 on and below 10^-15.
pub fn double_text(value: f64) -> String {
    const POINT_MAX: i32 = 15;
    if value == 0.0 {
        return "0".into();
    }
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    match (-POINT_MAX..POINT_MAX).contains(&exponent) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_six_digits_of_its_second() {
        assert_eq!(timestamp_text(1_709_294_400_000_000), "2024-03-01 12:00:00.000000");
        assert_eq!(timestamp_text(-1), "1969-12-31 23:59:59.999999");
    }
}
