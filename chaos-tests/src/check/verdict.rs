//! A judgement, and how findings become one.

use std::fmt;

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

/// Findings of one promise that are shown.
pub(super) const SHOWN_MAX: usize = 12;

/// A judgement by what was found wrong.
pub(super) fn judged(mut wrong: Vec<String>) -> Verdict {
    wrong.truncate(SHOWN_MAX);
    if wrong.is_empty() { Verdict::Valid } else { Verdict::Invalid(wrong) }
}
