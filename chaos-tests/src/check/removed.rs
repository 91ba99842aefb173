//! I7: a removed node's rows do not come back without a new epoch, and are gone once its removal was acknowledged.
//!
//! Such a node comes again and again: it pushes once, with the number of its epoch as value, and is removed. After an
//! operation of unknown outcome it is left alone for good: what may still happen to it is nobody's business.

use std::collections::BTreeMap;

use super::verdict::{Verdict, judged};
use crate::history::{Action, Operation, Outcome};
use crate::traffic::is_removable;

/// When an epoch may have begun and when it had ended.
#[derive(Debug, Clone, Copy)]
struct Incarnation {
    pushed_us: u64,
    /// None: its removal was not acknowledged.
    removed_us: Option<u64>,
    /// The push was acknowledged then, and the removal was asked for later.
    certain: Option<(u64, u64)>,
}

/// Judges a history.
pub fn check(history: &[Operation]) -> Verdict {
    let epochs = epochs(history);
    let mut wrong = Vec::new();
    for operation in history {
        let Some((end_us, _)) = operation.done() else { continue };
        for seen in operation.seen().iter().filter(|seen| is_removable(seen.node)) {
            let of_node = epochs.get(&seen.node);
            let epoch = |number: u64| of_node.and_then(|epochs| epochs.get(&number));
            if seen.value > 0 {
                match epoch(seen.value) {
                    Some(epoch) if epoch.pushed_us > end_us => wrong.push(format!("not pushed yet: {operation:?}")),
                    Some(Incarnation { removed_us: Some(removed_us), .. }) if *removed_us < operation.begin_us => {
                        wrong.push(format!("removed before: {operation:?}"));
                    }
                    Some(_) => {}
                    None => wrong.push(format!("never pushed, or in vain: {operation:?}")),
                }
            } else if let Some((number, _)) = of_node.into_iter().flatten().find(|(_, epoch)| {
                epoch.certain.is_some_and(|(from_us, to_us)| from_us < operation.begin_us && end_us < to_us)
            }) {
                wrong.push(format!("epoch {number} was there all the while: {operation:?}"));
            }
        }
    }
    judged(wrong)
}

/// By node and number.
fn epochs(history: &[Operation]) -> BTreeMap<u32, BTreeMap<u64, Incarnation>> {
    let mut epochs: BTreeMap<u32, BTreeMap<u64, Incarnation>> = BTreeMap::new();
    for operation in history {
        let done = operation.done();
        match &operation.action {
            Action::Write { .. } if matches!(operation.outcome, Outcome::Refused { .. } | Outcome::Failed { .. }) => {}
            Action::Write { node, value, .. } if is_removable(*node) => {
                let certain = done.map(|(end_us, _)| (end_us, u64::MAX));
                let epoch = Incarnation { pushed_us: operation.begin_us, removed_us: None, certain };
                epochs.entry(*node).or_default().insert(*value, epoch);
            }
            Action::Remove { node } => {
                // Whatever lived before is not certain any more from here on, and gone if this was acknowledged.
                for epoch in epochs.entry(*node).or_default().values_mut() {
                    if let Some((_, to_us)) = &mut epoch.certain {
                        *to_us = operation.begin_us.min(*to_us);
                    }
                    if let (None, Some((end_us, _))) = (epoch.removed_us, done) {
                        epoch.removed_us = Some(end_us);
                    }
                }
            }
            _ => {}
        }
    }
    epochs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Seen;
    use crate::traffic::FIRST_REMOVABLE;

    fn operation(begin_us: u64, end_us: u64, action: Action) -> Operation {
        Operation { client: 1, begin_us, action, outcome: Outcome::Done { end_us, revision: 1 } }
    }

    fn read(begin_us: u64, end_us: u64, value: u64) -> Operation {
        let seen = vec![Seen { value, other: value, ..Seen::nothing(FIRST_REMOVABLE) }];
        operation(begin_us, end_us, Action::Read { replica: 1, seen })
    }

    #[test]
    fn rows_of_a_removed_node_are_gone_until_its_next_life() {
        let node = FIRST_REMOVABLE;
        let push = |begin_us, end_us, value| operation(begin_us, end_us, Action::Write { node, value, epoch: 1 });
        let past = [push(0, 10, 1), operation(20, 30, Action::Remove { node }), push(40, 50, 2)];
        let with = |read| check(&past.iter().cloned().chain([read]).collect::<Vec<_>>());
        for good in [
            read(0, 5, 0),
            read(5, 15, 1),
            read(12, 15, 1),
            read(25, 35, 1),
            read(25, 28, 0),
            read(31, 35, 0),
            read(55, 60, 2),
        ] {
            assert_eq!(with(good.clone()), Verdict::Valid, "{good:?}");
        }
        for bad in [read(12, 15, 0), read(31, 35, 1), read(31, 35, 2), read(55, 60, 1), read(55, 60, 0), read(1, 2, 3)]
        {
            assert!(matches!(with(bad.clone()), Verdict::Invalid(_)), "{bad:?}");
        }
    }
}
