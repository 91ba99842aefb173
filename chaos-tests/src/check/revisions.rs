//! What revisions promise: in real time they never go back, and at one revision everybody sees one state.

use std::collections::BTreeMap;

use super::Verdict;
use crate::history::{Action, Operation, Outcome};

/// Findings that are shown.
const SHOWN_MAX: usize = 12;

/// Judges a history.
pub fn check(history: &[Operation]) -> Verdict {
    let mut wrong = goes_back(history);
    wrong.extend(differs(history));
    wrong.truncate(SHOWN_MAX);
    if wrong.is_empty() { Verdict::Valid } else { Verdict::Invalid(wrong) }
}

/// Reads at a revision below that of something that had ended before they began.
fn goes_back(history: &[Operation]) -> Vec<String> {
    let mut ends: Vec<(u64, u64)> = history.iter().filter_map(done).collect();
    ends.sort_unstable();
    // The highest revision that anything had, by when it ended.
    let mut highest = 0;
    for (_, revision) in &mut ends {
        highest = highest.max(*revision);
        *revision = highest;
    }
    let read = |operation: &&Operation| matches!(operation.action, Action::Read { .. });
    let mut wrong = Vec::new();
    for operation in history.iter().filter(read) {
        let Some((_, revision)) = done(operation) else { continue };
        let before = ends.partition_point(|(end_us, _)| *end_us < operation.begin_us);
        if before > 0 && ends[before - 1].1 > revision {
            wrong.push(format!("revision {} was known before {operation:?}", ends[before - 1].1));
        }
    }
    wrong
}

/// Reads at the same revision that saw different values of a node.
fn differs(history: &[Operation]) -> Vec<String> {
    let mut known: BTreeMap<(u64, u32), u64> = BTreeMap::new();
    let mut wrong = Vec::new();
    for operation in history {
        let (Action::Read { seen, .. }, Some((_, revision))) = (&operation.action, done(operation)) else { continue };
        for (node, value) in seen {
            let other = *known.entry((revision, *node)).or_insert(*value);
            if other != *value {
                wrong.push(format!("node {node} is {other} and {value} at revision {revision}: {operation:?}"));
            }
        }
    }
    wrong
}

fn done(operation: &Operation) -> Option<(u64, u64)> {
    match operation.outcome {
        Outcome::Done { end_us, revision } => Some((end_us, revision)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(begin_us: u64, end_us: u64, revision: u64, value: u64) -> Operation {
        let action = Action::Read { replica: 1, seen: vec![(1, value)] };
        Operation { client: 1, begin_us, action, outcome: Outcome::Done { end_us, revision } }
    }

    #[test]
    fn a_revision_never_goes_back_in_real_time() {
        assert_eq!(check(&[read(0, 10, 5, 1), read(11, 20, 5, 1)]), Verdict::Valid);
        assert_eq!(check(&[read(0, 10, 5, 1), read(5, 20, 4, 0)]), Verdict::Valid, "at the same time");
        assert!(matches!(check(&[read(0, 10, 5, 1), read(11, 20, 4, 0)]), Verdict::Invalid(_)));
    }

    #[test]
    fn one_revision_is_one_state() {
        assert!(matches!(check(&[read(0, 10, 5, 1), read(0, 10, 5, 2)]), Verdict::Invalid(_)));
    }
}
