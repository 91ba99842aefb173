//! Linearizability of registers with one writer each, read many at a time.
//!
//! Since a node's values count up and have one writer, the order of its writes is known, and so is which write each read
//! saw. What is left is whether one order of everything agrees with that and with real time: a graph with the edges
//! write i → write i+1, write i → each read that saw i → write i+1, and what ended → what began after it, the last
//! through a chain of moments. It has a cycle exactly if there is no such order. A read of many registers is one vertex,
//! so a torn cut is a cycle.
//!
//! A write of unknown outcome takes part only if somebody saw it, and then has no end.

use std::collections::BTreeMap;

use super::graph::Graph;
use super::verdict::{SHOWN_MAX, Verdict, judged};
use crate::history::{Action, Operation, Outcome};
use crate::traffic::is_removable;

/// Judges a history.
pub fn check(history: &[Operation]) -> Verdict {
    let writes = match writes(history) {
        Ok(writes) => writes,
        Err(why) => return Verdict::Unknown(why),
    };
    let wrong = seen_and_not_written(history, &writes);
    if !wrong.is_empty() {
        return judged(wrong);
    }
    match graph(history, &writes).cycle() {
        None => Verdict::Valid,
        Some(cycle) => Verdict::Invalid(vec![shown(history, &cycle)]),
    }
}

/// By node and value: the write that took part, by its place in the history.
type Writes = BTreeMap<u32, BTreeMap<u64, usize>>;

/// The writes that took part.
fn writes(history: &[Operation]) -> Result<Writes, String> {
    let mut all = Writes::new();
    for (place, operation) in history.iter().enumerate() {
        if let Action::Write { node, value, .. } = operation.action
            && !is_removable(node)
            && all.entry(node).or_default().insert(value, place).is_some()
        {
            return Err(format!("value {value} of node {node} was written twice: the traffic is wrong"));
        }
    }
    let mut seen: BTreeMap<u32, std::collections::BTreeSet<u64>> = BTreeMap::new();
    for (node, value) in history.iter().flat_map(reads_of) {
        seen.entry(node).or_default().insert(value);
    }
    for (node, of_node) in &mut all {
        of_node.retain(|value, place| match history[*place].outcome {
            Outcome::Done { .. } => true,
            Outcome::Failed { .. } | Outcome::Refused { .. } => false,
            Outcome::Unknown { .. } | Outcome::Nonsense { .. } => {
                seen.get(node).is_some_and(|seen| seen.contains(value))
            }
        });
    }
    Ok(all)
}

/// What an answered read saw, of nodes that nobody removes.
fn reads_of(operation: &Operation) -> impl Iterator<Item = (u32, u64)> + '_ {
    operation.seen().iter().filter(|seen| !is_removable(seen.node)).map(|seen| (seen.node, seen.value))
}

fn seen_and_not_written(history: &[Operation], writes: &Writes) -> Vec<String> {
    let mut wrong = Vec::new();
    for operation in history {
        for (node, value) in reads_of(operation) {
            let written = value == 0 || writes.get(&node).is_some_and(|of_node| of_node.contains_key(&value));
            if !written {
                wrong.push(format!("value {value} of node {node} was read and not written: {operation:?}"));
            }
        }
    }
    wrong
}

fn graph(history: &[Operation], writes: &Writes) -> Graph {
    let takes_part = |place: usize| match &history[place].action {
        Action::Read { .. } => matches!(history[place].outcome, Outcome::Done { .. }),
        Action::Write { node, value, .. } => writes.get(node).is_some_and(|of_node| of_node.contains_key(value)),
        // Nothing of these is in a register.
        Action::Copy { .. } | Action::Remove { .. } | Action::Change { .. } | Action::Look { .. } => false,
        Action::Fault { .. } => false,
    };
    let mut ends: Vec<(u64, usize)> = (0..history.len())
        .filter(|place| takes_part(*place))
        .filter_map(|place| match history[place].outcome {
            Outcome::Done { end_us, .. } => Some((end_us, place)),
            _ => None,
        })
        .collect();
    ends.sort_unstable();
    let moment = |number: usize| (history.len() + number) as u32;
    let mut graph = Graph::new((history.len() + ends.len()) as u32);
    for (number, (_, place)) in ends.iter().enumerate() {
        graph.before(*place as u32, moment(number));
        if number > 0 {
            graph.before(moment(number - 1), moment(number));
        }
    }
    for (place, operation) in history.iter().enumerate().filter(|(place, _)| takes_part(*place)) {
        let ended_before = ends.partition_point(|(end_us, _)| *end_us < operation.begin_us);
        if ended_before > 0 {
            graph.before(moment(ended_before - 1), place as u32);
        }
        for (node, value) in reads_of(operation) {
            let Some(of_node) = writes.get(&node) else { continue };
            if let Some(write) = of_node.get(&value) {
                graph.before(*write as u32, place as u32);
            }
            if let Some((_, next)) = of_node.range(value + 1..).next() {
                graph.before(place as u32, *next as u32);
            }
        }
    }
    for of_node in writes.values() {
        for (earlier, later) in of_node.values().zip(of_node.values().skip(1)) {
            graph.before(*earlier as u32, *later as u32);
        }
    }
    graph
}

/// A cycle, for people: its operations, without the moments between.
fn shown(history: &[Operation], cycle: &[u32]) -> String {
    let operations: Vec<_> = cycle.iter().filter_map(|vertex| history.get(*vertex as usize)).collect();
    let lines: Vec<String> = operations.iter().take(SHOWN_MAX).map(|operation| format!("{operation:?}")).collect();
    format!("{} operations have no order: {}", operations.len(), lines.join(" → "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Seen;

    fn write(begin_us: u64, end_us: u64, node: u32, value: u64) -> Operation {
        let outcome = Outcome::Done { end_us, revision: 0 };
        Operation { client: node, begin_us, action: Action::Write { node, value, epoch: 1 }, outcome }
    }

    fn unknown(begin_us: u64, node: u32, value: u64) -> Operation {
        let outcome = Outcome::Unknown { why: "no answer".into() };
        Operation { client: node, begin_us, action: Action::Write { node, value, epoch: 1 }, outcome }
    }

    fn read(begin_us: u64, end_us: u64, values: &[(u32, u64)]) -> Operation {
        let outcome = Outcome::Done { end_us, revision: 0 };
        let seen = |(node, value): &(u32, u64)| Seen { value: *value, other: *value, ..Seen::nothing(*node) };
        let action = Action::Read { replica: 1, seen: values.iter().map(seen).collect() };
        Operation { client: 9, begin_us, action, outcome }
    }

    fn valid(mut history: Vec<Operation>) -> bool {
        history.sort_by_key(|operation| operation.begin_us);
        check(&history) == Verdict::Valid
    }

    #[test]
    fn reads_follow_what_was_acknowledged_before_them() {
        assert!(valid(vec![write(0, 10, 1, 1), read(11, 12, &[(1, 1)])]));
        assert!(!valid(vec![write(0, 10, 1, 1), read(11, 12, &[(1, 0)])]), "a stale read");
        assert!(valid(vec![write(0, 10, 1, 1), read(5, 12, &[(1, 0)])]), "at the same time");
        assert!(valid(vec![write(0, 10, 1, 1), read(1, 2, &[(1, 1)])]), "before its acknowledgement");
        assert!(!valid(vec![read(1, 2, &[(1, 1)]), write(5, 10, 1, 1)]), "before it was asked for");
    }

    #[test]
    fn no_read_goes_back_behind_another() {
        let writes = [write(0, 10, 1, 1), write(11, 50, 1, 2)];
        let with = |reads: [Operation; 2]| writes.iter().cloned().chain(reads).collect::<Vec<_>>();
        assert!(valid(with([read(12, 20, &[(1, 1)]), read(21, 30, &[(1, 2)])])));
        assert!(!valid(with([read(12, 20, &[(1, 2)]), read(21, 30, &[(1, 1)])])));
        assert!(valid(with([read(12, 25, &[(1, 2)]), read(21, 30, &[(1, 1)])])), "both at the same time");
    }

    #[test]
    fn a_read_of_many_is_one_cut() {
        let writes = [write(0, 100, 1, 1), write(0, 100, 2, 1)];
        let with = |reads: [Operation; 2]| writes.iter().cloned().chain(reads).collect::<Vec<_>>();
        let (one, other) = ([(1, 1), (2, 0)], [(1, 0), (2, 1)]);
        assert!(!valid(with([read(5, 50, &one), read(5, 50, &other)])), "each alone can be, both cannot");
        assert!(valid(with([read(5, 50, &one), read(5, 50, &[(1, 1), (2, 1)])])));
    }

    #[test]
    fn a_write_of_unknown_outcome_counts_where_it_was_seen() {
        assert!(valid(vec![unknown(0, 1, 1), read(50, 60, &[(1, 0)])]));
        assert!(valid(vec![unknown(0, 1, 1), read(50, 60, &[(1, 0)]), read(70, 80, &[(1, 1)])]), "late");
        assert!(!valid(vec![unknown(0, 1, 1), read(50, 60, &[(1, 1)]), read(70, 80, &[(1, 0)])]));
        assert!(!valid(vec![unknown(0, 1, 1), write(10, 20, 1, 2), read(50, 60, &[(1, 1)])]), "overtaken");
        assert!(valid(vec![unknown(0, 1, 1), write(10, 20, 1, 2), read(50, 60, &[(1, 2)])]), "never seen");
    }

    #[test]
    fn what_was_never_written_or_refused_is_not_seen() {
        assert!(!valid(vec![write(0, 10, 1, 1), read(20, 30, &[(1, 7)])]));
        let mut refused = write(0, 10, 1, 1);
        refused.outcome = Outcome::Failed { why: "refused".into() };
        assert!(!valid(vec![refused.clone(), read(20, 30, &[(1, 1)])]));
        assert!(valid(vec![refused, read(20, 30, &[(1, 0)])]));
        let twice = [write(0, 10, 1, 1), write(20, 30, 1, 1)];
        assert!(matches!(check(&twice), Verdict::Unknown(_)));
    }
}
