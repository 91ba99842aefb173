//! Statements that change something: from what they ask for to a command that is committed, exactly once for its change key.
//!
//! - [`config`]: the configuration of nodes.
//! - [`catalog`]: everything else that is replicated.
//!
//! Both look at a fresh state first, and what would be refused is refused on a draft of it, before anything is written. An
//! attempt whose outcome is not known is found by its change key, so they try again for as long as the statement has time.

pub mod catalog;
pub mod config;

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
    /// The query.
    pub handle: &'a QueryHandle,
    /// When it has to be over.
    pub deadline: Instant,
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
            (None, "") => format!("query {} at {}", self.handle.id, clock::now_us()),
            (None, key) => key.to_owned(),
        }
    }

    /// Asks Raft for it once.
    async fn propose<T, R>(&self, proposal: &Proposal<Result<T, R>>) -> Result<Attempt<T, R>, Error> {
        self.handle.set_may_have_changed();
        let proposed = tokio::time::timeout_at(self.deadline, self.group.propose_anywhere(proposal)).await;
        match proposed {
            Ok(Ok(Ok(made))) => Ok(Attempt::Made(made)),
            Ok(Ok(Err(refusal))) => {
                self.handle.set_has_not_changed();
                Ok(Attempt::Refused(refusal))
            }
            Ok(Err(ProposeError::Refused(why))) => {
                self.handle.set_has_not_changed();
                Err(Error::ChangeRefused(why))
            }
            Ok(Err(error)) => Ok(Attempt::Unknown(error.to_string())),
            Err(_) => Err(Error::ChangeUnknown("the time is over".into())),
        }
    }
}
