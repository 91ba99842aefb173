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
mod verdict;
pub mod whole;

pub use self::verdict::{INVALID, Verdict};
use crate::history::Operation;

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
