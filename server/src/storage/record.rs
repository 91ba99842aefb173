//! How a record of any length becomes keys and values of the engine.
//!
//! A record `key` of n parts is kept as `key ++ be16(0)` … `key ++ be16(n-1)`. A part is
//! `crc32 (4, little endian) ++ parts that follow (2, little endian) ++ payload`, the checksum over the key, the
//! count and the payload. So a missing, foreign or altered part does not pass as data.

use super::{Error, Pairs};

/// Bytes of payload in one part. sled writes values past some 6 KiB into files that are never synced; measured in
/// simulated power loss.
const PAYLOAD_BYTES_MAX: usize = 6 * 1024 - HEADER_BYTES;

const HEADER_BYTES: usize = 6;
const SUFFIX_BYTES: usize = 2;

/// Parts of one record. It keeps every part's key, and the end after them, below the key of any other record that
/// begins with all of this one's key (`writer_13` and `writer_1`): the names in keys have no character under 0x20.
const PARTS_MAX: usize = 0x2000;

/// The largest record.
pub const RECORD_BYTES_MAX: usize = PARTS_MAX * PAYLOAD_BYTES_MAX;

/// The engine key of one part.
pub fn part_key(key: &[u8], part: u16) -> Vec<u8> {
    [key, &part.to_be_bytes()].concat()
}

/// The first key past every part of the record, and before every record whose key begins with all of this one.
pub fn end_key(key: &[u8]) -> Vec<u8> {
    part_key(key, PARTS_MAX as u16)
}

/// The parts of a record, with their keys.
///
/// # Panics
/// On a record over [`RECORD_BYTES_MAX`]: limits far below it stand at the edge.
pub fn split(key: &[u8], value: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    assert!(value.len() <= RECORD_BYTES_MAX, "a record of {} bytes is over {RECORD_BYTES_MAX}", value.len());
    let payloads: Vec<&[u8]> = match value.is_empty() {
        true => vec![&[]],
        false => value.chunks(PAYLOAD_BYTES_MAX).collect(),
    };
    let last = payloads.len() - 1;
    let part = |(number, payload): (usize, &&[u8])| {
        let key = part_key(key, number as u16);
        let following = (last - number) as u16;
        let value = [&checksum(&key, following, payload).to_le_bytes(), &following.to_le_bytes()[..], payload].concat();
        (key, value)
    };
    payloads.iter().enumerate().map(part).collect()
}

fn checksum(key: &[u8], following: u16, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(&following.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// Puts records together again from parts in key order, whole records only.
pub fn join(parts: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Result<Pairs, Error> {
    let mut records = Vec::new();
    let mut open: Option<(Vec<u8>, Vec<u8>, u16, u16)> = None; // key, value so far, next part, parts that follow
    for (part_key, bytes) in parts {
        let Part { key, number, following, payload } = parse(&part_key, &bytes)?;
        let (key, mut value) = match open.take() {
            None if number == 0 => (key.to_vec(), Vec::new()),
            Some((open_key, value, next, left)) if open_key == key && next == number && left == following + 1 => {
                (open_key, value)
            }
            None => return Err(corrupt(&part_key, "it follows no part")),
            Some((open_key, ..)) => return Err(corrupt(&open_key, "a part is missing")),
        };
        value.extend_from_slice(payload);
        match following {
            0 => records.push((key, value)),
            _ => open = Some((key, value, number + 1, following)),
        }
    }
    match open {
        None => Ok(records),
        Some((key, ..)) => Err(corrupt(&key, "its last part is missing")),
    }
}

struct Part<'a> {
    key: &'a [u8],
    number: u16,
    following: u16,
    payload: &'a [u8],
}

fn parse<'a>(part_key: &'a [u8], bytes: &'a [u8]) -> Result<Part<'a>, Error> {
    let Some((key, suffix)) = part_key.split_last_chunk::<SUFFIX_BYTES>() else {
        return Err(corrupt(part_key, "the key is too short"));
    };
    let Some((header, payload)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(corrupt(part_key, "the value is too short"));
    };
    let [c0, c1, c2, c3, f0, f1] = *header;
    let following = u16::from_le_bytes([f0, f1]);
    if u32::from_le_bytes([c0, c1, c2, c3]) != checksum(part_key, following, payload) {
        return Err(corrupt(part_key, "the checksum does not match"));
    }
    Ok(Part { key, number: u16::from_be_bytes(*suffix), following, payload })
}

fn corrupt(key: &[u8], why: &str) -> Error {
    Error::Corrupt(format!("record {}: {why}", key.escape_ascii()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records() -> impl Strategy<Value = std::collections::BTreeMap<Vec<u8>, Vec<u8>>> {
        let value = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..20),
            proptest::collection::vec(any::<u8>(), PAYLOAD_BYTES_MAX - 1..3 * PAYLOAD_BYTES_MAX),
        ];
        proptest::collection::btree_map("[a-z/.]{1,6}".prop_map(String::into_bytes), value, 0..6)
    }

    fn split_all(records: &std::collections::BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut parts: Vec<_> = records.iter().flat_map(|(key, value)| split(key, value)).collect();
        parts.sort();
        parts
    }

    proptest! {
        #[test]
        fn records_survive_splitting(records in records()) {
            let parts = split_all(&records);
            prop_assert!(parts.iter().all(|(_, value)| value.len() <= 6 * 1024));
            prop_assert_eq!(join(parts).unwrap(), records.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn a_missing_or_altered_part_is_noticed(records in records(), pick: prop::sample::Index, bit: prop::sample::Index) {
            let parts = split_all(&records);
            prop_assume!(!parts.is_empty());
            let pick = pick.index(parts.len());

            let mut altered = parts.clone();
            let bits = altered[pick].1.len() * 8;
            let bit = bit.index(bits);
            altered[pick].1[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(matches!(join(altered), Err(Error::Corrupt(_))));

            let mut missing = parts.clone();
            let (key, _) = missing.remove(pick);
            let whole = !parts.iter().any(|(other, _)| other != &key && other[..other.len() - 2] == key[..key.len() - 2]);
            prop_assert_eq!(join(missing).is_ok(), whole, "a record of one part can go unnoticed here, a part cannot");
        }
    }
}
