//! The checker of registers against a general one (Wing and Gong, as in todc-utils): on random small histories both
//! accept the same and reject the same.

use std::collections::BTreeMap;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::{Action as Event, History};
use todc_utils::specifications::Specification;
use unum_chaos_tests::check::{Verdict, registers};
use unum_chaos_tests::history::{Action, Operation, Outcome, Seen};

const NODES: u32 = 2;
const HISTORIES: u64 = 5_000;

/// Registers as the general checker knows them.
struct Registers;

#[derive(Debug, Clone)]
enum Op {
    Write(u32, u64),
    Read(Vec<(u32, u64)>),
}

impl Specification for Registers {
    type State = BTreeMap<u32, u64>;
    type Operation = Op;

    fn init() -> Self::State {
        BTreeMap::new()
    }

    fn apply(op: &Op, state: &Self::State) -> (bool, Self::State) {
        match op {
            Op::Write(node, value) => {
                // A node's pushes have a sequence: one that comes late is refused, and takes no part.
                let mut next = state.clone();
                let before = next.insert(*node, *value);
                let in_order = before.is_none_or(|before| before < *value);
                (in_order, if in_order { next } else { state.clone() })
            }
            Op::Read(seen) => {
                let legal = seen.iter().all(|(node, value)| state.get(node).copied().unwrap_or(0) == *value);
                (legal, state.clone())
            }
        }
    }
}

/// A history that is often right and often just not: reads look a little before they begin or after they end, or at each
/// node at another moment, and some writes have no known outcome.
fn random_history(seed: u64) -> Vec<Operation> {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut history = Vec::new();
    // When each value of a node took effect.
    let mut effects: BTreeMap<u32, Vec<(u64, u64)>> = BTreeMap::new();
    for node in 0..NODES {
        let mut now = 0;
        for value in 1..=random.random_range(1..5) {
            let begin_us = now + random.random_range(1..30);
            let at = begin_us + random.random_range(0..20);
            let end_us = at + random.random_range(1..20);
            let unknown = random.random_range(0..5) == 0;
            let outcome = match unknown {
                true => Outcome::Unknown { why: String::new() },
                false => Outcome::Done { end_us, revision: 0 },
            };
            if !unknown || random.random() {
                effects.entry(node).or_default().push((at, value));
            }
            let action = Action::Write { node, value, epoch: 1 };
            history.push(Operation { client: node, begin_us, action, outcome });
            now = end_us;
        }
    }
    for client in 0..random.random_range(3..8) {
        let begin_us: u64 = random.random_range(1..120);
        let end_us = begin_us + random.random_range(1..25);
        let off = if random.random() { 30 } else { 0 };
        let mut moment = || random.random_range(begin_us.saturating_sub(off)..=end_us + off);
        let (first, second) = (moment(), moment());
        let torn = random.random();
        let seen = (0..NODES).map(|node| {
            let at = if torn && node > 0 { second } else { first };
            let effects = effects.get(&node).map_or(&[][..], Vec::as_slice);
            let value = effects.iter().rev().find(|(effect, _)| *effect <= at).map_or(0, |(_, value)| *value);
            Seen { value, other: value, ..Seen::nothing(node) }
        });
        let action = Action::Read { replica: 1, seen: seen.collect() };
        history.push(Operation {
            client: 10 + client,
            begin_us,
            action,
            outcome: Outcome::Done { end_us, revision: 0 },
        });
    }
    history.sort_by_key(|operation| operation.begin_us);
    history
}

/// The same for the general checker: what nobody saw of unknown outcome is left out, what was seen ends last.
fn events(history: &[Operation]) -> History<Op> {
    let seen =
        |node: u32, value: u64| history.iter().flat_map(Operation::seen).any(|s| (s.node, s.value) == (node, value));
    // At one moment calls come first: what ends when another begins is at the same time as it.
    let mut events: Vec<(u64, u8, usize, Op)> = Vec::new();
    for (process, operation) in history.iter().enumerate() {
        let (op, end_us) = match (&operation.action, operation.done()) {
            (Action::Write { node, value, .. }, Some((end_us, _))) => (Op::Write(*node, *value), end_us),
            (Action::Write { node, value, .. }, None) if seen(*node, *value) => (Op::Write(*node, *value), u64::MAX),
            (Action::Read { seen, .. }, Some((end_us, _))) => {
                (Op::Read(seen.iter().map(|seen| (seen.node, seen.value)).collect()), end_us)
            }
            _ => continue,
        };
        events.push((operation.begin_us, 0, process, op.clone()));
        events.push((end_us, 1, process, op));
    }
    events.sort_by_key(|(at, kind, ..)| (*at, *kind));
    let event = |(_, kind, process, op)| (process, if kind == 0 { Event::Call(op) } else { Event::Response(op) });
    History::from_actions(events.into_iter().map(event).collect())
}

#[test]
fn the_graph_agrees_with_a_general_checker_on_random_histories() {
    let (mut accepted, mut rejected) = (0, 0);
    for seed in 0..HISTORIES {
        let history = random_history(seed);
        let ours = registers::check(&history) == Verdict::Valid;
        let theirs = WGLChecker::<Registers>::is_linearizable(events(&history));
        assert_eq!(ours, theirs, "seed {seed}: {history:#?}");
        if ours { accepted += 1 } else { rejected += 1 }
    }
    assert!(accepted > HISTORIES / 10 && rejected > HISTORIES / 10, "{accepted} accepted, {rejected} rejected");
}
