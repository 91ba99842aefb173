//! The catalog's records in the store. `catalog::record` has their keys and bytes.
//!
//! `write` turns what an apply changed into one batch; `read` builds the state again at start, without a replay of the log, and
//! holds it against the state hash that was written with it.

use unum_proto::model::NodeKey;

use super::entry;
use super::types::{LogId, StoredMembership};
use crate::catalog::config::{ConfigRecord, ConfigRecordKey};
use crate::catalog::{PREFIXES, Record, RecordError, RecordKey, State};
use crate::storage::{Batch, Error, Store, Tree, keys};

impl From<RecordError> for Error {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Newer { .. } => Self::Refused(error.to_string()),
            RecordError::Corrupt { .. } => Self::Corrupt(error.to_string()),
        }
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
            Some(record) => batch.put(key.bytes(), record.bytes(key)),
            None => batch.remove(key.bytes()),
        }
    }
    batch.put(keys::APPLIED.to_vec(), entry::encode_applied(applied, membership, state.hash));
    batch
}

/// The batch that replaces whatever the store holds by `state`.
pub fn replace(state: &State, applied: Option<LogId>, membership: &StoredMembership) -> Batch {
    let mut batch = Batch::default();
    for prefix in PREFIXES {
        batch.remove_range(prefix.to_vec(), keys::prefix_end(&prefix));
    }
    for (key, record) in all(state) {
        batch.put(key, record);
    }
    batch.put(keys::APPLIED.to_vec(), entry::encode_applied(applied, membership, state.hash));
    batch
}

/// Every record of a state, its key and its bytes, in an order in which the state can be restored.
pub fn all(state: &State) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    state.records().map(|(key, record)| (key.bytes(), record.bytes(&key)))
}

/// What is wanted of a node's settings, without a look at anything else.
pub fn desired_values(store: &Store, node: &NodeKey) -> Result<Vec<(String, String)>, Error> {
    let mut desired = Vec::new();
    let prefix = RecordKey::CONFIG_PREFIX;
    for (key, bytes) in store.scan(Tree::Catalog, &prefix, &keys::prefix_end(&prefix))? {
        if let (RecordKey::Config(ConfigRecordKey::Desired(setting)), Record::Config(ConfigRecord::Desired(wanted))) =
            Record::read(&key, &bytes)?
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
        for (key, bytes) in store.scan(Tree::Catalog, &prefix, &keys::prefix_end(&prefix))? {
            records.push(Record::read(&key, &bytes)?);
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
