//! Every key of every tree, but for the catalog's records: `catalog::record` has those, and each begins with a letter and `/`.

use unum_proto::model::ReplicaId;

/// Tree `Log`: entries sort by index.
const LOG_ENTRY: u8 = b'e';

/// Tree `Log`: the last purged log id.
pub const LAST_PURGED: &[u8] = b"p";

/// Tree `Meta`: the version of this format, first thing written and first thing read.
pub const FORMAT: &[u8] = b"format";
/// Tree `Meta`: whose directory this is.
pub const IDENTITY: &[u8] = b"identity";
/// Tree `Meta`: the data directory of another replica, as first heard from it.
pub const PEER_PREFIX: &[u8] = b"peer/";
/// Tree `Meta`: the Raft vote.
pub const VOTE: &[u8] = b"vote";

/// Tree `Catalog`: the last applied log id and the membership.
pub const APPLIED: &[u8] = b"a";

/// The key of a log entry.
pub fn log_entry(index: u64) -> Vec<u8> {
    [&[LOG_ENTRY][..], &index.to_be_bytes()].concat()
}

/// The key past all log entries.
pub fn log_end() -> Vec<u8> {
    vec![LOG_ENTRY + 1]
}

/// The index of a log entry's key.
pub fn log_index(key: &[u8]) -> Option<u64> {
    let (&first, index) = key.split_first()?;
    (first == LOG_ENTRY).then_some(u64::from_be_bytes(index.try_into().ok()?))
}

/// The key past all keys that start so.
pub fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    *end.last_mut().expect("prefixes are not empty") += 1;
    end
}

/// The key of what is known of another replica.
pub fn peer(replica: ReplicaId) -> Vec<u8> {
    [PEER_PREFIX, format!("{replica:020}").as_bytes()].concat()
}

/// The replica of a [`peer`] key.
pub fn parse_peer(key: &[u8]) -> Option<ReplicaId> {
    std::str::from_utf8(key.strip_prefix(PEER_PREFIX)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_frozen() {
        assert_eq!(log_entry(258), b"e\0\0\0\0\0\0\x01\x02");
        assert_eq!(log_index(&log_entry(u64::MAX)), Some(u64::MAX));
        assert_eq!(peer(ReplicaId::from(7)), b"peer/00000000000000000007");
        assert_eq!(parse_peer(&peer(ReplicaId::from(7))), Some(ReplicaId::from(7)));
    }
}
