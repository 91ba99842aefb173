//! Whether a history is one that a cluster which keeps its promises can have.
//!
//! Each file is one promise; `graph` finds cycles.
//!
//! - [`registers`]: linearizability. A push writes its node's register, a SELECT reads many at once.
//! - [`revisions`]: revisions never go back in real time, and one revision is one state.
//! - [`atomicity`]: a push is seen whole or not at all, and under the name of who pushed it.
//! - [`exactly_once`]: a push is applied once: its row is of the revision that it was acknowledged with.
//! - [`epochs`]: an older epoch of an agent pushes nothing once a newer one did.
//! - [`removed`]: a removed node's rows do not come back.
//! - [`changes`]: of two changes that build on the same revision one happens.
//! - [`quorum`]: without a majority nothing is answered.
//! - [`refused`]: what is legal is not refused.
//! - [`well_formed`]: every answer can be understood.
//!
//! They judge what clients saw. They know nothing of replicas or SQL.

pub mod atomicity;
pub mod changes;
pub mod epochs;
pub mod exactly_once;
pub mod graph;
pub mod quorum;
pub mod refused;
pub mod registers;
pub mod removed;
pub mod revisions;
mod verdict;
pub mod well_formed;

pub use self::verdict::{INVALID, Verdict};
use crate::history::Operation;

/// Judges a history by all that is checked.
pub fn check(history: &[Operation]) -> Verdict {
    let checks = [
        registers::check,
        revisions::check,
        atomicity::check,
        exactly_once::check,
        epochs::check,
        removed::check,
        changes::check,
        quorum::check,
        refused::check,
        well_formed::check,
    ];
    checks.into_iter().map(|check| check(history)).fold(Verdict::Valid, Verdict::and)
}
