//! What no load, no luck and no slow machine excuses: a promise to users that was broken.
//!
//! A test that fails for any other reason may have been unlucky, and CI runs it once more, alone. What is said in these
//! words fails CI at once: `.ci/tests` looks for [`BROKEN`].

use std::fmt;

/// What stands in front of every broken promise, in whatever a test or a trial prints.
pub const BROKEN: &str = "broken promise";

/// A promise, by what its user sees when it is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// Something acknowledged is not there.
    Lost,
    /// A part of what is whole or nothing.
    Torn,
    /// An answer without what was acknowledged before it was asked for.
    Stale,
    /// Two replicas, or two answers of one revision, that differ.
    TwoTruths,
    /// Rows that no table has.
    WrongRows,
    /// Someone took part who must not.
    Intruder,
}

impl Promise {
    /// The error that says that it was broken, and by what.
    pub fn broken(self, what: impl fmt::Display) -> anyhow::Error {
        anyhow::anyhow!("{BROKEN} ({self}): {what}")
    }

    /// An error if it was broken.
    ///
    /// # Errors
    /// When `kept` is false.
    pub fn ensure(self, kept: bool, what: impl FnOnce() -> String) -> anyhow::Result<()> {
        if kept { Ok(()) } else { Err(self.broken(what())) }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "lost",
            Self::Torn => "torn",
            Self::Stale => "stale",
            Self::TwoTruths => "two truths",
            Self::WrongRows => "wrong rows",
            Self::Intruder => "an intruder",
        })
    }
}
