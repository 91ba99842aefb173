//! Compare-and-set: a change that builds on a revision happens only if there was no other one since.

use super::{Verdict, judged};
use crate::history::{Action, Operation};

/// Judges a history.
pub fn check(history: &[Operation]) -> Verdict {
    let mut changes: Vec<(u64, u64, &Operation)> = history
        .iter()
        .filter_map(|operation| match (&operation.action, operation.done()) {
            (Action::Change { since }, Some((_, revision))) => Some((revision, *since, operation)),
            _ => None,
        })
        .collect();
    changes.sort_unstable_by_key(|(revision, ..)| *revision);
    let overtaken = changes.windows(2).filter(|pair| pair[1].1 < pair[0].0);
    judged(overtaken.map(|pair| format!("there was another change at {}: {:?}", pair[0].0, pair[1].2)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Outcome;

    fn change(since: u64, revision: u64) -> Operation {
        let outcome = Outcome::Done { end_us: revision, revision };
        Operation { client: 1, begin_us: since, action: Action::Change { since }, outcome }
    }

    #[test]
    fn two_changes_that_build_on_the_same_revision_are_found() {
        assert_eq!(check(&[change(1, 2), change(2, 3), change(3, 9)]), Verdict::Valid);
        assert!(matches!(check(&[change(1, 2), change(1, 3)]), Verdict::Invalid(_)));
    }
}
