//! I8: while no majority can be had, nothing is acknowledged and no linearizable read is answered; nor by a replica that is
//! cut off from one, while the others go on.

use super::verdict::{Verdict, judged};
use crate::history::{Action, Operation};

/// Judges a history.
pub fn check(history: &[Operation]) -> Verdict {
    let faults: Vec<(u64, u64, bool, &[u64])> = history
        .iter()
        .filter_map(|operation| match (&operation.action, operation.done()) {
            (Action::Fault { no_majority, cut_off, .. }, Some((end_us, _))) => {
                Some((operation.begin_us, end_us, *no_majority, cut_off.as_slice()))
            }
            _ => None,
        })
        .filter(|(.., no_majority, cut_off)| *no_majority || !cut_off.is_empty())
        .collect();
    let mut wrong = Vec::new();
    for operation in history.iter().filter(|operation| !matches!(operation.action, Action::Fault { .. })) {
        let Some((end_us, _)) = operation.done() else { continue };
        let during = faults.iter().filter(|(from, to, ..)| *from < operation.begin_us && end_us < *to);
        for (.., no_majority, cut_off) in during {
            if *no_majority {
                wrong.push(format!("answered without a majority: {operation:?}"));
            } else if let Action::Read { replica, .. } = operation.action
                && cut_off.contains(&replica)
            {
                wrong.push(format!("answered by a replica that was cut off: {operation:?}"));
            }
        }
    }
    judged(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Outcome;

    #[test]
    fn an_answer_without_a_majority_is_found() {
        let operation = |begin_us, end_us, action| {
            let outcome = Outcome::Done { end_us, revision: 1 };
            Operation { client: 1, begin_us, action, outcome }
        };
        let fault = |no_majority, cut_off| {
            operation(1_000, 900_000, Action::Fault { name: String::new(), no_majority, cut_off })
        };
        let read = |begin_us, end_us| operation(begin_us, end_us, Action::Read { replica: 1, seen: Vec::new() });
        let none = fault(true, Vec::new());
        assert_eq!(check(&[none.clone(), read(0, 2_000), read(800_000, 950_000)]), Verdict::Valid);
        assert!(matches!(check(&[none, read(200_000, 300_000)]), Verdict::Invalid(_)));
        assert!(matches!(check(&[fault(false, vec![1]), read(200_000, 300_000)]), Verdict::Invalid(_)));
        assert_eq!(check(&[fault(false, vec![2]), read(200_000, 300_000)]), Verdict::Valid);
    }
}
