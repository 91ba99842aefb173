//! What revisions promise: in real time they never go back, what is done later has a higher one, and at one revision
//! everybody sees one state.

use std::collections::BTreeMap;

use super::verdict::{Verdict, judged};
use crate::history::{Action, Operation, Seen};

/// Judges a history.
pub fn check(history: &[Operation]) -> Verdict {
    let mut wrong = goes_back(history);
    wrong.extend(differs(history));
    judged(wrong)
}

/// Reads at a revision below that of something that had ended before they began, and what was done at a revision that was
/// known before it was asked for.
fn goes_back(history: &[Operation]) -> Vec<String> {
    let mut ends: Vec<(u64, u64)> =
        history.iter().filter(|operation| !is_fault(operation)).filter_map(Operation::done).collect();
    ends.sort_unstable();
    // The highest revision that anything had, by when it ended.
    let mut highest = 0;
    for (_, revision) in &mut ends {
        highest = highest.max(*revision);
        *revision = highest;
    }
    let mut wrong = Vec::new();
    for operation in history {
        let Some((_, revision)) = operation.done() else { continue };
        let before = ends.partition_point(|(end_us, _)| *end_us < operation.begin_us);
        let known = if before > 0 { ends[before - 1].1 } else { 0 };
        let back = match operation.action {
            Action::Read { .. } | Action::Look { .. } => revision < known,
            Action::Write { .. } | Action::Change { .. } => revision <= known,
            // A copy has the revision of the first; removals are answered without one.
            Action::Copy { .. } | Action::Remove { .. } | Action::Fault { .. } => false,
        };
        if back {
            wrong.push(format!("revision {known} was known before {operation:?}"));
        }
    }
    wrong
}

/// Reads at the same revision that saw different values of a node.
fn differs(history: &[Operation]) -> Vec<String> {
    let mut known: BTreeMap<(u64, u32), u64> = BTreeMap::new();
    let mut wrong = Vec::new();
    for operation in history {
        let Some((_, revision)) = operation.done() else { continue };
        for Seen { node, value, .. } in operation.seen() {
            let other = *known.entry((revision, *node)).or_insert(*value);
            if other != *value {
                wrong.push(format!("node {node} is {other} and {value} at revision {revision}: {operation:?}"));
            }
        }
    }
    wrong
}

fn is_fault(operation: &Operation) -> bool {
    matches!(operation.action, Action::Fault { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Outcome;

    fn read(begin_us: u64, end_us: u64, revision: u64, value: u64) -> Operation {
        let action = Action::Read { replica: 1, seen: vec![Seen { value, other: value, ..Seen::nothing(1) }] };
        Operation { client: 1, begin_us, action, outcome: Outcome::Done { end_us, revision } }
    }

    #[test]
    fn a_revision_never_goes_back_in_real_time() {
        assert_eq!(check(&[read(0, 10, 5, 1), read(11, 20, 5, 1)]), Verdict::Valid);
        assert_eq!(check(&[read(0, 10, 5, 1), read(5, 20, 4, 0)]), Verdict::Valid, "at the same time");
        assert!(matches!(check(&[read(0, 10, 5, 1), read(11, 20, 4, 0)]), Verdict::Invalid(_)));
        let change = |begin_us, end_us, revision| {
            let outcome = Outcome::Done { end_us, revision };
            Operation { client: 1, begin_us, action: Action::Change { since: 0 }, outcome }
        };
        assert_eq!(check(&[read(0, 10, 5, 1), change(11, 20, 6)]), Verdict::Valid);
        assert!(matches!(check(&[read(0, 10, 5, 1), change(11, 20, 5)]), Verdict::Invalid(_)));
    }

    #[test]
    fn one_revision_is_one_state() {
        assert!(matches!(check(&[read(0, 10, 5, 1), read(0, 10, 5, 2)]), Verdict::Invalid(_)));
    }
}
