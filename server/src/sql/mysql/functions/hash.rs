//! Hashes, checksums, and UUIDs.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use crate::sql::mysql::functions::definition::{Call, Definition, Outcome, Stop};
use crate::sql::mysql::functions::returns;
use crate::sql::mysql::value::Value;

/// The functions of this file.
pub static FUNCTIONS: &[Definition] = &[
    Definition::new("md5", "md5(text)", (1, 1), returns::text, |call| digits(&Md5::digest(call.bytes(0)?))),
    Definition::new("sha", "sha(text)", (1, 1), returns::text, |call| digits(&Sha1::digest(call.bytes(0)?))),
    Definition::new("sha1", "sha1(text)", (1, 1), returns::text, |call| digits(&Sha1::digest(call.bytes(0)?))),
    Definition::new("sha2", "sha2(text, bits)", (2, 2), returns::text, sha2),
    Definition::new("crc32", "crc32(text)", (1, 1), returns::uint, |call| {
        Ok(Value::UInt(crc32fast::hash(&call.bytes(0)?).into()))
    }),
    Definition::new("is_uuid", "is_uuid(text)", (1, 1), returns::bool, |call| {
        Ok(Value::bool(uuid(&call.text(0)?).is_some()))
    }),
    Definition::new("uuid_to_bin", "uuid_to_bin(uuid[, swapped])", (1, 2), returns::bytes, uuid_to_bin),
    Definition::new("bin_to_uuid", "bin_to_uuid(bytes[, swapped])", (1, 2), returns::text, bin_to_uuid),
];

fn digits(hash: &[u8]) -> Outcome {
    Ok(Value::text(hex(hash)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// NULL for a length that there is not; 0 is 256.
fn sha2(call: &Call<'_>) -> Outcome {
    let (bytes, bits) = (call.bytes(0)?, call.int(1)?);
    match bits {
        224 => digits(&Sha224::digest(bytes)),
        0 | 256 => digits(&Sha256::digest(bytes)),
        384 => digits(&Sha384::digest(bytes)),
        512 => digits(&Sha512::digest(bytes)),
        _ => Err(Stop::Null),
    }
}

/// 32 digits, or with dashes, or with braces around those.
fn uuid(text: &str) -> Option<[u8; 16]> {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    let text = match text.strip_prefix('{') {
        Some(inner) => inner.strip_suffix('}').filter(|inner| inner.len() == 36)?,
        None => text,
    };
    let mut digits = Vec::with_capacity(32);
    for (at, c) in text.chars().enumerate() {
        match c {
            '-' if text.len() == 36 && DASHES.contains(&at) => {}
            c => digits.push(u8::try_from(c.to_digit(16)?).ok()?),
        }
    }
    (digits.len() == 32).then_some(())?;
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = pair.iter().fold(0, |byte, four| (byte << 4) | four);
    }
    Some(bytes)
}

fn incorrect(call: &Call<'_>) -> Stop {
    let text = call.any(0).to_text().unwrap_or_default();
    Stop::error(format!("Incorrect string value: '{text}' for function {}", call.name))
}

fn swapped(call: &Call<'_>) -> Result<bool, Stop> {
    Ok(call.count() > 1 && call.any(1).to_bool() == Some(true))
}

/// With the high bits of the time first, if swapped, so that UUIDs of the first version sort by time.
fn uuid_to_bin(call: &Call<'_>) -> Outcome {
    let text = call.text(0)?;
    let bytes = uuid(&text).ok_or_else(|| incorrect(call))?;
    Ok(Value::Bytes(match swapped(call)? {
        false => bytes.to_vec().into(),
        true => [&bytes[6..8], &bytes[4..6], &bytes[..4], &bytes[8..]].concat().into(),
    }))
}

fn bin_to_uuid(call: &Call<'_>) -> Outcome {
    let given = call.bytes(0)?;
    let bytes: [u8; 16] = given.as_ref().try_into().map_err(|_| incorrect(call))?;
    let bytes = match swapped(call)? {
        false => bytes.to_vec(),
        true => [&bytes[4..8], &bytes[2..4], &bytes[..2], &bytes[8..]].concat(),
    };
    let parts = [0..4, 4..6, 6..8, 8..10, 10..16].map(|range| hex(bytes.get(range).unwrap_or_default()));
    Ok(Value::text(parts.join("-")))
}
