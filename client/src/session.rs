//! What a client has seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The newest revision that a client and its publishers saw: no later answer is older, whichever replica gives it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session(Arc<AtomicU64>);

impl Session {
    pub(crate) fn revision(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn saw(&self, revision: u64) {
        self.0.fetch_max(revision, Ordering::AcqRel);
    }
}
