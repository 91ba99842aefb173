//! Options that change while the replica runs.

use std::sync::Arc;

use arc_swap::ArcSwap;

/// A value that is looked up each time that it is used. Clones share it.
#[derive(Debug, Clone)]
pub struct Tunable<T>(Arc<ArcSwap<T>>);

impl<T: Copy> Tunable<T> {
    /// One that begins so.
    pub fn new(value: T) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(value)))
    }

    /// What it is now.
    pub fn get(&self) -> T {
        **self.0.load()
    }

    /// What it is from now on.
    pub fn set(&self, value: T) {
        self.0.store(Arc::new(value));
    }
}
