//! The records that a state consists of: what a store keeps, a raft snapshot carries, and the state hash adds up.
//!
//! Disk, raft snapshots and tests take a state apart by [`State::records`] and put it together by [`State::restore`]; nobody else
//! enumerates what it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use unum_proto::model::{NodeKey, TableName, TableSchema};

use super::columnar::chunks::Chunks;
use super::config::{self, ConfigRecord, ConfigRecordKey};
use super::{Hashed, Node, Snapshot, State, Table};

/// The name of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordKey {
    /// A node.
    Node(NodeKey),
    /// A table's schema.
    Schema(TableName),
    /// A node's rows of a table.
    Snapshot(NodeKey, TableName),
    /// Something of the configuration's changes.
    Config(ConfigRecordKey),
    /// The change that was made at a revision.
    ChangeKey(u64),
}

/// A record, as it is read.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// See [`RecordKey::Node`].
    Node(Node),
    /// See [`RecordKey::Schema`].
    Schema(TableSchema),
    /// See [`RecordKey::Snapshot`].
    Snapshot(Snapshot),
    /// See [`RecordKey::Config`].
    Config(ConfigRecord),
    /// See [`RecordKey::ChangeKey`].
    ChangeKey(String),
}

/// A record of a state.
#[derive(Debug, Clone)]
pub enum RecordRef<'a> {
    /// See [`RecordKey::Node`].
    Node(&'a Node),
    /// See [`RecordKey::Schema`].
    Schema(&'a TableSchema),
    /// See [`RecordKey::Snapshot`].
    Snapshot(&'a Snapshot),
    /// See [`RecordKey::Config`].
    Config(ConfigRecord),
    /// See [`RecordKey::ChangeKey`].
    ChangeKey(&'a String),
}

impl RecordRef<'_> {
    /// A copy of it.
    pub fn to_owned(&self) -> Record {
        match self {
            Self::Node(node) => Record::Node((*node).clone()),
            Self::Schema(schema) => Record::Schema((*schema).clone()),
            Self::Snapshot(snapshot) => Record::Snapshot((*snapshot).clone()),
            Self::Config(record) => Record::Config(record.clone()),
            Self::ChangeKey(key) => Record::ChangeKey((*key).clone()),
        }
    }
}

impl State {
    /// A record, if there is one of that name.
    pub fn record(&self, key: &RecordKey) -> Option<RecordRef<'_>> {
        Some(match key {
            RecordKey::Node(node) => RecordRef::Node(self.nodes.get(node)?.value()),
            RecordKey::Schema(table) => RecordRef::Schema(self.tables.get(table)?.schema.value()),
            RecordKey::Snapshot(node, table) => {
                RecordRef::Snapshot(self.tables.get(table)?.snapshots.get(node)?.value())
            }
            RecordKey::Config(key) => RecordRef::Config(self.config.get(key)?),
            RecordKey::ChangeKey(revision) => RecordRef::ChangeKey(self.change_keys.get(*revision)?.value()),
        })
    }

    /// Every record, in an order that [`State::restore`] takes.
    pub fn records(&self) -> impl Iterator<Item = (RecordKey, RecordRef<'_>)> {
        let nodes = self.nodes.iter().map(|(key, node)| (RecordKey::Node(key.clone()), RecordRef::Node(node.value())));
        let schemas = self.tables.iter();
        let schemas =
            schemas.map(|(name, table)| (RecordKey::Schema(name.clone()), RecordRef::Schema(table.schema.value())));
        let snapshots = self.tables.iter().flat_map(|(name, table)| {
            table.snapshots.iter().map(|(node, snapshot)| {
                (RecordKey::Snapshot(node.clone(), name.clone()), RecordRef::Snapshot(snapshot.value()))
            })
        });
        let config = self.config.records().map(|(key, record)| (RecordKey::Config(key), RecordRef::Config(record)));
        let change_keys = self.change_keys.iter();
        let change_keys =
            change_keys.map(|(revision, key)| (RecordKey::ChangeKey(revision), RecordRef::ChangeKey(key.value())));
        nodes.chain(schemas).chain(snapshots).chain(config).chain(change_keys)
    }

    /// Builds a state again from its records. A table's rows come after its schema and after their node.
    ///
    /// # Errors
    /// Says which record does not go with those before it.
    pub fn restore(revision: u64, records: impl IntoIterator<Item = (RecordKey, Record)>) -> Result<Self, String> {
        let mut state = Self { revision, ..Self::default() };
        let mut tables: BTreeMap<TableName, Table> = BTreeMap::new();
        for (key, record) in records {
            let added = match (key, record) {
                (RecordKey::Node(key), Record::Node(node)) => {
                    let node = Hashed::node(node);
                    let added = node.hash();
                    state.nodes.insert(key, Arc::new(node));
                    added
                }
                (RecordKey::Schema(name), Record::Schema(schema)) => {
                    let schema = Hashed::schema(schema);
                    let added = schema.hash();
                    tables.insert(name, Table::new(schema));
                    added
                }
                (RecordKey::Snapshot(node, name), Record::Snapshot(snapshot)) => {
                    let table =
                        tables.get_mut(&name).ok_or_else(|| format!("rows of table {name}, which has no schema"))?;
                    if !state.nodes.contains_key(&node) {
                        return Err(format!("rows of table {name} on node {node}, which is not known"));
                    }
                    let snapshot = Hashed::snapshot(&node, &name, snapshot);
                    let added = snapshot.hash();
                    table.snapshots.insert(node, Arc::new(snapshot));
                    added
                }
                (RecordKey::Config(key), Record::Config(record)) if record.belongs_to(&key) => {
                    let added = config::hash_of(&key, &record);
                    state.config.set(&key, Some(record));
                    added
                }
                (RecordKey::ChangeKey(revision), Record::ChangeKey(change_key)) => {
                    let change_key = Hashed::change_key(revision, change_key);
                    let added = change_key.hash();
                    state.change_keys.insert(revision, change_key);
                    added
                }
                (key, _) => return Err(format!("a record of another kind than its key {key:?}")),
            };
            state.hash = state.hash.wrapping_add(added);
        }
        let drawn = |mut table: Table| {
            table.columnar = Chunks::of(&table.snapshots);
            Arc::new(table)
        };
        state.tables = tables.into_iter().map(|(name, table)| (name, drawn(table))).collect();
        Ok(state)
    }
}
