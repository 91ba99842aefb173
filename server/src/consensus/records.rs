//! The catalog's records: which key each part of a state has, and its bytes.
//!
//! A record is one version byte and postcard. `write` turns what an apply changed into one batch; `read` builds
//! the state again at start, without a replay of the log, and holds it against the state hash that was written with
//! it.

use serde::{Deserialize, Serialize};
use unum_proto::model::{NodeKey, TableSchema};

use super::entry;
use super::types::{LogId, StoredMembership};
use crate::catalog::config::{ConfigRecord, ConfigRecordKey};
use crate::catalog::{Node, Record, RecordKey, RecordRef, State};
use crate::storage::{Batch, Error, Store, Tree, keys};

const VERSION: u8 = 1;

fn encode<T: Serialize>(record: &T) -> Vec<u8> {
    let body = postcard::to_stdvec(record).expect("model types always encode");
    [&[VERSION][..], &body].concat()
}

fn decode<T: for<'de> Deserialize<'de>>(key: &[u8], bytes: &[u8]) -> Result<T, Error> {
    match bytes {
        [VERSION, body @ ..] => postcard::from_bytes(body)
            .map_err(|e| Error::Corrupt(format!("record {} does not decode: {e}", key.escape_ascii()))),
        [version, ..] => Err(Error::Refused(format!(
            "record {} has format version {version}, this unumd knows {VERSION}; run the version that wrote it",
            key.escape_ascii(),
        ))),
        [] => Err(Error::Corrupt(format!("record {} is empty", key.escape_ascii()))),
    }
}

/// The batch that brings the store from the state before to `state`.
pub fn write<'a>(
    state: &State,
    changes: impl IntoIterator<Item = &'a RecordKey>,
    applied: Option<LogId>,
    membership: &StoredMembership,
) -> Batch {
    let mut batch = Batch::default();
    for key in changes {
        match state.record(key) {
            Some(record) => batch.put(key_bytes(key), record_bytes(key, &record)),
            None => batch.remove(key_bytes(key)),
        }
    }
    batch.put(keys::APPLIED.to_vec(), entry::encode_applied(applied, membership, state.hash));
    batch
}

/// The batch that replaces whatever the store holds by `state`.
pub fn replace(state: &State, applied: Option<LogId>, membership: &StoredMembership) -> Batch {
    let mut batch = Batch::default();
    for prefix in PREFIXES {
        batch.remove_range(prefix.to_vec(), keys::prefix_end(prefix));
    }
    for (key, record) in all(state) {
        batch.put(key, record);
    }
    batch.put(keys::APPLIED.to_vec(), entry::encode_applied(applied, membership, state.hash));
    batch
}

/// Every record of a state, its key and its bytes, in an order in which the state can be restored.
pub fn all(state: &State) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    state.records().map(|(key, record)| (key_bytes(&key), record_bytes(&key, &record)))
}

/// The keys of each kind of record begin with one of these, in an order in which a state can be restored.
const PREFIXES: [&[u8]; 5] =
    [keys::NODE_PREFIX, keys::SCHEMA_PREFIX, keys::SNAPSHOT_PREFIX, keys::CONFIG_PREFIX, keys::CHANGE_KEY_PREFIX];

fn key_bytes(key: &RecordKey) -> Vec<u8> {
    match key {
        RecordKey::Node(node) => keys::node(node),
        RecordKey::Schema(table) => keys::schema(table),
        RecordKey::Snapshot(node, table) => keys::snapshot(node, table),
        RecordKey::ChangeKey(revision) => keys::change_key(*revision),
        RecordKey::Config(key) => keys::config(&postcard::to_stdvec(key).expect("model types always encode")),
    }
}

fn record_bytes(key: &RecordKey, record: &RecordRef<'_>) -> Vec<u8> {
    match (key, record) {
        (_, RecordRef::Node(node)) => encode(node),
        (_, RecordRef::Schema(schema)) => encode(schema),
        (_, RecordRef::Snapshot(snapshot)) => encode(snapshot),
        (_, RecordRef::ChangeKey(change_key)) => encode(change_key),
        // The key is in the record, too: it cannot be read back from its bytes.
        (RecordKey::Config(key), RecordRef::Config(record)) => encode(&(key, record)),
        (_, RecordRef::Config(_)) => unreachable!("a state gives a record of the kind of its key"),
    }
}

/// Reads what [`key_bytes`] and [`record_bytes`] wrote.
pub fn read_record(key: &[u8], bytes: &[u8]) -> Result<(RecordKey, Record), Error> {
    let prefix = PREFIXES.into_iter().find(|prefix| key.starts_with(prefix));
    Ok(match prefix.unwrap_or_default() {
        keys::NODE_PREFIX => {
            let node: Node = decode(key, bytes)?;
            (RecordKey::Node(node.description.key.clone()), Record::Node(node))
        }
        keys::SCHEMA_PREFIX => {
            let schema: TableSchema = decode(key, bytes)?;
            (RecordKey::Schema(schema.name.clone()), Record::Schema(schema))
        }
        keys::SNAPSHOT_PREFIX => {
            let (node, table) = keys::parse_snapshot(key).map_err(|invalid| Error::Corrupt(invalid.to_string()))?;
            (RecordKey::Snapshot(node, table), Record::Snapshot(decode(key, bytes)?))
        }
        keys::CHANGE_KEY_PREFIX => {
            let revision = keys::parse_change_key(key).map_err(|invalid| Error::Corrupt(invalid.to_string()))?;
            (RecordKey::ChangeKey(revision), Record::ChangeKey(decode(key, bytes)?))
        }
        keys::CONFIG_PREFIX => {
            let (key, record) = decode::<(ConfigRecordKey, ConfigRecord)>(key, bytes)?;
            (RecordKey::Config(key), Record::Config(record))
        }
        _ => return Err(Error::Corrupt(format!("{} is the key of no record", key.escape_ascii()))),
    })
}

/// What is wanted of a node's settings, without a look at anything else.
pub fn desired_values(store: &Store, node: &NodeKey) -> Result<Vec<(String, String)>, Error> {
    let mut desired = Vec::new();
    for (key, bytes) in store.scan(Tree::Catalog, keys::CONFIG_PREFIX, &keys::prefix_end(keys::CONFIG_PREFIX))? {
        if let (ConfigRecordKey::Desired(setting), ConfigRecord::Desired(wanted)) = decode(&key, &bytes)?
            && setting.node == *node
        {
            desired.push((setting.key, wanted.value));
        }
    }
    Ok(desired)
}

/// The state that the store holds.
pub fn read(store: &Store) -> Result<(State, Option<LogId>, StoredMembership), Error> {
    let (applied, membership, hash) = match store.get(Tree::Catalog, keys::APPLIED)? {
        Some(bytes) => entry::decode_applied(&bytes)?,
        None => Default::default(),
    };
    let mut records = Vec::new();
    for prefix in PREFIXES {
        for (key, bytes) in store.scan(Tree::Catalog, prefix, &keys::prefix_end(prefix))? {
            records.push(read_record(&key, &bytes)?);
        }
    }
    let revision = applied.map_or(0, |log_id| log_id.index);
    let state = State::restore(revision, records).map_err(Error::Corrupt)?;
    // A record that vanished, or came back from an older page, shows here.
    if state.hash != hash {
        return Err(Error::Corrupt(format!(
            "the catalog's records at revision {revision} have the hash {:016x}, and {hash:016x} was written",
            state.hash,
        )));
    }
    Ok((state, applied, membership))
}
