//! The names of things that are numbers, each a type of its own: one is never taken for another.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(u64);

        /// As somebody typed it, or a message or a log entry has it.
        impl From<u64> for $name {
            fn from(id: u64) -> Self {
                Self(id)
            }
        }

        impl From<$name> for u64 {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A replica: given by hand, and never used for two data directories.
    #[derive(Default)]
    ReplicaId
}

/// As somebody typed it.
impl std::str::FromStr for ReplicaId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

id! {
    /// A change of the nodes' configuration, by the revision of its commit.
    ChangeId
}

id! {
    /// A query that runs or ran: what `processlist` shows and KILL takes. Its high half is the low half of its replica's id,
    /// its low half counts.
    QueryId
}

const REPLICA_SHIFT: u32 = 32;
const COUNT_MASK: u64 = u32::MAX as u64;

impl QueryId {
    /// The id of a replica's query of that number.
    pub fn new(replica: ReplicaId, number: u64) -> Self {
        Self(((replica.0 & COUNT_MASK) << REPLICA_SHIFT) | (number & COUNT_MASK))
    }

    /// Whether it is a query of that replica, as far as an id says.
    pub fn is_of(self, replica: ReplicaId) -> bool {
        replica.0 & COUNT_MASK == self.0 >> REPLICA_SHIFT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_id_names_its_replica() {
        let replica = ReplicaId::from;
        let id = QueryId::new(replica(3), u64::MAX);
        assert!(id.is_of(replica(3)) && !id.is_of(replica(2)) && id.is_of(replica(3 | 1 << 40)), "{id}");
        assert_ne!(id, QueryId::new(replica(3), 7));
        assert_eq!(QueryId::from(u64::from(id)), id);
    }
}
