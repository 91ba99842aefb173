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
use crate::catalog::{Change, Node, Snapshot, State};
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
    changes: impl IntoIterator<Item = &'a Change>,
    applied: Option<LogId>,
    membership: &StoredMembership,
) -> Batch {
    let mut batch = Batch::default();
    for change in changes {
        match change {
            Change::Node(key) => match state.nodes.get(key) {
                Some(node) => batch.put(keys::node(key), encode(node.value())),
                None => batch.remove(keys::node(key)),
            },
            Change::Schema(table) => batch.put(keys::schema(table), encode(state.tables[table].schema.value())),
            Change::Snapshot(node, table) => {
                let key = keys::snapshot(node, table);
                match state.tables[table].snapshots.get(node) {
                    Some(snapshot) => batch.put(key, encode(snapshot.value())),
                    None => batch.remove(key),
                }
            }
            Change::Config(key) => match state.config.get(key) {
                Some(record) => batch.put(config_key(key), encode(&(key, record))),
                None => batch.remove(config_key(key)),
            },
        }
    }
    batch.put(keys::APPLIED.to_vec(), entry::encode_applied(applied, membership, state.hash));
    batch
}

/// The batch that replaces whatever the store holds by `state`.
pub fn replace(state: &State, applied: Option<LogId>, membership: &StoredMembership) -> Batch {
    let mut batch = Batch::default();
    for prefix in [keys::NODE_PREFIX, keys::SCHEMA_PREFIX, keys::SNAPSHOT_PREFIX, keys::CONFIG_PREFIX] {
        batch.remove_range(prefix.to_vec(), keys::prefix_end(prefix));
    }
    for (key, node) in &state.nodes {
        batch.put(keys::node(key), encode(node.value()));
    }
    for (name, table) in &state.tables {
        batch.put(keys::schema(name), encode(table.schema.value()));
        for (node, snapshot) in &table.snapshots {
            batch.put(keys::snapshot(node, name), encode(snapshot.value()));
        }
    }
    for (key, record) in state.config.records() {
        batch.put(config_key(&key), encode(&(&key, record)));
    }
    batch.put(keys::APPLIED.to_vec(), entry::encode_applied(applied, membership, state.hash));
    batch
}

fn config_key(key: &ConfigRecordKey) -> Vec<u8> {
    keys::config(&postcard::to_stdvec(key).expect("model types always encode"))
}

/// What is wanted of a node's settings, without a look at anything else.
pub fn desired_values(store: &Store, node: &NodeKey) -> Result<Vec<(String, String)>, Error> {
    let mut desired = Vec::new();
    for (key, bytes) in store.scan(Tree::Catalog, keys::CONFIG_PREFIX, &keys::prefix_end(keys::CONFIG_PREFIX))? {
        if let (ConfigRecordKey::Desired((of, setting)), ConfigRecord::Desired(wanted)) = decode(&key, &bytes)?
            && of == *node
        {
            desired.push((setting, wanted.value));
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
    let scan = |prefix: &[u8]| store.scan(Tree::Catalog, prefix, &keys::prefix_end(prefix));
    let mut nodes = Vec::new();
    for (key, bytes) in scan(keys::NODE_PREFIX)? {
        nodes.push(decode::<Node>(&key, &bytes)?);
    }
    let mut schemas = Vec::new();
    for (key, bytes) in scan(keys::SCHEMA_PREFIX)? {
        schemas.push(decode::<TableSchema>(&key, &bytes)?);
    }
    let mut snapshots = Vec::new();
    for (key, bytes) in scan(keys::SNAPSHOT_PREFIX)? {
        let (node, table) = keys::parse_snapshot(&key).map_err(|invalid| Error::Corrupt(invalid.to_string()))?;
        snapshots.push((node, table, decode::<Snapshot>(&key, &bytes)?));
    }
    let revision = applied.map_or(0, |log_id| log_id.index);
    let mut config = Vec::new();
    for (key, bytes) in scan(keys::CONFIG_PREFIX)? {
        config.push(decode::<(ConfigRecordKey, ConfigRecord)>(&key, &bytes)?);
    }
    let state = State::restore(revision, nodes, schemas, snapshots, config).map_err(Error::Corrupt)?;
    // A record that vanished, or came back from an older page, shows here.
    if state.hash != hash {
        return Err(Error::Corrupt(format!(
            "the catalog's records at revision {revision} have the hash {:016x}, and {hash:016x} was written",
            state.hash,
        )));
    }
    Ok((state, applied, membership))
}
