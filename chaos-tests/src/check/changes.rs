//! Compare-and-set: a change that builds on a revision happens only if there was no other one since. What happened stays:
//! whoever looks later finds it, or one that came after it.

use super::verdict::{Verdict, judged};
use crate::history::{Action, Operation, Outcome};

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
    let mut wrong: Vec<String> =
        overtaken.map(|pair| format!("there was another change at {}: {:?}", pair[0].0, pair[1].2)).collect();
    let unknown: Vec<&Operation> = history
        .iter()
        .filter(|operation| matches!(operation.action, Action::Change { .. }))
        .filter(|operation| matches!(operation.outcome, Outcome::Unknown { .. } | Outcome::Nonsense { .. }))
        .collect();
    for operation in history {
        let (Action::Look { newest }, Some((end_us, _))) = (&operation.action, operation.done()) else { continue };
        let ended_before = |change: &Operation| change.done().is_some_and(|(end_us, _)| end_us < operation.begin_us);
        if let Some((lost, ..)) = changes.iter().find(|(revision, _, o)| revision > newest && ended_before(o)) {
            wrong.push(format!("change {lost} is not there: {operation:?}"));
        }
        let known = changes.binary_search_by_key(newest, |(revision, ..)| *revision).is_ok();
        if *newest > 0 && !known && !unknown.iter().any(|change| change.begin_us < end_us) {
            wrong.push(format!("change {newest} was never made: {operation:?}"));
        }
    }
    judged(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(since: u64, revision: u64) -> Operation {
        let outcome = Outcome::Done { end_us: revision, revision };
        Operation { client: 1, begin_us: since, action: Action::Change { since }, outcome }
    }

    #[test]
    fn two_changes_that_build_on_the_same_revision_are_found() {
        assert_eq!(check(&[change(1, 2), change(2, 3), change(3, 9)]), Verdict::Valid);
        assert!(matches!(check(&[change(1, 2), change(1, 3)]), Verdict::Invalid(_)));
    }

    #[test]
    fn a_change_that_is_lost_or_was_never_made_is_found() {
        let look = |begin_us, newest| {
            let outcome = Outcome::Done { end_us: begin_us + 1, revision: 9 };
            Operation { client: 1, begin_us, action: Action::Look { newest }, outcome }
        };
        assert_eq!(check(&[change(1, 2), look(1, 0), look(5, 2)]), Verdict::Valid);
        assert!(matches!(check(&[change(1, 2), look(5, 0)]), Verdict::Invalid(_)));
        assert!(matches!(check(&[change(1, 2), look(5, 4)]), Verdict::Invalid(_)));
        let unknown = Operation { outcome: Outcome::Unknown { why: String::new() }, ..change(2, 4) };
        assert_eq!(check(&[change(1, 2), unknown, look(5, 4)]), Verdict::Valid);
    }
}
