//! The state hash: a sum over all records, kept up to date with every change.
//!
//! Each record adds XXH3-64 of its name and its value to a wrapping sum, so an apply costs what it changes and the
//! order of the changes does not matter. Replicas at the same revision have the same hash, or one of them is wrong.
//! It guards against bugs and bad disks, not against someone who makes collisions.

use std::ops::Deref;

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

/// A record of the state, and what it adds to the state hash.
#[derive(Debug, Clone, PartialEq)]
pub struct Hashed<T> {
    value: T,
    hash: u64,
}

impl<T: Serialize> Hashed<T> {
    /// A record whose kind and value are what its hash is made of.
    pub(super) fn new(kind: u8, value: T) -> Self {
        Self { hash: hash_of(kind, &value), value }
    }

    /// A record whose value does not have its name.
    pub(super) fn named(kind: u8, name: impl Serialize, value: T) -> Self {
        Self { hash: hash_of(kind, &(name, &value)), value }
    }
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

/// What a record adds to the state hash.
fn hash_of<T: Serialize>(kind: u8, record: &T) -> u64 {
    xxh3_64(&postcard::to_extend(record, vec![kind]).expect("model types always encode"))
}
