//! Exact decimals, as MySQL's DECIMAL: up to 65 digits, 30 of them behind the point.

use std::cmp::Ordering;
use std::fmt;

use arrow::datatypes::i256;

/// Digits of a DECIMAL.
pub const DIGITS_MAX: u8 = 65;
/// Digits behind the point.
pub const SCALE_MAX: u8 = 30;
/// Digits that a division has more behind the point than what is divided: `div_precision_increment`.
pub const DIVISION_DIGITS: u8 = 4;

/// Digits of a word of MySQL's decimals: quotients end at one.
const WORD_DIGITS: u8 = 9;

/// Digits of a quotient that are calculated with and not shown: what Arrow's longest decimal has place for.
pub const HIDDEN_MAX: u8 = 10;

/// An exact decimal.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    unscaled: i256,
    scale: u8,
}

/// 10 to a power that fits.
fn power(exponent: u8) -> i256 {
    match exponent {
        0..=38 => i256::from_i128(10_i128.pow(u32::from(exponent))),
        _ => i256::from_i128(10).wrapping_pow(u32::from(exponent)),
    }
}

impl Decimal {
    /// 0.
    pub const ZERO: Self = Self { unscaled: i256::ZERO, scale: 0 };

    /// `unscaled` divided by 10 to the power of `scale`.
    pub const fn new(unscaled: i256, scale: u8) -> Self {
        Self { unscaled, scale }
    }

    /// The digits without the point.
    pub const fn unscaled(self) -> i256 {
        self.unscaled
    }

    /// How many of them are behind the point.
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// A decimal that has no more digits than there are in a calculation, if this one does; those past the scale are rounded.
    fn bounded(self) -> Option<Self> {
        const SCALE: u8 = SCALE_MAX + HIDDEN_MAX;
        let fits = if self.scale > SCALE { self.rescaled(SCALE)? } else { self };
        (fits.digits() <= DIGITS_MAX + HIDDEN_MAX).then_some(fits)
    }

    /// How many digits it has, without zeros in front.
    pub fn digits(self) -> u8 {
        let text = self.unscaled.to_string();
        u8::try_from(text.trim_start_matches('-').len()).unwrap_or(u8::MAX)
    }

    /// The number that a text is, with an exponent or without; none if it is none, or too long.
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut unscaled = i256::ZERO;
        let mut digits = 0_u32;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return None;
            }
            if digits > 0 || byte != b'0' {
                digits += 1;
            }
            if digits > 76 {
                return None;
            }
            unscaled =
                unscaled.wrapping_mul(i256::from_i128(10)).wrapping_add(i256::from_i128(i128::from(byte - b'0')));
        }
        if negative {
            unscaled = unscaled.wrapping_neg();
        }
        if unscaled == i256::ZERO {
            let scale = i32::try_from(fraction.len()).ok()?.saturating_sub(exponent);
            return Some(Self { unscaled, scale: u8::try_from(scale.clamp(0, i32::from(SCALE_MAX))).ok()? });
        }
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        match scale {
            ..0 => {
                let shift = u8::try_from(-scale).ok().filter(|shift| *shift <= DIGITS_MAX)?;
                Self { unscaled: unscaled.checked_mul(power(shift))?, scale: 0 }.bounded()
            }
            0..=76 => Self { unscaled, scale: u8::try_from(scale).ok()? }.bounded(),
            _ => None,
        }
    }

    /// The decimal that a double shows.
    pub fn from_f64(value: f64) -> Option<Self> {
        value.is_finite().then(|| Self::parse(&format!("{value:e}"))).flatten().or_else(|| {
            // Digits past the scale round away.
            (value.is_finite() && value.abs() < 1.0).then_some(Self::ZERO)
        })
    }

    /// The nearest double.
    pub fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// With so many digits behind the point: a half is rounded away from 0. None where it overflows.
    pub fn rescaled(self, scale: u8) -> Option<Self> {
        match scale.cmp(&self.scale) {
            Ordering::Equal => Some(self),
            Ordering::Greater => Some(Self { unscaled: self.unscaled.checked_mul(power(scale - self.scale))?, scale }),
            Ordering::Less => {
                let unscaled = divided(self.unscaled, power(self.scale - scale));
                Some(Self { unscaled, scale })
            }
        }
    }

    /// Digits behind the point cut off.
    pub fn truncated(self, scale: u8) -> Self {
        if scale >= self.scale {
            return self;
        }
        let unscaled = self.unscaled.wrapping_div(power(self.scale - scale));
        Self { unscaled, scale }
    }

    /// The whole number next to it: a half is rounded away from 0.
    pub fn rounded(self) -> i256 {
        self.rescaled(0).map_or(i256::ZERO, |whole| whole.unscaled)
    }

    /// The same with the other sign.
    pub fn negated(self) -> Self {
        Self { unscaled: self.unscaled.wrapping_neg(), scale: self.scale }
    }

    /// Without its sign.
    pub fn abs(self) -> Self {
        if self.is_negative() { self.negated() } else { self }
    }

    /// Whether it is less than 0.
    pub fn is_negative(self) -> bool {
        self.unscaled < i256::ZERO
    }

    /// Whether it is 0.
    pub fn is_zero(self) -> bool {
        self.unscaled == i256::ZERO
    }

    /// The largest whole number that is not larger.
    pub fn floor(self) -> Self {
        let whole = self.truncated(0);
        let cut = whole.unscaled.wrapping_mul(power(self.scale)) != self.unscaled;
        let less = if cut && self.is_negative() { i256::ONE } else { i256::ZERO };
        Self { unscaled: whole.unscaled.wrapping_sub(less), scale: 0 }
    }

    /// The smallest whole number that is not smaller.
    pub fn ceil(self) -> Self {
        self.negated().floor().negated()
    }

    fn aligned(self, other: Self) -> Option<(i256, i256, u8)> {
        let scale = self.scale.max(other.scale);
        Some((self.rescaled(scale)?.unscaled, other.rescaled(scale)?.unscaled, scale))
    }

    /// The sum; none where it has too many digits.
    pub fn add(self, other: Self) -> Option<Self> {
        let (a, b, scale) = self.aligned(other)?;
        Self { unscaled: a.checked_add(b)?, scale }.bounded()
    }

    /// The difference.
    pub fn sub(self, other: Self) -> Option<Self> {
        self.add(other.negated())
    }

    /// The product.
    pub fn mul(self, other: Self) -> Option<Self> {
        let product = Self { unscaled: self.unscaled.checked_mul(other.unscaled)?, scale: self.scale + other.scale };
        product.bounded()
    }

    /// The quotient with so many digits behind the point, the rest cut off; none of 0, or where it overflows.
    pub fn div(self, other: Self, scale: u8) -> Option<Self> {
        // (a / 10^x) / (b / 10^y) with z digits is a * 10^(y + z - x) / b.
        let shift = i32::from(other.scale) + i32::from(scale) - i32::from(self.scale);
        let (mut over, mut under) = (self.unscaled, other.unscaled);
        match u8::try_from(shift) {
            Ok(shift) => over = over.checked_mul(power(shift))?,
            Err(_) => under = under.checked_mul(power(u8::try_from(-shift).ok()?))?,
        }
        (under != i256::ZERO).then(|| Self { unscaled: over.wrapping_div(under), scale })?.bounded()
    }

    /// The quotient without its fraction; none of 0.
    pub fn div_whole(self, other: Self) -> Option<i256> {
        let (a, b, _) = self.aligned(other)?;
        (b != i256::ZERO).then(|| a.wrapping_div(b))
    }

    /// What a division leaves, with the sign of what is divided; none of 0.
    pub fn rem(self, other: Self) -> Option<Self> {
        let (a, b, scale) = self.aligned(other)?;
        (b != i256::ZERO).then(|| Self { unscaled: a.wrapping_rem(b), scale })
    }
}

/// Digits behind the point that a quotient of two decimals with so many each is calculated with.
pub fn quotient_digits(over: u8, under: u8) -> u8 {
    let words = |digits: u8| digits.div_ceil(WORD_DIGITS) * WORD_DIGITS;
    let spare = words(over) - over + words(under) - under;
    words(words(over) + words(under) + DIVISION_DIGITS.saturating_sub(spare))
}

/// A quotient: a half is rounded away from 0.
fn divided(over: i256, under: i256) -> i256 {
    let (quotient, rest) = (over.wrapping_div(under), over.wrapping_rem(under));
    // |rest| < |under| <= 2^255 / 2 for every decimal of 65 digits.
    let twice = rest.wrapping_abs().wrapping_add(rest.wrapping_abs());
    if twice < under.wrapping_abs() {
        return quotient;
    }
    match (over < i256::ZERO) == (under < i256::ZERO) {
        true => quotient.wrapping_add(i256::ONE),
        false => quotient.wrapping_sub(i256::ONE),
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self { unscaled: i256::from_i128(value.into()), scale: 0 }
    }
}

impl From<u64> for Decimal {
    fn from(value: u64) -> Self {
        Self { unscaled: i256::from_i128(value.into()), scale: 0 }
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.aligned(*other) {
            Some((a, b, _)) => a.cmp(&b),
            // One is so long that the other cannot have its digits.
            None => self.to_f64().total_cmp(&other.to_f64()),
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.unscaled.to_string();
        let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |rest| ("-", rest));
        let scale = usize::from(self.scale);
        match scale {
            0 => write!(f, "{sign}{digits}"),
            _ => {
                let digits = format!("{digits:0>width$}", width = scale + 1);
                let (whole, fraction) = digits.split_at(digits.len() - scale);
                write!(f, "{sign}{whole}.{fraction}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from MariaDB 10.11.
    #[test]
    fn decimals_are_exact_and_round_away_from_zero() {
        let decimal = |text: &str| Decimal::parse(text).expect(text);
        for (a, op, b, expected) in [
            ("1.005", '+', "2", "3.005"),
            ("0.1", '*', "0.2", "0.02"),
            ("5", '/', "2", "2.500000000"),
            ("1", '/', "3", "0.333333333"),
            ("2", '/', "3", "0.666666666"),
            ("-2", '/', "3", "-0.666666666"),
            ("1.00", '/', "3", "0.333333333"),
            ("7.5", '%', "2", "1.5"),
            ("-7.5", '%', "2", "-1.5"),
            ("99999999999999999999999999999999999", '*', "10", "999999999999999999999999999999999990"),
        ] {
            let (a, b) = (decimal(a), decimal(b));
            let result = match op {
                '+' => a.add(b),
                '*' => a.mul(b),
                '/' => a.div(b, 9),
                _ => a.rem(b),
            };
            assert_eq!(result.expect("it fits").to_string(), expected);
        }
        for (text, scale, expected) in
            [("1.005", 2, "1.01"), ("2.5", 0, "3"), ("-2.5", 0, "-3"), ("1.4999", 0, "1"), ("12", 2, "12.00")]
        {
            assert_eq!(decimal(text).rescaled(scale).expect("it fits").to_string(), expected);
        }
        assert_eq!(decimal("1e3").to_string(), "1000");
        assert_eq!(decimal("-.5").to_string(), "-0.5");
        assert_eq!(Decimal::parse("."), None);
        assert!(decimal("9".repeat(75).as_str()).add(decimal("1")).is_none());
    }
}
