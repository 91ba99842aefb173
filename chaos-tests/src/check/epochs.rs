//! I3: once a push of a newer epoch of an agent was acknowledged, no push of an older epoch is.

use std::collections::BTreeMap;

use super::verdict::{Verdict, judged};
use crate::history::{Action, Operation};

/// Judges a history.
pub fn check(history: &[Operation]) -> Verdict {
    // By node and epoch: when its first push was acknowledged.
    let mut first: BTreeMap<u32, BTreeMap<u32, u64>> = BTreeMap::new();
    for operation in history {
        if let (Action::Write { node, epoch, .. }, Some((end_us, _))) = (&operation.action, operation.done()) {
            let since = first.entry(*node).or_default().entry(*epoch).or_insert(end_us);
            *since = end_us.min(*since);
        }
    }
    let mut wrong = Vec::new();
    for operation in history {
        let (Action::Write { node, epoch, .. }, Some(_)) = (&operation.action, operation.done()) else { continue };
        let newer = first.get(node).into_iter().flat_map(|epochs| epochs.range(epoch + 1..));
        if let Some((newer, _)) = newer.into_iter().find(|(_, since)| **since < operation.begin_us) {
            wrong.push(format!("epoch {newer} had pushed before {operation:?}"));
        }
    }
    judged(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Outcome;

    fn write(begin_us: u64, end_us: u64, epoch: u32) -> Operation {
        let action = Action::Write { node: 1, value: begin_us, epoch };
        Operation { client: 1, begin_us, action, outcome: Outcome::Done { end_us, revision: 1 } }
    }

    #[test]
    fn an_older_life_ends_with_the_first_push_of_a_newer_one() {
        assert_eq!(check(&[write(0, 1, 1), write(2, 3, 2)]), Verdict::Valid);
        assert_eq!(check(&[write(0, 5, 1), write(2, 3, 2)]), Verdict::Valid, "both at the same time");
        assert!(matches!(check(&[write(0, 1, 1), write(2, 3, 2), write(4, 5, 1)]), Verdict::Invalid(_)));
    }
}
