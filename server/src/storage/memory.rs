//! The engine in memory: for tests, and as the model that sled is held to.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::engine::{Engine, Error, Pairs, Tree, Write};

/// Trees in memory. Nothing survives the process.
#[derive(Debug, Default)]
pub struct MemoryEngine {
    trees: [Mutex<BTreeMap<Vec<u8>, Vec<u8>>>; 3],
    high_water: Mutex<Option<Vec<u8>>>,
}

impl MemoryEngine {
    fn tree(&self, tree: Tree) -> MutexGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        // A poisoned lock is a panic elsewhere between two whole operations: the maps are intact.
        self.trees[tree as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for MemoryEngine {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.tree(tree).get(key).cloned())
    }

    fn scan(&self, tree: Tree, from: &[u8], to: &[u8]) -> Result<Pairs, Error> {
        if from >= to {
            return Ok(Vec::new());
        }
        let tree = self.tree(tree);
        Ok(tree.range(from.to_vec()..to.to_vec()).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn keys(&self, tree: Tree, from: &[u8], to: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
        Ok(self.scan(tree, from, to)?.into_iter().map(|(key, _)| key).collect())
    }

    fn write(&self, tree: Tree, writes: Vec<Write>) -> Result<(), Error> {
        let mut tree = self.tree(tree);
        for (key, value) in writes {
            match value {
                Some(value) => tree.insert(key, value),
                None => tree.remove(&key),
            };
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), Error> {
        Ok(())
    }

    fn high_water(&self) -> Option<Vec<u8>> {
        self.high_water.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_high_water(&self, mark: &[u8], _durable: bool) -> Result<(), Error> {
        *self.high_water.lock().unwrap_or_else(PoisonError::into_inner) = Some(mark.to_vec());
        Ok(())
    }

    fn sync_high_water(&self) -> Result<(), Error> {
        Ok(())
    }
}
