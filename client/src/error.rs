//! What can go wrong, by what the caller does next.

use std::time::Duration;

use unum_proto::model::Invalid;

/// Why a call has no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The request is wrong: correct it. Nothing happened.
    #[error("{0}")]
    Refused(String),
    /// Another publisher of the node's name is live: it stays, and this one pushed nothing. The text says who it is, where, since when, and
    /// how to take over.
    #[error("{0}")]
    NameHeld(String),
    /// The caller may not do that.
    #[error("not permitted: {0}")]
    NotPermitted(String),
    /// No endpoint could be reached: check the addresses and the replicas.
    #[error("no replica reachable at {}: {last}", endpoints.join(", "))]
    Unreachable {
        /// All that were tried.
        endpoints: Vec<String>,
        /// What the last one said.
        last: String,
    },
    /// Replicas were reached, and none could do it in time, for example without a majority. Nothing was done: later may
    /// be better.
    #[error("no answer within {} ms: {last}", timeout.as_millis())]
    Deadline {
        /// The time that the caller gave.
        timeout: Duration,
        /// What the last replica said.
        last: String,
    },
    /// It may or may not have been done: the answer did not come. A push is safe to repeat, a publisher does so with the
    /// same sequence, and so is a SELECT; anything else is to be looked at first.
    #[error("the outcome is unknown after {} ms: {last}", timeout.as_millis())]
    OutcomeUnknown {
        /// The time that the caller gave.
        timeout: Duration,
        /// What the last replica said.
        last: String,
    },
    /// A reply that makes no sense: versions that do not go together, or a bug.
    #[error("unexpected reply: {0}")]
    Protocol(String),
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Refused(invalid.to_string())
    }
}

impl Error {
    /// The exit code of the `unum` command for this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_) | Self::Protocol(_) => 1,
            Self::Unreachable { .. } => 3,
            Self::NotPermitted(_) => 4,
            Self::NameHeld(_) => 6,
            Self::Deadline { .. } | Self::OutcomeUnknown { .. } => 5,
        }
    }
}
