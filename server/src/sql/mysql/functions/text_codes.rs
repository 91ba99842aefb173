//! Texts in other notations: numbers of characters, digits of other bases, base 64, quotes, sounds.

use crate::sql::mysql::functions::definition::{ANY, Argument, Call, Definition, Outcome, Stop, some};
use crate::sql::mysql::functions::letters::{letters, made};
use crate::sql::mysql::functions::returns;
use crate::sql::mysql::value::Value;

/// The functions of this file.
pub static FUNCTIONS: &[Definition] = &[
    Definition::new("ascii", "ascii(text)", (1, 1), returns::int, ascii),
    Definition::new("ord", "ord(text)", (1, 1), returns::int, ord),
    Definition::new("char", "char(number, …)", (1, ANY), returns::bytes, |call| {
        Ok(Value::Bytes(char_bytes(call)?.into()))
    }),
    Definition::new("char_text", "char(number, … USING utf8mb4)", (1, ANY), returns::text, char_text),
    Definition::new("hex", "hex(value)", (1, 1), returns::text, hex),
    Definition::new("unhex", "unhex(text)", (1, 1), returns::bytes, unhex),
    Definition::new("bin", "bin(number)", (1, 1), returns::text, |call| based(call, 2)),
    Definition::new("oct", "oct(number)", (1, 1), returns::text, |call| based(call, 8)),
    Definition::new("conv", "conv(number, from_base, to_base)", (3, 3), returns::text, conv),
    Definition::new("quote", "quote(text)", (1, 1), returns::letters, quote),
    Definition::new("soundex", "soundex(text)", (1, 1), returns::text, soundex),
    Definition::new("make_set", "make_set(bits, text, …)", (2, ANY), set_type, make_set),
    Definition::new("export_set", "export_set(bits, on, off[, separator[, count]])", (3, 5), set_type, export_set),
    Definition::new("to_base64", "to_base64(text)", (1, 1), returns::text, to_base64),
    Definition::new("from_base64", "from_base64(text)", (1, 1), returns::bytes, from_base64),
];

/// The bits are no text.
fn set_type(args: &[Argument]) -> crate::sql::mysql::types::Type {
    returns::letters(args.get(1..).unwrap_or_default())
}

fn ascii(call: &Call<'_>) -> Outcome {
    Ok(Value::Int(call.bytes(0)?.first().copied().unwrap_or(0).into()))
}

/// The bytes of the first character as one number.
fn ord(call: &Call<'_>) -> Outcome {
    if let Value::Bytes(bytes) = call.value(0)? {
        return Ok(Value::Int(bytes.first().copied().unwrap_or(0).into()));
    }
    let text = call.text(0)?;
    let length = text.chars().next().map_or(0, char::len_utf8);
    Ok(Value::Int(text.bytes().take(length).fold(0, |number, byte| (number << 8) | i64::from(byte))))
}

/// The bytes of each number, without those of it that are 0 in front; NULLs are left out.
fn char_bytes(call: &Call<'_>) -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::new();
    for bits in call.args.iter().filter_map(Value::to_bits) {
        // MySQL takes the lower 32 bits.
        let four = (bits as u32).to_be_bytes();
        let zeros = four.iter().take(3).take_while(|byte| **byte == 0).count();
        bytes.extend_from_slice(four.get(zeros..).unwrap_or_default());
    }
    Ok(bytes)
}

/// NULL if the bytes are no text.
fn char_text(call: &Call<'_>) -> Outcome {
    Ok(Value::text(some(String::from_utf8(char_bytes(call)?).ok())?))
}

const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Text as its bytes, a number as its bits.
fn hex(call: &Call<'_>) -> Outcome {
    match call.value(0)? {
        // What is past the ends is all ones.
        Value::Double(_) | Value::Decimal(_)
            if call.double(0)? <= i64::MIN as f64 || call.double(0)? >= u64::MAX as f64 =>
        {
            Ok(Value::text(format!("{:X}", u64::MAX)))
        }
        // Unlike elsewhere, a half of a double is rounded away from 0.
        Value::Double(double) => Ok(Value::text(format!("{:X}", some(Value::Double(double.round()).to_bits())?))),
        Value::Int(_) | Value::UInt(_) | Value::Decimal(_) => Ok(Value::text(format!("{:X}", call.bits(0)?))),
        _ => {
            let bytes = call.bytes(0)?;
            call.allow(bytes.len().saturating_mul(2))?;
            let digit = |four: u8| char::from(DIGITS[usize::from(four & 15)]);
            Ok(Value::text(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect::<String>()))
        }
    }
}

/// A digit that is missing in front is 0.
fn unhex(call: &Call<'_>) -> Outcome {
    let text = call.text(0)?;
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let mut digits = some(digits)?;
    if digits.len() % 2 == 1 {
        digits.insert(0, 0);
    }
    Ok(Value::Bytes(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, four| (byte << 4) | four)).collect()))
}

/// The whole number that the text of a value begins with, in another base.
fn based(call: &Call<'_>, base: u32) -> Outcome {
    let text = call.text(0)?;
    match text.is_empty() {
        true => Err(Stop::Null),
        false => Ok(Value::text(digits_in_base(bits_in_base(&text, 10), base))),
    }
}

/// The whole number that a text begins with in that base, as 64 bits; what has more of them is the largest.
fn bits_in_base(text: &str, base: u32) -> u64 {
    magnitude(text, base).map_or(0, |(negative, bits)| if negative { bits.wrapping_neg() } else { bits })
}

/// The same as 63 bits and a sign.
fn signed_in_base(text: &str, base: u32) -> u64 {
    let bits = match magnitude(text, base) {
        None => 0,
        Some((true, bits)) => 0_i64.checked_sub_unsigned(bits).unwrap_or(i64::MIN),
        Some((false, bits)) if text.trim_start().starts_with('-') && bits == u64::MAX => i64::MIN,
        Some((false, bits)) => i64::try_from(bits).unwrap_or(i64::MAX),
    };
    bits.cast_unsigned()
}

fn magnitude(text: &str, base: u32) -> Option<(bool, u64)> {
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut value = None;
    for digit in digits.chars().map_while(|c| c.to_digit(base)) {
        let next = value.unwrap_or(0_u64).checked_mul(u64::from(base)).and_then(|v| v.checked_add(u64::from(digit)));
        match next {
            Some(next) => value = Some(next),
            // Too large, of either sign, is the largest.
            None => return Some((false, u64::MAX)),
        }
    }
    value.map(|value| (negative, value))
}

fn digits_in_base(mut bits: u64, base: u32) -> String {
    let mut reversed = Vec::new();
    loop {
        // Bases are at most 36.
        reversed.push(DIGITS[(bits % u64::from(base)) as usize % DIGITS.len()]);
        bits /= u64::from(base);
        if bits == 0 {
            break;
        }
    }
    reversed.iter().rev().map(|byte| char::from(*byte)).collect()
}

/// A base below 0 has numbers with a sign.
fn conv(call: &Call<'_>) -> Outcome {
    let (from, to) = (call.int(1)?, call.int(2)?);
    let base = |number: i64| u32::try_from(number.unsigned_abs()).ok().filter(|base| (2..=36).contains(base));
    let (from_base, to_base) = (some(base(from))?, some(base(to))?);
    let text = call.text(0)?;
    if text.is_empty() {
        return Err(Stop::Null);
    }
    let bits = if from < 0 { signed_in_base(&text, from_base) } else { bits_in_base(&text, from_base) };
    let signed = bits.cast_signed();
    Ok(Value::text(match to < 0 && signed < 0 {
        true => format!("-{}", digits_in_base(signed.unsigned_abs(), to_base)),
        false => digits_in_base(bits, to_base),
    }))
}

fn quote(call: &Call<'_>) -> Outcome {
    if call.any(0).is_null() {
        return made(call, "NULL");
    }
    let text = letters(call, 0)?;
    call.allow(text.len().saturating_mul(2))?;
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for c in text.chars() {
        match c {
            '\'' | '\\' => quoted.extend(['\\', c]),
            '\0' => quoted.push_str("\\0"),
            '\u{1a}' => quoted.push_str("\\Z"),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    made(call, quoted)
}

/// The sound of a letter; those that are not told apart are 0.
fn sound(c: char) -> char {
    const SOUNDS: &[u8; 26] = b"01230120022455012623010202";
    match u8::try_from(u32::from(c.to_ascii_uppercase())) {
        Ok(letter @ b'A'..=b'Z') => char::from(SOUNDS[usize::from(letter - b'A')]),
        _ => '0',
    }
}

/// The original algorithm: vowels go first and doubles second, and the result is as long as the text makes it.
fn soundex(call: &Call<'_>) -> Outcome {
    const LENGTH: usize = 4;
    let text = call.text(0)?;
    let mut alphabetic = text.chars().filter(|c| c.is_alphabetic());
    let Some(first) = alphabetic.next() else { return Ok(Value::text("")) };
    let mut sounds = String::from(first.to_ascii_uppercase());
    let mut last = sound(first);
    for next in alphabetic.map(sound) {
        if next != '0' && next != last {
            sounds.push(next);
            last = next;
        }
    }
    while sounds.chars().count() < LENGTH {
        sounds.push('0');
    }
    Ok(Value::text(sounds))
}

/// The texts whose bits are set, in between commas.
fn make_set(call: &Call<'_>) -> Outcome {
    let bits = call.bits(0)?;
    let mut set = String::new();
    let mut first = true;
    for at in (1..call.count()).take(64).filter(|at| bits >> (at - 1) & 1 == 1 && !call.any(*at).is_null()) {
        let text = letters(call, at)?;
        call.allow(set.len().saturating_add(text.len() + 1))?;
        if !first {
            set.push(',');
        }
        first = false;
        set.push_str(&text);
    }
    made(call, set)
}

/// A text for each bit, the lowest first.
fn export_set(call: &Call<'_>) -> Outcome {
    const BITS: i64 = 64;
    let (bits, on, off) = (call.bits(0)?, letters(call, 1)?, letters(call, 2)?);
    let separator = if call.count() > 3 { letters(call, 3)? } else { ",".into() };
    let count = if call.count() > 4 { call.int(4)? } else { BITS };
    // MySQL reads the count without a sign: what is below 0 is as many as there are.
    let count = if (0..=BITS).contains(&count) { count } else { BITS };
    call.allow((on.len().max(off.len()) + separator.len()).saturating_mul(64))?;
    let texts: Vec<&str> = (0..count).map(|bit| if bits >> bit & 1 == 1 { &*on } else { &*off }).collect();
    made(call, texts.join(&separator))
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes in base 64, in lines of at most 76 characters if that is asked for.
pub fn base64_text(bytes: &[u8], in_lines: bool) -> String {
    const LINE: usize = 76;
    let mut text = String::new();
    let mut column = 0;
    for three in bytes.chunks(3) {
        if in_lines && column == LINE {
            text.push('\n');
            column = 0;
        }
        let bits = three.iter().chain([&0, &0]).take(3).fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte));
        for position in 0..4_usize {
            text.push(match position <= three.len() {
                true => char::from(BASE64[(bits >> (18 - 6 * position) & 63) as usize]),
                false => '=',
            });
        }
        column += 4;
    }
    text
}

fn to_base64(call: &Call<'_>) -> Outcome {
    let bytes = call.bytes(0)?;
    call.allow(bytes.len().saturating_mul(3) / 2)?;
    Ok(Value::text(base64_text(&bytes, true)))
}

/// NULL if it is not whole, or has other characters than those and white space.
fn from_base64(call: &Call<'_>) -> Outcome {
    let text = call.bytes(0)?;
    let letters: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let padding = letters.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
    if !letters.len().is_multiple_of(4) {
        return Err(Stop::Null);
    }
    let mut bytes = Vec::with_capacity(letters.len() / 4 * 3);
    let data = letters.get(..letters.len() - padding).unwrap_or_default();
    for four in data.chunks(4) {
        let mut bits = 0_u32;
        for letter in four {
            let six = some(BASE64.iter().position(|known| known == letter).and_then(|six| u32::try_from(six).ok()))?;
            bits = (bits << 6) | six;
        }
        bits <<= 6 * (4 - four.len());
        bytes.extend_from_slice(bits.to_be_bytes().get(1..four.len()).unwrap_or_default());
    }
    Ok(Value::Bytes(bytes.into()))
}
