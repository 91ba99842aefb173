//! Statements that change something: from what they ask for to a command that is committed, exactly once for its change key.
//!
//! - [`config`]: the configuration of nodes.
//! - [`catalog`]: everything else that is replicated.
//!
//! Both look at a fresh state first, and what would be refused is refused on a draft of it, before anything is written. An
//! attempt whose outcome is not known is found by its change key, so they try again, some times and while the statement has time.

pub mod catalog;
pub mod config;

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;
use unum_proto::model::Query;

use crate::base::clock;
use crate::catalog::Proposal;
use crate::consensus::{Group, ProposeError};
use crate::service::query::Error;
use crate::service::query_log::QueryHandle;

/// How often a change is tried again when it meets others, or nobody leads.
const TRIES_MAX: u32 = 20;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// Who makes a change, and by when.
pub struct Author<'a> {
    /// The group.
    pub group: &'a Group,
    /// The statement, with its client's change key.
    pub query: &'a Query,
    /// Where it comes from.
    pub host: &'a str,
    /// What its attempts came to.
    pub tries: Tries<'a>,
    /// When it has to be over.
    pub deadline: Instant,
}

/// The attempts at a change.
#[derive(Debug)]
pub struct Tries<'a> {
    handle: &'a QueryHandle,
    /// Why the first one of which nothing is known was not answered: it may still be made.
    unanswered: OnceLock<String>,
}

/// What an attempt came to.
enum Attempt<T, R> {
    /// It was made.
    Made(T),
    /// It was refused by the state that it met.
    Refused(R),
    /// That is not known: whoever tries again finds out by the change key.
    Unknown(String),
}

impl Author<'_> {
    /// The statement's own key, or the client's, or else one that no other statement has.
    fn change_key(&self, typed: Option<&str>) -> String {
        match (typed, self.query.change_key.as_str()) {
            (Some(key), _) => key.to_owned(),
            (None, "") => format!("query {} at {}", self.tries.handle.id, clock::now_us()),
            (None, key) => key.to_owned(),
        }
    }

    /// Asks Raft for it once.
    async fn propose<T, R>(&self, proposal: &Proposal<Result<T, R>>) -> Result<Attempt<T, R>, Error> {
        self.tries.handle.set_may_have_changed();
        let proposed = tokio::time::timeout_at(self.deadline, self.group.propose_anywhere(proposal)).await;
        match proposed {
            Ok(Ok(Ok(made))) => Ok(Attempt::Made(made)),
            Ok(Ok(Err(refusal))) => {
                self.tries.attempt_was_refused();
                Ok(Attempt::Refused(refusal))
            }
            Ok(Err(ProposeError::Refused(why))) => {
                self.tries.attempt_was_refused();
                Err(Error::ChangeRefused(why))
            }
            Ok(Err(error)) => {
                let _ = self.tries.unanswered.set(error.to_string());
                Ok(Attempt::Unknown(error.to_string()))
            }
            Err(_) => Err(Error::ChangeUnknown("the time is over".into())),
        }
    }
}

impl<'a> Tries<'a> {
    /// None yet.
    pub fn of(handle: &'a QueryHandle) -> Self {
        Self { handle, unanswered: OnceLock::new() }
    }

    fn attempt_was_refused(&self) {
        if self.unanswered.get().is_none() {
            self.handle.set_has_not_changed();
        }
    }

    /// A refusal says that nothing was changed, and it cannot while an earlier attempt may still be made.
    fn told(&self, error: Error) -> Error {
        match (error, self.unanswered.get()) {
            (Error::ChangeRefused(why), Some(unanswered)) => Error::ChangeUnknown(format!(
                "an attempt was not answered ({unanswered}), and a later one was refused ({why})"
            )),
            (error, _) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::tunable::Tunable;
    use crate::service::query_log::{Options, QueryLog, Request};

    #[test]
    fn a_refusal_behind_an_attempt_without_an_answer_is_of_unknown_outcome() {
        let log = QueryLog::new(3.into(), Tunable::new(Options { queries_max: 9, slow_threshold: Duration::ZERO }));
        let request = Request { user: String::new(), host: String::new(), schema: String::new(), memory_bytes_max: 9 };
        let tracked = log.begin(request).unwrap();
        let told = |unanswered: OnceLock<String>| {
            tracked.query().set_may_have_changed();
            let tries = Tries { handle: tracked.query(), unanswered };
            tries.attempt_was_refused();
            (tries.told(Error::ChangeRefused("no".into())), tracked.query().may_have_changed())
        };
        assert!(matches!(told(OnceLock::new()), (Error::ChangeRefused(_), false)));
        let (error, may_have_changed) = told(OnceLock::from("lost".to_owned()));
        assert!(matches!(&error, Error::ChangeUnknown(why) if why.contains("lost") && why.contains("no")), "{error}");
        assert!(may_have_changed);
    }
}
