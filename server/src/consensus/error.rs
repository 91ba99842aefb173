//! What can go wrong in the group, by what the caller does next.

use std::time::Duration;

use unum_proto::model::ReplicaId;

use crate::storage;

/// Why a replica did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directory.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The options.
    #[error("the Raft options do not go together: {0}")]
    Options(String),
    /// Raft itself.
    #[error("raft does not start: {0}")]
    Raft(String),
}

/// Why a command is not known to be applied.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProposeError {
    /// Nothing was written: ask the leader.
    #[error("replica {replica} does not lead; the leader is {}", leader.map_or("not known".to_owned(), |id| format!("replica {id}")))]
    NotLeader {
        /// Who was asked.
        replica: ReplicaId,
        /// Who leads, as far as that replica knows.
        leader: Option<ReplicaId>,
    },
    /// It may or may not be applied: retry only what is idempotent.
    #[error("the outcome is unknown: {0}")]
    OutcomeUnknown(String),
    /// The request is wrong: nothing was written, and nothing will be.
    #[error("{0}")]
    Refused(String),
    /// Nothing was written, and later may be better.
    #[error("the group cannot take writes now: {0}")]
    Unavailable(String),
}

/// Why no linearizable read can be answered.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BarrierError {
    /// Not within the time the caller has.
    #[error(
        "replica {replica} could not confirm the read with a majority within {} ms ({last}); \
         no answer rather than a stale one: ask another replica, or wait until a majority is up",
        waited.as_millis()
    )]
    NoQuorum {
        /// Who was asked.
        replica: ReplicaId,
        /// How long it tried.
        waited: Duration,
        /// What the last round said.
        last: String,
    },
    /// Too many readers wait already.
    #[error("more than {limit} reads wait at replica {replica}; retry later or ask another replica")]
    Overloaded {
        /// Who was asked.
        replica: ReplicaId,
        /// The bound.
        limit: usize,
    },
    /// The replica is going down.
    #[error("replica {replica} is stopping; ask another replica")]
    Stopping {
        /// Who was asked.
        replica: ReplicaId,
    },
}
