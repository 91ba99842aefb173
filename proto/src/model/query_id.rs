//! The name of a query that runs.

use std::fmt;

/// The name of a query: what `processlist` shows and KILL takes. Its high half is the low half of its replica's id, its low
/// half counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueryId(u64);

const REPLICA_SHIFT: u32 = 32;
const COUNT_MASK: u64 = u32::MAX as u64;

impl QueryId {
    /// The id of a replica's query of that number.
    pub fn new(replica: u64, number: u64) -> Self {
        Self(((replica & COUNT_MASK) << REPLICA_SHIFT) | (number & COUNT_MASK))
    }

    /// Whether it is a query of that replica, as far as an id says.
    pub fn is_of(self, replica: u64) -> bool {
        replica & COUNT_MASK == self.0 >> REPLICA_SHIFT
    }
}

/// As somebody typed it, or a message has it.
impl From<u64> for QueryId {
    fn from(id: u64) -> Self {
        Self(id)
    }
}

impl From<QueryId> for u64 {
    fn from(id: QueryId) -> Self {
        id.0
    }
}

impl fmt::Display for QueryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_its_replica() {
        let id = QueryId::new(3, u64::MAX);
        assert!(id.is_of(3) && !id.is_of(2) && id.is_of(3 | 1 << 40), "{id}");
        assert_ne!(id, QueryId::new(3, 7));
        assert_eq!(QueryId::from(u64::from(id)), id);
    }
}
