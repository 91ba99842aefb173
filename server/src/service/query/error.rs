//! Why a query has no answer, by what its caller does next.

use std::time::Duration;

use unum_proto::model::{QueryId, ReplicaId};

use crate::consensus::BarrierError;
use crate::service::query_log::TooMany;
use crate::sql;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No fresh state in time.
    #[error(transparent)]
    Barrier(#[from] BarrierError),
    /// The statement.
    #[error(transparent)]
    Sql(#[from] sql::Error),
    /// A fresh state, but no time left.
    #[error(
        "the query did not finish within {} ms; narrow it, or give it more time (--timeout, max_execution_time)",
        .0.as_millis()
    )]
    Deadline(Duration),
    /// Its session gave it less time than its caller has.
    #[error("the query did not finish within its max_execution_time of {} ms; narrow it, or SET another one", .0.as_millis())]
    Interrupted(Duration),
    /// KILL.
    #[error("the query {0} was killed")]
    Killed(QueryId),
    /// Nobody waits for the answer.
    #[error("the caller has gone")]
    Gone,
    /// A change that may have been made.
    #[error(
        "{0}; whether the change was made is not known: look (config_changes has those of configuration), or try again with the \
         same change key"
    )]
    ChangeUnknown(String),
    /// The same, ended on purpose: it is not to be sent again.
    #[error("{0}; whether the change was made is not known: look (config_changes has those of configuration)")]
    ChangeEnded(String),
    /// A change that is refused as things stand. An earlier attempt at it may have been made.
    #[error("{0}")]
    ChangeRefused(String),
    /// The replica went down before the answer was made.
    #[error("replica {replica} is stopping and left the statement where it was; ask another replica")]
    Stopping {
        /// Where it ran.
        replica: ReplicaId,
    },
    /// This replica runs enough of them.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The replica that runs the query to be killed did not answer.
    #[error("the query {query} runs at replica {replica}, which does not answer: {why}")]
    KillFailed {
        /// The query.
        query: QueryId,
        /// Where it runs.
        replica: ReplicaId,
        /// What came instead of an answer.
        why: String,
    },
}

impl Error {
    /// A bug.
    pub(in crate::service) fn internal(what: impl Into<String>) -> Self {
        Self::Sql(sql::Error::Internal(what.into()))
    }

    /// A statement that is refused.
    pub(in crate::service) fn refused(why: impl Into<String>) -> Self {
        Self::Sql(sql::Error::Invalid(why.into()))
    }

    /// The same, said of a statement that may have changed something by now.
    #[must_use]
    pub(super) fn of_a_change(self) -> Self {
        match self {
            // It was decided, and nothing was changed.
            Self::Sql(_)
            | Self::TooMany(_)
            | Self::ChangeUnknown(_)
            | Self::ChangeEnded(_)
            | Self::ChangeRefused(_)
            | Self::KillFailed { .. } => self,
            Self::Interrupted(_) | Self::Killed(_) => Self::ChangeEnded(self.to_string()),
            Self::Barrier(_) | Self::Deadline(_) | Self::Gone | Self::Stopping { .. } => {
                Self::ChangeUnknown(self.to_string())
            }
        }
    }
}
