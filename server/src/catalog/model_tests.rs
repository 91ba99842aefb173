//! The state against a model that is as naive as can be, over random histories: late, repeated, reordered and foreign
//! pushes, publishers that take a name and give it back, silences, removals, dropped tables. And: a state that was restored from its parts goes on as the one it came from.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use unum_proto::model::{
    DataType, Evidence, Instance, NodeDescription, NodeKey, Push, PushOutcome, Registration, TableSchema, TableSnapshot,
};

use super::change::CatalogChange;
use super::{Command, NodeStatus, Outcome, Silence, StampedPush, State};

/// One step of a history: few names and small numbers, so that they meet.
#[derive(Debug, Clone)]
enum Step {
    Push { node: u8, epoch: u64, sequence: u64, value: i64, wide: bool },
    Silence { node: u8, epoch: u64, sequence: u64, down: bool },
    Remove { node: u8 },
    Register { node: u8, instance: u8, take_over: bool },
    Release { node: u8, epoch: u64 },
    Drop { key: u8 },
}

/// In a step, the epoch that the node's publisher was given.
const GIVEN: u64 = 4;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..3u8, 1..=GIVEN, 1..5u64, 0..3i64, any::<bool>())
            .prop_map(|(node, epoch, sequence, value, wide)| Step::Push { node, epoch, sequence, value, wide }),
        1 => (0..3u8, 1..4u64, 1..5u64, any::<bool>())
            .prop_map(|(node, epoch, sequence, down)| Step::Silence { node, epoch, sequence, down }),
        1 => (0..3u8).prop_map(|node| Step::Remove { node }),
        2 => (0..3u8, 0..2u8, any::<bool>())
            .prop_map(|(node, instance, take_over)| Step::Register { node, instance, take_over }),
        1 => (0..3u8, 1..=GIVEN).prop_map(|(node, epoch)| Step::Release { node, epoch }),
        1 => (0..3u8).prop_map(|key| Step::Drop { key }),
    ];
    proptest::collection::vec(step, 1..60)
}

fn key(node: u8) -> NodeKey {
    NodeKey::parse("test", &format!("n{node}")).unwrap()
}

fn command(step: &Step, model: &Model) -> Command {
    match *step {
        Step::Push { node, epoch, sequence, value, wide } => {
            let epoch = model.epoch(node, epoch);
            let columns: &[(&str, DataType, &str)] = &[("value", DataType::Int64, ""), ("extra", DataType::Text, "")];
            let (columns, row) = match wide {
                true => (columns, vec![value.into(), "x".into()]),
                false => (&columns[..1], vec![value.into()]),
            };
            let schema = TableSchema::of("counter", columns).unwrap();
            let table = TableSnapshot { schema: schema.into(), rows: vec![row], collected_at_us: 0 };
            let push = Push::new(NodeDescription::new(key(node)), epoch, sequence, vec![table]).unwrap();
            Command::Pushes { received_at_us: 1, pushes: vec![StampedPush::new(push)] }
        }
        Step::Silence { node, epoch, sequence, down } => {
            let status = if down { NodeStatus::Down } else { NodeStatus::Stale };
            Command::Silences { at_us: 2, silences: vec![Silence { node: key(node), epoch, sequence, status }] }
        }
        Step::Remove { node } => Command::RemoveNode { at_us: 3, node: key(node) },
        Step::Register { node, instance, take_over } => {
            let instance = Instance::new(format!("i{instance}"), Evidence::default()).unwrap();
            Command::Register { at_us: 5, registration: Registration { node: key(node), instance, take_over } }
        }
        Step::Release { node, epoch } => {
            Command::Release { at_us: 5, node: key(node), epoch: model.epoch(node, epoch) }
        }
        Step::Drop { key } => {
            let change = CatalogChange::DropTable { table: "counter".parse().unwrap(), if_exists: true };
            Command::Change { at_us: 4, change_key: format!("k{key}"), change }
        }
    }
}

/// What a node is in the model: its last applied push and the revision of that.
#[derive(Debug, Clone)]
struct Known {
    push: (u64, u64, i64, bool),
    revision: u64,
    status: NodeStatus,
    /// Whether its rows are there: the table may have been dropped since.
    rows: bool,
}

/// What is known of all, and the keys of the changes that were made.
#[derive(Debug, Default)]
struct Model {
    nodes: BTreeMap<u8, Known>,
    /// The epoch that a node's publisher was given, its instance, and whether it has given the name back.
    publishers: BTreeMap<u8, (u64, u8, bool)>,
    changed: BTreeSet<u8>,
    is_table: bool,
}

impl Model {
    fn epoch(&self, node: u8, epoch: u64) -> u64 {
        if epoch == GIVEN { self.publishers.get(&node).map_or(GIVEN, |(given, ..)| *given) } else { epoch }
    }

    /// The epoch that is given; none if the name is another one's.
    fn register(&mut self, revision: u64, node: u8, instance: u8, take_over: bool) -> Option<u64> {
        let pushed = self.nodes.get(&node);
        let known = self.publishers.get(&node).copied();
        if let Some((epoch, holder, released)) = known {
            let silent = pushed.is_some_and(|pushed| pushed.push.0 == epoch && pushed.status != NodeStatus::Up);
            if holder != instance && !released && !silent && !take_over {
                return None;
            }
        }
        let highest = pushed.map_or(0, |pushed| pushed.push.0).max(known.map_or(0, |(epoch, ..)| epoch));
        let epoch = revision.max(highest + 1);
        self.publishers.insert(node, (epoch, instance, false));
        Some(epoch)
    }
}

/// The rules of DESIGN.md's data section, one after the other. Returns whether a push is accepted, and as what.
fn expect(model: &mut Model, revision: u64, step: &Step) -> Option<PushOutcome> {
    let given = |model: &Model, node, epoch| model.epoch(node, epoch);
    let (epoch_of_step, publisher) = match *step {
        Step::Push { node, epoch, .. } | Step::Release { node, epoch } => {
            (given(model, node, epoch), model.publishers.get(&node).copied())
        }
        _ => (0, None),
    };
    let Model { nodes, publishers, changed, is_table } = model;
    match *step {
        Step::Register { .. } => None,
        Step::Release { node, .. } => {
            if let Some((epoch, instance, _)) = publisher.filter(|(epoch, ..)| *epoch == epoch_of_step) {
                publishers.insert(node, (epoch, instance, true));
            }
            None
        }
        Step::Push { node, sequence, value, wide, .. } => {
            let epoch = epoch_of_step;
            if publisher.is_some_and(|(given, ..)| given != epoch) {
                return None;
            }
            let push = (epoch, sequence, value, wide);
            let accepted =
                |revision, duplicate| Some(PushOutcome::Accepted { revision, duplicate, refused: Vec::new() });
            if let Some(known) = nodes.get(&node) {
                if epoch < known.push.0 || (epoch == known.push.0 && known.status == NodeStatus::Removed) {
                    return None;
                }
                if (epoch, sequence) == (known.push.0, known.push.1) {
                    return if push == known.push { accepted(known.revision, true) } else { None };
                }
                if epoch == known.push.0 && sequence < known.push.1 {
                    return None;
                }
            }
            nodes.insert(node, Known { push, revision, status: NodeStatus::Up, rows: true });
            *is_table = true;
            accepted(revision, false)
        }
        Step::Silence { node, epoch, sequence, down } => {
            let known = nodes.get_mut(&node)?;
            if (epoch, sequence) == (known.push.0, known.push.1) && known.status != NodeStatus::Removed {
                known.status = if down { NodeStatus::Down } else { NodeStatus::Stale };
            }
            None
        }
        Step::Remove { node } => {
            if let Some(known) = nodes.get_mut(&node) {
                if known.status != NodeStatus::Removed {
                    publishers.remove(&node);
                }
                known.status = NodeStatus::Removed;
                known.rows = false;
            }
            None
        }
        Step::Drop { key } => {
            if !changed.contains(&key) && *is_table {
                changed.insert(key);
                *is_table = false;
                nodes.values_mut().for_each(|known| known.rows = false);
            }
            None
        }
    }
}

fn restored(state: &State) -> State {
    let records = state.records().map(|(key, record)| (key, record.to_owned()));
    State::restore(state.revision, records).unwrap()
}

proptest! {
    #[test]
    fn the_state_is_what_the_model_says_and_goes_on_from_its_parts(steps in steps(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(steps.len());
        let mut state = State::default();
        let mut copy = None;
        let mut model = Model::default();
        for (position, step) in steps.iter().enumerate() {
            if position == cut {
                copy = Some(restored(&state));
            }
            let revision = position as u64 + 1;
            let command = command(step, &model);
            let registered = match *step {
                Step::Register { node, instance, take_over } => model.register(revision, node, instance, take_over),
                _ => None,
            };
            let expected = expect(&mut model, revision, step);
            let applied = state.apply(revision, command.clone());
            if let Some(copy) = &mut copy {
                // As on a replica that got a raft snapshot: the same outcomes, the same hash, at every revision.
                let again = copy.apply(revision, command);
                prop_assert_eq!(&again.outcome, &applied.outcome);
                prop_assert_eq!(copy.hash, state.hash);
            }
            if let Outcome::Registered(outcome) = &applied.outcome {
                prop_assert_eq!(outcome.as_ref().ok(), registered.as_ref());
            }
            if let Outcome::Pushes(outcomes) = &applied.outcome {
                match (&outcomes[0], expected) {
                    (PushOutcome::Refused { .. }, None) => {}
                    (outcome, Some(expected)) => prop_assert_eq!(outcome, &expected),
                    (outcome, None) => prop_assert!(false, "{:?} was to be refused: {:?}", step, outcome),
                }
            }
        }
        prop_assert_eq!(restored(&state).hash, state.hash, "the hash that is kept up to date is that of the parts");
        prop_assert_eq!(state.tables.len(), usize::from(model.is_table));
        for (node, known) in &model.nodes {
            let key = key(*node);
            prop_assert_eq!(state.nodes[&key].status, known.status);
            let rows = state.tables.values().find_map(|table| table.snapshots.get(&key));
            match known.rows {
                false => prop_assert!(rows.is_none(), "it was removed, or the table was dropped"),
                true => prop_assert_eq!(&rows.unwrap().rows[0][0], &known.push.2.into()),
            }
        }
    }
}
