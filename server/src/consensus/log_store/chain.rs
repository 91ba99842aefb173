//! The chain over log entries: each carries a hash of itself and of all before it.
//!
//! An entry that vanished, came back from an older page, or stands where another was, breaks it. It begins at a seed,
//! goes on from the last purged entry, and begins anew where a raft snapshot took the place of the log.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::consensus::entry;
use crate::consensus::types::LogId;
use crate::storage::Error;

/// Before the first entry.
pub const SEED: u64 = 0;

/// The chain up to an entry whose bytes are `entry`, after the chain `before`.
pub fn link(before: u64, entry: &[u8]) -> u64 {
    xxh3_64_with_seed(entry, before)
}

/// The chain up to an entry that this replica never had.
pub fn anew(log_id: &LogId) -> u64 {
    xxh3_64(&entry::encode_purged(log_id, SEED))
}

/// An entry's record: the chain, then the entry.
pub fn encode(chain: u64, entry: &[u8]) -> Vec<u8> {
    [&chain.to_be_bytes()[..], entry].concat()
}

/// The chain and the entry of a record.
pub fn decode(record: &[u8]) -> Result<(u64, &[u8]), Error> {
    let (chain, entry) =
        record.split_first_chunk::<8>().ok_or_else(|| Error::Corrupt("a log entry is too short".into()))?;
    Ok((u64::from_be_bytes(*chain), entry))
}
