//! A change of one tree, all or nothing.

use std::collections::BTreeMap;

use super::engine::{Engine, Error, Tree, Write};
use super::record;

/// Records to put and to remove, in order.
#[derive(Debug, Default, Clone)]
pub struct Batch {
    ops: Vec<Op>,
}

#[derive(Debug, Clone)]
enum Op {
    Put { key: Vec<u8>, value: Vec<u8> },
    RemoveRange { from: Vec<u8>, to: Vec<u8> },
}

impl Batch {
    /// Puts a record in place of any of that key.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.ops.push(Op::Put { key, value });
    }

    /// Removes the record of that key, if there is one.
    pub fn remove(&mut self, key: Vec<u8>) {
        let end = record::end_key(&key);
        self.ops.push(Op::RemoveRange { from: record::part_key(&key, 0), to: end });
    }

    /// Removes all records with keys in `[from, to)`.
    pub fn remove_range(&mut self, from: Vec<u8>, to: Vec<u8>) {
        self.ops.push(Op::RemoveRange { from, to });
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// The engine's writes: parts of records, and removals of what stands in the engine now.
    pub(super) fn resolve(self, engine: &dyn Engine, tree: Tree) -> Result<Vec<Write>, Error> {
        let mut writes: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
        let remove = |writes: &mut BTreeMap<_, _>, from: &[u8], to: &[u8]| {
            for key in engine.keys(tree, from, to)? {
                writes.insert(key, None);
            }
            for (_, value) in writes.range_mut(from.to_vec()..to.to_vec()) {
                *value = None;
            }
            Ok::<_, Error>(())
        };
        for op in self.ops {
            match op {
                Op::RemoveRange { from, to } => remove(&mut writes, &from, &to)?,
                Op::Put { key, value } => {
                    let parts = record::split(&key, &value);
                    // A longer record of that key may stand there, or come before in the batch: no part of it may remain.
                    let (rest, end) = (record::part_key(&key, parts.len() as u16), record::end_key(&key));
                    if engine.get(tree, &rest)?.is_some() || writes.range(rest.clone()..end.clone()).next().is_some() {
                        remove(&mut writes, &rest, &end)?;
                    }
                    writes.extend(parts.into_iter().map(|(key, value)| (key, Some(value))));
                }
            }
        }
        Ok(writes.into_iter().collect())
    }
}
