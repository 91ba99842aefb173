//! Numbers in text, and numbers as text.

use super::decimal::Decimal;
use super::number::Number;

/// The number that a text begins with, 0 if it begins with none; and whether there was nothing else in it.
pub fn leading_number(text: &str) -> (Number, bool) {
    let trimmed = text.trim_start_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    let length = number_length(trimmed.as_bytes());
    let (number, rest) = trimmed.split_at(length);
    let complete = length > 0 && rest.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']).is_empty();
    if length == 0 {
        return (Number::Exact(Decimal::ZERO), false);
    }
    // What has an exponent is a double, as a literal with one is.
    let exact = (!number.contains(['e', 'E'])).then(|| Decimal::parse(number)).flatten();
    let number = match exact {
        Some(decimal) => Number::Exact(decimal),
        None => Number::Double(number.parse::<f64>().unwrap_or(0.0).clamp(f64::MIN, f64::MAX)),
    };
    (number, complete)
}

/// The whole number that a text begins with, 0 if it begins with none. A fraction and an exponent do not count: `1e3` is 1.
pub fn leading_whole(text: &str) -> i128 {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.bytes().take_while(u8::is_ascii_digit);
    sign * digits.fold(0_i128, |number, digit| number.saturating_mul(10).saturating_add(i128::from(digit - b'0')))
}

/// Bytes of the number that a text begins with.
fn number_length(bytes: &[u8]) -> usize {
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits(sign);
    let mut end = sign + whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        if whole + fraction > 0 {
            end += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return 0;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits((end + 1 + sign).min(bytes.len()));
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_number_that_it_begins_with() {
        for (text, expected, complete) in [
            ("12abc", 12.0, false),
            (" 7", 7.0, true),
            ("7 ", 7.0, true),
            ("1e3", 1000.0, true),
            ("1e", 1.0, false),
            ("1e+", 1.0, false),
            (".5", 0.5, true),
            ("5.", 5.0, true),
            ("-", 0.0, false),
            (".", 0.0, false),
            ("", 0.0, false),
            ("abc", 0.0, false),
            ("0x1A", 0.0, false),
            ("-1.5e-1x", -0.15, false),
        ] {
            let (number, all) = leading_number(text);
            assert_eq!((number.to_f64(), all), (expected, complete), "{text:?}");
        }
    }

    #[test]
    fn a_whole_number_ends_at_its_first_other_letter() {
        for (text, expected) in [("1e3", 1), (" -3.9", -3), ("+7x", 7), ("x", 0), ("", 0), ("-", 0)] {
            assert_eq!(leading_whole(text), expected, "{text:?}");
        }
    }
}
