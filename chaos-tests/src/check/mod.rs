//! Whether a history is one that a cluster which keeps its promises can have.
//!
//! Each file is one promise; `graph` finds cycles.
//!
//! - [`registers`]: linearizability. A push writes its node's register, a SELECT reads many at once.
//! - [`revisions`]: revisions never go back in real time, and one revision is one state.
//! - [`whole`]: a push is seen whole or not at all, and under the name of who pushed it.
//! - [`once`]: a push is applied once: its row is of the revision that it was acknowledged with.
//! - [`lives`]: an older life of an agent pushes nothing once a newer one did.
//! - [`removed`]: a removed node's rows do not come back.
//! - [`changes`]: of two changes that build on the same revision one happens.
//! - [`quorum`]: without a majority nothing is answered.
//! - [`refused`]: what is legal is not refused.
//! - [`sense`]: every answer can be understood.
//!
//! They judge what clients saw. They know nothing of replicas or SQL.

pub mod changes;
pub mod graph;
pub mod lives;
pub mod once;
pub mod quorum;
pub mod refused;
pub mod registers;
pub mod removed;
pub mod revisions;
pub mod sense;
pub mod whole;

use std::fmt;

use crate::history::Operation;

/// What the judgement of a history that cannot have been begins with.
pub const INVALID: &str = "INVALID";

/// A judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It can have been.
    Valid,
    /// It cannot; with each thing that cannot be.
    Invalid(Vec<String>),
    /// It cannot be told, which is no better than invalid.
    Unknown(String),
}

impl Verdict {
    /// Of several judgements the worst; all that is invalid together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Invalid(mut all), Self::Invalid(more)) => {
                all.extend(more);
                Self::Invalid(all)
            }
            (invalid @ Self::Invalid(_), _) | (_, invalid @ Self::Invalid(_)) => invalid,
            (unknown @ Self::Unknown(_), _) | (_, unknown @ Self::Unknown(_)) => unknown,
            (Self::Valid, Self::Valid) => Self::Valid,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Valid => f.write_str("valid"),
            Self::Invalid(what) => write!(f, "{INVALID}: {}", what.join("; ")),
            Self::Unknown(why) => write!(f, "UNKNOWN: {why}"),
        }
    }
}

/// Judges a history by all that is checked.
pub fn check(history: &[Operation]) -> Verdict {
    let checks = [
        registers::check,
        revisions::check,
        whole::check,
        once::check,
        lives::check,
        removed::check,
        changes::check,
        quorum::check,
        refused::check,
        sense::check,
    ];
    checks.into_iter().map(|check| check(history)).fold(Verdict::Valid, Verdict::and)
}

/// Findings of one promise that are shown.
const SHOWN_MAX: usize = 12;

/// A judgement by what was found wrong.
fn judged(mut wrong: Vec<String>) -> Verdict {
    wrong.truncate(SHOWN_MAX);
    if wrong.is_empty() { Verdict::Valid } else { Verdict::Invalid(wrong) }
}
