//! Whether a history is one that a cluster which keeps its promises can have.
//!
//! - [`registers`] holds it against linearizability: a push writes its node's register, a SELECT reads many at once.
//! - [`revisions`] holds it against what revisions say: they never go back in real time, and one revision is one state.
//! - [`graph`] finds cycles.
//!
//! It judges what clients saw. It knows nothing of replicas, faults or SQL.

pub mod graph;
pub mod registers;
pub mod revisions;

use std::fmt;

use crate::history::Operation;

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
            Self::Invalid(what) => write!(f, "INVALID: {}", what.join("; ")),
            Self::Unknown(why) => write!(f, "UNKNOWN: {why}"),
        }
    }
}

/// Judges a history by all that is checked.
pub fn check(history: &[Operation]) -> Verdict {
    registers::check(history).and(revisions::check(history))
}
