//! Addresses of networks as numbers, bytes and text.

use std::net::Ipv6Addr;

use crate::sql::mysql::functions::definition::{Call, Definition, Outcome, Stop, some};
use crate::sql::mysql::functions::returns;
use crate::sql::mysql::value::Value;

/// The functions of this file.
pub static FUNCTIONS: &[Definition] = &[
    Definition::new("inet_aton", "inet_aton(text)", (1, 1), returns::uint, inet_aton),
    Definition::new("inet_ntoa", "inet_ntoa(number)", (1, 1), returns::text, inet_ntoa),
    Definition::new("inet6_aton", "inet6_aton(text)", (1, 1), returns::bytes, inet6_aton),
    Definition::new("inet6_ntoa", "inet6_ntoa(bytes)", (1, 1), returns::text, inet6_ntoa),
    Definition::new("is_ipv4", "is_ipv4(text)", (1, 1), returns::bool, |call| is_text(call, |text| v4(text).is_some())),
    Definition::new("is_ipv6", "is_ipv6(text)", (1, 1), returns::bool, |call| is_text(call, |text| v6(text).is_some())),
    Definition::new("is_ipv4_compat", "is_ipv4_compat(bytes)", (1, 1), returns::bool, |call| is_bytes(call, is_compat)),
    Definition::new("is_ipv4_mapped", "is_ipv4_mapped(bytes)", (1, 1), returns::bool, |call| is_bytes(call, is_mapped)),
];

/// One to four numbers: those that are missing are the ones in front of the last.
fn inet_aton(call: &Call<'_>) -> Outcome {
    let text = call.text(0)?;
    let parts: Option<Vec<u64>> = text
        .split('.')
        .map(|part| match part.bytes().all(|byte| byte.is_ascii_digit()) {
            // Nothing in between dots is 0.
            true if part.is_empty() => Some(0),
            true => part.parse().ok().filter(|number| *number <= 255),
            false => None,
        })
        .collect();
    let parts = some(parts)?;
    if text.is_empty() || text.ends_with('.') {
        return Err(Stop::Null);
    }
    let (last, front) = some(parts.split_last())?;
    if front.len() > 3 {
        return Err(Stop::Null);
    }
    let high = (0..3).fold(0, |number, at| (number << 8) | front.get(at).copied().unwrap_or(0));
    Ok(Value::UInt((high << 8) | last))
}

fn inet_ntoa(call: &Call<'_>) -> Outcome {
    let number = some(u32::try_from(call.whole(0)?).ok())?;
    Ok(Value::text(std::net::Ipv4Addr::from(number).to_string()))
}

/// Four numbers of one to three digits.
fn v4(text: &str) -> Option<[u8; 4]> {
    let mut bytes = [0; 4];
    let mut parts = text.split('.');
    for byte in &mut bytes {
        let part = parts.next()?;
        let digits = (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        *byte = digits.then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(bytes)
}

fn v6(text: &str) -> Option<[u8; 16]> {
    text.parse::<Ipv6Addr>().ok().map(|address| address.octets())
}

fn inet6_aton(call: &Call<'_>) -> Outcome {
    let text = call.text(0)?;
    match (v4(&text), v6(&text)) {
        (Some(bytes), _) => Ok(Value::Bytes(bytes.to_vec().into())),
        (None, Some(bytes)) => Ok(Value::Bytes(bytes.to_vec().into())),
        (None, None) => Err(Stop::Null),
    }
}

/// Only what is binary is an address; a text of so many bytes is not.
fn inet6_ntoa(call: &Call<'_>) -> Outcome {
    let Value::Bytes(bytes) = call.value(0)? else { return Err(Stop::Null) };
    if let Ok(four) = <[u8; 4]>::try_from(bytes.as_ref()) {
        return Ok(Value::text(std::net::Ipv4Addr::from(four).to_string()));
    }
    let sixteen = some(<[u8; 16]>::try_from(bytes.as_ref()).ok())?;
    Ok(Value::text(v6_text(&sixteen)))
}

/// In words of 16 bits, the longest run of which that are 0 is `::`; the last two are an IPv4 address if those in front say
/// so.
fn v6_text(bytes: &[u8; 16]) -> String {
    let words: Vec<u16> =
        bytes.chunks(2).map(|two| two.iter().fold(0, |word, b| (word << 8) | u16::from(*b))).collect();
    let mut gap = 0..0;
    let mut start = 0;
    for at in 0..=words.len() {
        if words.get(at) != Some(&0) {
            if at - start > gap.len() {
                gap = start..at;
            }
            start = at + 1;
        }
    }
    if gap.start == 0 && (gap.len() == 6 || (gap.len() == 5 && words.get(5) == Some(&0xffff))) {
        let mapped = if gap.len() == 5 { "ffff:" } else { "" };
        let [.., a, b, c, d] = bytes;
        return format!("::{mapped}{a}.{b}.{c}.{d}");
    }
    let shown = |words: Option<&[u16]>| {
        words.unwrap_or_default().iter().map(|word| format!("{word:x}")).collect::<Vec<_>>().join(":")
    };
    match gap.is_empty() {
        true => shown(Some(&words)),
        false => format!("{}::{}", shown(words.get(..gap.start)), shown(words.get(gap.end..))),
    }
}

fn is_text(call: &Call<'_>, is: fn(&str) -> bool) -> Outcome {
    // What is NULL is none.
    Ok(Value::bool(call.any(0).to_text().is_some_and(|text| is(&text))))
}

fn is_bytes(call: &Call<'_>, is: fn(&[u8]) -> bool) -> Outcome {
    Ok(Value::bool(matches!(call.any(0), Value::Bytes(bytes) if is(bytes))))
}

/// `::1.2.3.4`; `::` and `::1` are not.
fn is_compat(bytes: &[u8]) -> bool {
    bytes.len() == 16 && bytes.starts_with(&[0; 12]) && bytes[12..] != [0, 0, 0, 0] && bytes[12..] != [0, 0, 0, 1]
}

/// `::ffff:1.2.3.4`.
fn is_mapped(bytes: &[u8]) -> bool {
    bytes.len() == 16 && bytes.starts_with(&[0; 10]) && bytes[10..12] == [0xff, 0xff]
}
