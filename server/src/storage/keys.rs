//! Every key of every tree.
//!
//! Names hold none of `/` and no character under 0x20, so keys split without ambiguity and sort by their names.

use unum_proto::model::{Invalid, NodeKey, ReplicaId, TableName};

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
/// Tree `Catalog`: a node's record.
pub const NODE_PREFIX: &[u8] = b"n/";
/// Tree `Catalog`: a table's schema.
pub const SCHEMA_PREFIX: &[u8] = b"s/";
/// Tree `Catalog`: a node's rows of a table.
pub const SNAPSHOT_PREFIX: &[u8] = b"t/";

/// Tree `Catalog`: a record of the configuration's changes.
pub const CONFIG_PREFIX: &[u8] = b"c/";

/// Tree `Catalog`: the change key of the change that was made at a revision.
pub const CHANGE_KEY_PREFIX: &[u8] = b"k/";

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

/// The key of a node's record.
pub fn node(node: &NodeKey) -> Vec<u8> {
    [NODE_PREFIX, node.to_string().as_bytes()].concat()
}

/// The key of a table's schema.
pub fn schema(table: &TableName) -> Vec<u8> {
    [SCHEMA_PREFIX, table.as_str().as_bytes()].concat()
}

/// The key of a node's rows of a table.
pub fn snapshot(node: &NodeKey, table: &TableName) -> Vec<u8> {
    [SNAPSHOT_PREFIX, format!("{node}/{table}").as_bytes()].concat()
}

/// The key of a record of the configuration's changes, by its own bytes: names sort by nothing there.
pub fn config(name: &[u8]) -> Vec<u8> {
    [CONFIG_PREFIX, name].concat()
}

/// The key of the change key of a revision.
pub fn change_key(revision: u64) -> Vec<u8> {
    [CHANGE_KEY_PREFIX, &revision.to_be_bytes()].concat()
}

/// The inverse of [`change_key`].
pub fn parse_change_key(key: &[u8]) -> Result<u64, Invalid> {
    let revision = key.strip_prefix(CHANGE_KEY_PREFIX).and_then(|rest| <[u8; 8]>::try_from(rest).ok());
    revision
        .map(u64::from_be_bytes)
        .ok_or_else(|| Invalid::new(format!("{} is no key of a change", key.escape_ascii()), "the store is corrupt"))
}

/// The inverse of [`snapshot`].
pub fn parse_snapshot(key: &[u8]) -> Result<(NodeKey, TableName), Invalid> {
    let invalid = || Invalid::new(format!("{} is no key of table rows", key.escape_ascii()), "the store is corrupt");
    let text = key.strip_prefix(SNAPSHOT_PREFIX).and_then(|rest| std::str::from_utf8(rest).ok()).ok_or_else(invalid)?;
    let mut names = text.split('/');
    match (names.next(), names.next(), names.next(), names.next()) {
        (Some(node_type), Some(id), Some(table), None) => {
            Ok((NodeKey::parse(node_type, id)?, TableName::of_record(table)?))
        }
        _ => Err(invalid()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_frozen() {
        let tikv = NodeKey::parse("tikv", "tikv-1.eu").unwrap();
        let table: TableName = "slow_query".parse().unwrap();
        assert_eq!(log_entry(258), b"e\0\0\0\0\0\0\x01\x02");
        assert_eq!(node(&tikv), b"n/tikv/tikv-1.eu");
        assert_eq!(schema(&table), b"s/slow_query");
        assert_eq!(snapshot(&tikv, &table), b"t/tikv/tikv-1.eu/slow_query");
        assert_eq!(parse_snapshot(&snapshot(&tikv, &table)).unwrap(), (tikv.clone(), table));
        assert_eq!(change_key(258), b"k/\0\0\0\0\0\0\x01\x02");
        assert_eq!(parse_change_key(&change_key(258)).unwrap(), 258);
        assert!(parse_change_key(b"k/1").is_err());
        let reserved_since = TableName::of_record("nodes").unwrap();
        assert_eq!(parse_snapshot(&snapshot(&tikv, &reserved_since)).unwrap(), (tikv, reserved_since));
        assert_eq!(log_index(&log_entry(u64::MAX)), Some(u64::MAX));
    }
}
