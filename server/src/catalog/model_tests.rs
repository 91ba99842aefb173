//! The state against a model that is as naive as can be, over random histories: late, repeated, reordered and foreign
//! pushes, silences, removals, dropped tables. And: a state that was restored from its parts goes on as the one it came from.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use unum_proto::model::{DataType, NodeDescription, NodeKey, Push, PushOutcome, TableSchema, TableSnapshot};

use super::change::CatalogChange;
use super::{Command, NodeStatus, Outcome, Silence, StampedPush, State};

/// One step of a history: few names and small numbers, so that they meet.
#[derive(Debug, Clone)]
enum Step {
    Push { node: u8, epoch: u64, sequence: u64, value: i64, wide: bool },
    Silence { node: u8, epoch: u64, sequence: u64, down: bool },
    Remove { node: u8 },
    Drop { key: u8 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..3u8, 1..4u64, 1..5u64, 0..3i64, any::<bool>())
            .prop_map(|(node, epoch, sequence, value, wide)| Step::Push { node, epoch, sequence, value, wide }),
        1 => (0..3u8, 1..4u64, 1..5u64, any::<bool>())
            .prop_map(|(node, epoch, sequence, down)| Step::Silence { node, epoch, sequence, down }),
        1 => (0..3u8).prop_map(|node| Step::Remove { node }),
        1 => (0..3u8).prop_map(|key| Step::Drop { key }),
    ];
    proptest::collection::vec(step, 1..60)
}

fn key(node: u8) -> NodeKey {
    NodeKey::parse("test", &format!("n{node}")).unwrap()
}

fn command(step: &Step) -> Command {
    match *step {
        Step::Push { node, epoch, sequence, value, wide } => {
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
    changed: BTreeSet<u8>,
    is_table: bool,
}

/// The rules of DESIGN.md's data section, one after the other. Returns whether a push is accepted, and as what.
fn expect(model: &mut Model, revision: u64, step: &Step) -> Option<PushOutcome> {
    let Model { nodes, changed, is_table } = model;
    match *step {
        Step::Push { node, epoch, sequence, value, wide } => {
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
            let expected = expect(&mut model, revision, step);
            let applied = state.apply(revision, command(step));
            if let Some(copy) = &mut copy {
                // As on a replica that got a raft snapshot: the same outcomes, the same hash, at every revision.
                let again = copy.apply(revision, command(step));
                prop_assert_eq!(&again.outcome, &applied.outcome);
                prop_assert_eq!(copy.hash, state.hash);
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
