//! The state hash: a sum over all records, kept up to date with every change.
//!
//! Each record adds XXH3-64 of its name and its value to a wrapping sum, so an apply costs what it changes and the
//! order of the changes does not matter. Replicas at the same revision have the same hash, or one of them is wrong.
//! It guards against bugs and bad disks, not against someone who makes collisions.

use std::ops::Deref;

use serde::Serialize;
use unum_proto::model::{NodeKey, TableName, TableSchema};
use xxhash_rust::xxh3::xxh3_64;

use super::{Node, Snapshot};

/// A record of the state, and what it adds to the state hash.
#[derive(Debug, Clone, PartialEq)]
pub struct Hashed<T> {
    value: T,
    hash: u64,
}

impl<T> Hashed<T> {
    /// What it adds to the state hash.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The record.
    pub fn value(&self) -> &T {
        &self.value
    }
}

impl<T> Deref for Hashed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl Hashed<Node> {
    /// A node's record.
    pub fn node(value: Node) -> Self {
        Self { hash: hash_of(b'n', &value), value }
    }
}

impl Hashed<TableSchema> {
    /// A table's schema.
    pub fn schema(value: TableSchema) -> Self {
        Self { hash: hash_of(b's', &value), value }
    }
}

impl Hashed<String> {
    /// The key of the change that was made at a revision.
    pub fn change_key(revision: u64, value: String) -> Self {
        Self { hash: hash_of(b'k', &(revision, &value)), value }
    }
}

impl Hashed<Snapshot> {
    /// A node's rows of a table.
    pub fn snapshot(node: &NodeKey, table: &TableName, value: Snapshot) -> Self {
        Self { hash: hash_of(b't', &(node, table, &value)), value }
    }
}

fn hash_of<T: Serialize>(kind: u8, record: &T) -> u64 {
    xxh3_64(&postcard::to_extend(record, vec![kind]).expect("model types always encode"))
}
