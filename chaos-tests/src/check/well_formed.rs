//! Every answer can be understood: no row twice, no row of a node that was not asked for, no two rows of one push that
//! differ, no reply without what belongs into it.

use super::verdict::{Verdict, judged};
use crate::history::{Operation, Outcome};

/// Judges a history.
pub fn check(history: &[Operation]) -> Verdict {
    let wrong = history.iter().filter_map(|operation| match &operation.outcome {
        Outcome::Nonsense { what } => Some(format!("answered with {what}: {operation:?}")),
        _ => None,
    });
    judged(wrong.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Action;

    #[test]
    fn an_answer_without_sense_is_found() {
        let operation = |outcome| Operation { client: 1, begin_us: 0, action: Action::Remove { node: 1 }, outcome };
        assert_eq!(check(&[operation(Outcome::Failed { why: String::new() })]), Verdict::Valid);
        assert!(matches!(check(&[operation(Outcome::Nonsense { what: String::new() })]), Verdict::Invalid(_)));
    }
}
