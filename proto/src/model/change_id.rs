//! The name of a change of the nodes' configuration.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of a change of the nodes' configuration: the revision of its commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChangeId(u64);

/// As somebody typed it, or a message or a log entry has it.
impl From<u64> for ChangeId {
    fn from(id: u64) -> Self {
        Self(id)
    }
}

impl From<ChangeId> for u64 {
    fn from(id: ChangeId) -> Self {
        id.0
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
