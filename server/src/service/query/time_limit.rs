//! When a query has to be over, and why.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;
use unum_proto::model::{Query, QueryId};

use super::Error;
use crate::service::query_log::End;
use crate::sql;

/// What waits for the same deadline inside says better what it waited for: it goes first.
const DEADLINE_GRACE: Duration = Duration::from_millis(50);

/// The time that a query has, from its arrival on.
#[derive(Debug)]
pub(super) struct TimeLimit {
    started: Instant,
    time: Duration,
    /// Whether the session set it, and not the caller.
    is_sessions: bool,
    /// What the statement itself asks for besides: WAIT.
    extra: OnceLock<Duration>,
}

impl TimeLimit {
    /// The time of the caller, or less where its session SET so.
    pub(super) fn new(started: Instant, query: &Query) -> Self {
        let set = query.session.variables.get(sql::MAX_EXECUTION_TIME).and_then(|ms| ms.parse().ok());
        let set = set.filter(|ms| *ms > 0).map(Duration::from_millis).filter(|set| *set < query.timeout);
        Self { started, time: set.unwrap_or(query.timeout), is_sessions: set.is_some(), extra: OnceLock::new() }
    }

    /// When the query arrived.
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// When it has to be over.
    pub(super) fn deadline(&self) -> Instant {
        self.started + self.time + self.extra()
    }

    /// Gives the query so much more time, once.
    pub(super) fn extend(&self, extra: Duration) {
        let _ = self.extra.set(extra);
    }

    /// The time that it has beyond what was asked for.
    pub(super) fn extra(&self) -> Duration {
        self.extra.get().copied().unwrap_or_default()
    }

    /// How a query ends whose time is over.
    pub(super) fn end(&self) -> End {
        match self.is_sessions {
            true => End::Interrupted(self.time),
            false => End::Deadline(self.time + self.extra()),
        }
    }

    /// Comes back when the time is over.
    pub(super) async fn over(&self) {
        loop {
            let deadline = self.deadline();
            tokio::time::sleep_until(deadline + DEADLINE_GRACE).await;
            if self.deadline() == deadline {
                return;
            }
        }
    }
}

/// What the caller is told of a query that was ended before its last row was made.
pub(super) fn error_of(end: &End, query: QueryId) -> Error {
    match end {
        End::Killed => Error::Killed(query),
        End::Deadline(time) => Error::Deadline(*time),
        End::Interrupted(time) => Error::Interrupted(*time),
        End::CallerGone => Error::Gone,
        // Who set it has told its caller.
        End::Finished | End::Failed(_) | End::Panicked => Error::internal(format!("the query ended: {end}")),
    }
}
