//! What is legal is not refused, however sick the cluster: it is done, or fails as something that may be asked again.
//!
//! Refused by right are pushes of an agent that another epoch of it may have taken over from by then, copies of what a later
//! push may have superseded, reads before the first push has made the tables, removals of a node whose last push was not
//! acknowledged, and changes where another one may have been first, or is in progress.

use std::collections::BTreeMap;

use super::verdict::{Verdict, judged};
use crate::history::{Action, Operation, Outcome};

/// Judges a history.
pub fn check(history: &[Operation]) -> Verdict {
    let past = Past::of(history);
    let wrong = history.iter().filter(|operation| match operation.outcome {
        Outcome::Refused { end_us, ref why } => !past.excuses(operation, end_us, why),
        _ => false,
    });
    judged(wrong.map(|operation| format!("refused: {operation:?}")).collect())
}

/// Whatever was asked for may have been done from then on.
#[derive(Debug, Default)]
struct Past<'a> {
    /// By node and epoch: when its first push was asked for.
    epochs: BTreeMap<u32, BTreeMap<u32, u64>>,
    /// By node and value: when its push was asked for.
    values: BTreeMap<u32, BTreeMap<u64, u64>>,
    /// By node: its pushes, by when they were asked for.
    pushes: BTreeMap<u32, BTreeMap<u64, &'a Outcome>>,
    /// Changes that were done or may have been.
    changes: Vec<&'a Operation>,
    /// When the first push was acknowledged.
    tables_since: Option<u64>,
}

impl<'a> Past<'a> {
    fn of(history: &'a [Operation]) -> Self {
        let mut past = Self::default();
        for operation in history {
            match operation.action {
                Action::Write { node, value, epoch } => {
                    let begin_us = operation.begin_us;
                    let since = past.epochs.entry(node).or_default().entry(epoch).or_insert(begin_us);
                    *since = begin_us.min(*since);
                    past.values.entry(node).or_default().insert(value, begin_us);
                    past.pushes.entry(node).or_default().insert(begin_us, &operation.outcome);
                    if let Some((end_us, _)) = operation.done() {
                        past.tables_since = Some(past.tables_since.map_or(end_us, |since| since.min(end_us)));
                    }
                }
                Action::Change { .. }
                    if !matches!(operation.outcome, Outcome::Refused { .. } | Outcome::Failed { .. }) =>
                {
                    past.changes.push(operation);
                }
                _ => {}
            }
        }
        past
    }

    /// Whether an operation that was refused at that time may have been.
    fn excuses(&self, operation: &Operation, end_us: u64, why: &str) -> bool {
        match &operation.action {
            Action::Write { node, epoch, .. } => {
                let newer = self.epochs.get(node).into_iter().flat_map(|epochs| epochs.range(epoch + 1..));
                newer.into_iter().any(|(_, since)| *since < end_us)
            }
            Action::Copy { node, value } => {
                let later = self.values.get(node).into_iter().flat_map(|values| values.range(value + 1..));
                later.into_iter().any(|(_, since)| *since < end_us)
            }
            Action::Read { .. } => self.tables_since.is_none_or(|since| since > operation.begin_us),
            Action::Remove { node } => {
                let pushes = self.pushes.get(node);
                let last = pushes.and_then(|pushes| pushes.range(..operation.begin_us).next_back());
                last.is_none_or(|(_, outcome)| !matches!(outcome, Outcome::Done { .. }))
            }
            Action::Change { since } => self.changes.iter().any(|change| {
                let stands_before = change.done().is_none_or(|(_, revision)| {
                    revision > *since || why.starts_with(&format!("change {revision} is in progress"))
                });
                stands_before && change.begin_us < end_us
            }),
            Action::Look { .. } => false,
            Action::Fault { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(begin_us: u64, action: Action, outcome: Outcome) -> Operation {
        Operation { client: 1, begin_us, action, outcome }
    }

    fn done(end_us: u64, revision: u64) -> Outcome {
        Outcome::Done { end_us, revision }
    }

    fn refused(end_us: u64) -> Outcome {
        Outcome::Refused { end_us, why: String::new() }
    }

    fn valid(history: &[Operation]) -> bool {
        check(history) == Verdict::Valid
    }

    #[test]
    fn reads_are_refused_before_the_first_push_only() {
        let write = operation(0, Action::Write { node: 1, value: 1, epoch: 1 }, done(5, 1));
        let read = |begin_us| operation(begin_us, Action::Read { replica: 1, seen: Vec::new() }, refused(9));
        assert!(valid(&[write.clone(), read(4)]));
        assert!(!valid(&[write, read(6)]));
    }

    #[test]
    fn pushes_are_refused_when_a_newer_life_may_have_come() {
        let write =
            |begin_us, epoch, outcome| operation(begin_us, Action::Write { node: 1, value: begin_us, epoch }, outcome);
        assert!(valid(&[write(0, 1, refused(5)), write(3, 2, done(9, 1))]));
        assert!(!valid(&[write(0, 1, refused(5)), write(6, 2, done(9, 1))]), "it came later");
        assert!(!valid(&[write(0, 1, done(5, 1)), write(9, 1, refused(12))]));
    }

    #[test]
    fn copies_are_refused_when_a_later_push_may_have_come() {
        let write =
            |begin_us, value| operation(begin_us, Action::Write { node: 1, value, epoch: 1 }, done(begin_us + 1, 1));
        let copy = operation(10, Action::Copy { node: 1, value: 1 }, refused(20));
        assert!(valid(&[write(0, 1), write(15, 2), copy.clone()]));
        assert!(!valid(&[write(0, 1), write(25, 2), copy]));
    }

    #[test]
    fn a_node_that_is_there_can_be_removed() {
        let write = |outcome| operation(0, Action::Write { node: 1, value: 1, epoch: 1 }, outcome);
        let remove = operation(10, Action::Remove { node: 1 }, refused(20));
        assert!(valid(&[write(Outcome::Failed { why: String::new() }), remove.clone()]));
        assert!(!valid(&[write(done(5, 1)), remove]));
    }

    #[test]
    fn changes_are_refused_when_another_may_have_been_first() {
        let change = |begin_us, since, outcome| operation(begin_us, Action::Change { since }, outcome);
        assert!(valid(&[change(0, 1, done(5, 3)), change(2, 1, refused(9))]));
        assert!(!valid(&[change(0, 1, done(5, 3)), change(7, 3, refused(9))]), "there was none since");
        let waits = Outcome::Refused { end_us: 9, why: "change 3 is in progress and sets x, too".into() };
        assert!(valid(&[change(0, 1, done(5, 3)), change(7, 3, waits.clone())]));
        assert!(!valid(&[change(0, 1, done(5, 2)), change(7, 3, waits)]), "another one is");
        assert!(!valid(&[change(2, 1, refused(9))]));
        assert!(valid(&[change(0, 1, Outcome::Unknown { why: String::new() }), change(2, 1, refused(9))]));
        assert!(!valid(&[change(0, 1, Outcome::Failed { why: String::new() }), change(2, 1, refused(9))]));
    }
}
