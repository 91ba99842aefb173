//! I4: a push is applied once. Its row is of the revision that the push was acknowledged with, wherever and whenever it
//! is read, and a copy of it is answered with that revision, too; a push that is applied again would move it.

use std::collections::BTreeMap;

use super::verdict::{Verdict, judged};
use crate::history::{Action, Operation};

/// Judges a history.
pub fn check(history: &[Operation]) -> Verdict {
    let mut known: BTreeMap<(u32, u64), u64> = BTreeMap::new();
    let mut wrong = Vec::new();
    for operation in history {
        if let (Action::Write { node, value, .. }, Some((_, revision))) = (&operation.action, operation.done()) {
            known.insert((*node, *value), revision);
        }
    }
    for operation in history {
        if let (Action::Copy { node, value }, Some((_, revision))) = (&operation.action, operation.done())
            && known.get(&(*node, *value)) != Some(&revision)
        {
            wrong.push(format!("a copy of node {node}'s value {value} was applied: {operation:?}"));
        }
        for seen in operation.seen().iter().filter(|seen| seen.value > 0) {
            // One that was not acknowledged has the revision that it is first seen with.
            let revision = *known.entry((seen.node, seen.value)).or_insert(seen.revision);
            if revision != seen.revision {
                wrong.push(format!(
                    "node {}'s value {} is of revision {revision}: {operation:?}",
                    seen.node, seen.value
                ));
            }
        }
    }
    judged(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Outcome, Seen};

    #[test]
    fn a_row_that_moved_is_found() {
        let done = Outcome::Done { end_us: 1, revision: 7 };
        let write = |outcome: &Outcome| Operation {
            client: 1,
            begin_us: 0,
            action: Action::Write { node: 1, value: 3, epoch: 1 },
            outcome: outcome.clone(),
        };
        let read = |revision| {
            let seen = vec![Seen { node: 1, value: 3, other: 3, owner: 1, revision }];
            Operation { client: 2, begin_us: 2, action: Action::Read { replica: 1, seen }, outcome: done.clone() }
        };
        let copy = |revision| {
            let outcome = Outcome::Done { end_us: 9, revision };
            Operation { client: 1, begin_us: 8, action: Action::Copy { node: 1, value: 3 }, outcome }
        };
        assert_eq!(check(&[write(&done), copy(7)]), Verdict::Valid);
        assert!(matches!(check(&[write(&done), copy(8)]), Verdict::Invalid(_)));
        assert_eq!(check(&[write(&done), read(7)]), Verdict::Valid);
        assert!(matches!(check(&[write(&done), read(8)]), Verdict::Invalid(_)));
        let unknown = Outcome::Unknown { why: String::new() };
        assert_eq!(check(&[write(&unknown), read(8), read(8)]), Verdict::Valid);
        assert!(matches!(check(&[write(&unknown), read(8), read(9)]), Verdict::Invalid(_)));
    }
}
