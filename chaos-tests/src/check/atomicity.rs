//! I4 and I6: a push is seen whole or not at all, and its row is its pusher's.
//!
//! A push puts the same value into two tables, and its own name into the row.

use super::verdict::{Verdict, judged};
use crate::history::Operation;

/// Judges a history.
pub fn check(history: &[Operation]) -> Verdict {
    let mut wrong = Vec::new();
    for operation in history {
        for seen in operation.seen() {
            if seen.value != seen.other {
                wrong.push(format!("half a push: {} and {}: {operation:?}", seen.value, seen.other));
            }
            if seen.owner != seen.node {
                wrong.push(format!("a row of node {} was pushed by node {}: {operation:?}", seen.node, seen.owner));
            }
        }
    }
    judged(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Action, Outcome, Seen};

    fn read(seen: Seen) -> Operation {
        let action = Action::Read { replica: 1, seen: vec![seen] };
        Operation { client: 1, begin_us: 0, action, outcome: Outcome::Done { end_us: 1, revision: 1 } }
    }

    #[test]
    fn half_a_push_and_a_row_of_somebody_else_are_found() {
        let good = Seen { node: 1, value: 5, other: 5, owner: 1, revision: 9 };
        assert_eq!(check(&[read(good)]), Verdict::Valid);
        assert!(matches!(check(&[read(Seen { other: 4, ..good })]), Verdict::Invalid(_)));
        assert!(matches!(check(&[read(Seen { owner: 2, ..good })]), Verdict::Invalid(_)));
    }
}
