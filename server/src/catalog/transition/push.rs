//! A push: refused, or applied once, whole.

use std::sync::Arc;

use unum_proto::model::{CONFIG_TABLE, NodeKey, PushOutcome, Row, TableSchema, TableSnapshot, Value};

use super::Transition;
use crate::base::planted::{Bug, planted};
use crate::catalog::state::{NODES_MAX, TABLES_MAX, TABLES_PER_NODE_MAX};
use crate::catalog::{Hashed, Node, NodeStatus, RecordKey, Snapshot, StampedPush, State, Table, invariants};

impl Transition<'_> {
    pub(super) fn push(&mut self, stamped: StampedPush) -> PushOutcome {
        if let Some(outcome) = self.state.decided_before(&stamped) {
            return outcome;
        }
        let StampedPush { push, content_hash } = stamped;
        if planted(Bug::RefuseLegal) && push.sequence % 5 == 0 {
            return PushOutcome::Refused { message: format!("sequence {}", push.sequence) };
        }
        let content_hash = if planted(Bug::Diverge) { u64::from(std::process::id()) } else { content_hash };
        // All that can refuse comes before all that changes: a push is applied whole or not at all.
        let grown = match self.state.grown_schemas(&push.node.key, &push.tables) {
            Ok(grown) => grown,
            Err(message) => return PushOutcome::Refused { message },
        };
        let key = push.node.key.clone();
        let node = Node {
            description: push.node,
            status: NodeStatus::Up,
            epoch: push.epoch,
            sequence: push.sequence,
            content_hash,
            received_at_us: self.at_us,
            revision: self.state.revision,
            status_since_us: match self.state.nodes.get(&key) {
                Some(known) if known.status == NodeStatus::Up => known.status_since_us,
                _ => self.at_us,
            },
        };
        if !planted(Bug::DropDedup) && !planted(Bug::AcceptOldEpoch) {
            invariants::sequence_advances(self.state.nodes.get(&key), &node);
        }
        if self.state.nodes.len() >= NODES_MAX && !self.state.nodes.contains_key(&key) {
            self.forget_oldest_removed();
        }
        if self.state.nodes.get(&key).is_some_and(|known| known.status != NodeStatus::Up) {
            self.redraw(&key);
        }
        self.put_node(node);
        let applied = if planted(Bug::HalfPush) && push.sequence % 5 == 0 { 1 } else { usize::MAX };
        for (snapshot, grown) in push.tables.into_iter().zip(grown).take(applied) {
            self.put_snapshot(&key, snapshot, grown);
        }
        PushOutcome::Accepted { revision: self.state.revision, duplicate: false }
    }

    fn put_snapshot(&mut self, node: &NodeKey, pushed: TableSnapshot, grown: Option<TableSchema>) {
        let name = pushed.schema.name.clone();
        let schema_before = self.state.tables.get(&name).map(|table| table.schema.hash());
        if schema_before.is_none() {
            self.state
                .tables
                .insert(name.clone(), Arc::new(Table::new(Hashed::schema(TableSchema::clone(&pushed.schema)))));
        }
        // Once a batch it parts from what readers hold; what it changes after that is its own, and is not copied again.
        let table = Arc::make_mut(self.state.tables.get_mut(&name).expect("it was there, or was put there"));
        let mut schema_after = None;
        if let Some(schema) = grown {
            let schema = Hashed::schema(schema);
            schema_after = Some(schema.hash());
            table.schema = Arc::new(schema);
            table.columnar.redrawn();
            self.changes.insert(RecordKey::Schema(name.clone()));
        }
        let snapshot = Snapshot {
            rows: align(&table.schema, &pushed.schema, pushed.rows),
            collected_at_us: pushed.collected_at_us,
            received_at_us: self.at_us,
            revision: self.state.revision,
        };
        invariants::rows_fit(&table.schema, &snapshot);
        let snapshot = Hashed::snapshot(node, &name, snapshot);
        let added = snapshot.hash();
        let before = table.snapshots.insert(node.clone(), Arc::new(snapshot));
        table.columnar.changed(node, before.is_none(), &table.snapshots);
        if let Some(after) = schema_after {
            self.state.rehash(schema_before, Some(after));
        }
        self.state.rehash(before.as_ref().map(|before| before.hash()), Some(added));
        self.changes.insert(RecordKey::Snapshot(node.clone(), name.clone()));
        if name.as_str() == CONFIG_TABLE {
            let table = Arc::clone(&self.state.tables[&name]);
            self.config_pushed(node, &table, before.as_ref());
        }
    }
}

impl State {
    /// The outcome of a push that the node's (epoch, sequence) already decides.
    fn decided_before(&self, stamped: &StampedPush) -> Option<PushOutcome> {
        let push = &stamped.push;
        let key = &push.node.key;
        let Some(node) = self.nodes.get(key) else {
            let full = self.nodes.len() >= NODES_MAX && self.oldest_removed().is_none();
            return full.then(|| PushOutcome::Refused {
                message: format!("node {key} would be one too many; the limit is {NODES_MAX} nodes: remove some"),
            });
        };
        if push.epoch < node.epoch && planted(Bug::AcceptOldEpoch) {
            return None;
        }
        if push.epoch < node.epoch {
            return Some(PushOutcome::Refused {
                message: format!(
                    "node {key} is held by epoch {} (ip {:?}), and this push has the older epoch {}; \
                     two publishers use one name: stop one of them or give it another id",
                    node.epoch, node.description.ip, push.epoch,
                ),
            });
        }
        if push.epoch == node.epoch && node.status == NodeStatus::Removed {
            return Some(PushOutcome::Refused {
                message: format!(
                    "node {key} was removed, and this push has the epoch {} of that time; \
                     restart its agent, which gives it a new epoch",
                    push.epoch,
                ),
            });
        }
        if push.epoch > node.epoch || push.sequence > node.sequence || planted(Bug::DropDedup) {
            return None;
        }
        if push.sequence < node.sequence {
            // Whether that one was applied is not known any more, so it is not called so.
            return Some(PushOutcome::Refused {
                message: format!(
                    "node {key} is at sequence {} of epoch {}, and this push has the earlier sequence {}; \
                     send pushes in order, one after the other's answer",
                    node.sequence, push.epoch, push.sequence,
                ),
            });
        }
        if stamped.content_hash != node.content_hash {
            return Some(PushOutcome::Refused {
                message: format!(
                    "node {key} already pushed other content as epoch {} sequence {}; \
                     a retry repeats the same content, a new push takes the next sequence",
                    push.epoch, push.sequence,
                ),
            });
        }
        Some(PushOutcome::Accepted { revision: node.revision, duplicate: true })
    }

    /// For each pushed table the schema it leads to, or why the push as a whole is refused.
    fn grown_schemas(&self, node: &NodeKey, tables: &[TableSnapshot]) -> Result<Vec<Option<TableSchema>>, String> {
        let unknown = tables.iter().filter(|table| !self.tables.contains_key(&table.schema.name)).count();
        if self.tables.len() + unknown > TABLES_MAX {
            return Err(format!("{unknown} new tables of node {node} are too many; the limit is {TABLES_MAX} tables"));
        }
        let has = |table: &&TableSnapshot| {
            self.tables.get(&table.schema.name).is_some_and(|known| known.snapshots.contains_key(node))
        };
        let first_rows = tables.len() - tables.iter().filter(has).count();
        if first_rows > 0 && self.tables_of(node).len() + first_rows > TABLES_PER_NODE_MAX {
            return Err(format!(
                "{first_rows} more tables of node {node} are too many; the limit is {TABLES_PER_NODE_MAX} tables a node"
            ));
        }
        tables
            .iter()
            .map(|table| match self.tables.get(&table.schema.name) {
                None => Ok(Some(TableSchema::clone(&table.schema))),
                Some(known) => grow(&known.schema, &table.schema),
            })
            .collect()
    }
}

/// The known schema with the pushed one's new columns at its end; none when there are none.
fn grow(known: &TableSchema, pushed: &TableSchema) -> Result<Option<TableSchema>, String> {
    if known == pushed {
        return Ok(None);
    }
    let mut new = Vec::new();
    for column in &pushed.columns {
        match known.position(column.name.as_str()) {
            None => new.push(column.clone()),
            Some(position) if known.columns[position].data_type == column.data_type => {}
            Some(position) => {
                return Err(format!(
                    "{}.{} is {} in the catalog and {} in this push; a column's type never changes: \
                     push it under another name",
                    known.name, column.name, known.columns[position].data_type, column.data_type,
                ));
            }
        }
    }
    if new.is_empty() {
        return Ok(None);
    }
    let columns = known.columns.iter().cloned().chain(new).collect();
    TableSchema::new(known.name.clone(), columns).map(Some).map_err(|invalid| invalid.to_string())
}

/// Rows in the table's column order. Columns that the node did not push are NULL.
fn align(table: &TableSchema, pushed: &TableSchema, rows: Vec<Row>) -> Vec<Row> {
    let same = table.columns.iter().zip(&pushed.columns).all(|(a, b)| a.name == b.name)
        && pushed.columns.len() <= table.columns.len();
    if same {
        return rows;
    }
    let positions: Vec<_> = table.columns.iter().map(|c| pushed.position(c.name.as_str())).collect();
    let align_row = |row: Row| {
        let value = |position: &Option<usize>| position.map_or(Value::Null, |p| row[p].clone());
        positions.iter().map(value).collect()
    };
    rows.into_iter().map(align_row).collect()
}

#[cfg(test)]
mod tests {
    use unum_proto::model::{DataType, NodeDescription, Push};

    use super::*;
    use crate::catalog::{Command, Outcome};

    fn push(id: &str, epoch: u64, sequence: u64, columns: &[(&str, DataType, &str)], row: Row) -> StampedPush {
        let schema = TableSchema::of("load", columns).unwrap();
        let node = NodeDescription::new(NodeKey::parse("tikv", id).unwrap());
        let table = TableSnapshot { schema: schema.into(), rows: vec![row], collected_at_us: 1 };
        StampedPush::new(Push::new(node, epoch, sequence, vec![table]).unwrap())
    }

    fn apply(state: &mut State, push: StampedPush) -> PushOutcome {
        let command = Command::Pushes { received_at_us: 2, pushes: vec![push] };
        match state.apply(state.revision + 1, command).outcome {
            Outcome::Pushes(mut outcomes) => outcomes.remove(0),
            other => panic!("{other:?}"),
        }
    }

    const A: &[(&str, DataType, &str)] = &[("a", DataType::Int64, "")];
    const BA: &[(&str, DataType, &str)] = &[("b", DataType::Text, ""), ("a", DataType::Int64, "")];
    const A_TEXT: &[(&str, DataType, &str)] = &[("a", DataType::Text, "")];

    #[test]
    fn a_push_is_applied_exactly_once() {
        let mut state = State::default();
        let accepted = |revision, duplicate| PushOutcome::Accepted { revision, duplicate };
        let refused = |outcome: PushOutcome, part: &str| match outcome {
            PushOutcome::Refused { message } => assert!(message.contains(part), "{message}"),
            other => panic!("{other:?} instead of a refusal with {part:?}"),
        };
        assert_eq!(apply(&mut state, push("1", 5, 1, A, vec![1i64.into()])), accepted(1, false));
        assert_eq!(apply(&mut state, push("1", 5, 1, A, vec![1i64.into()])), accepted(1, true));
        refused(apply(&mut state, push("1", 5, 1, A, vec![2i64.into()])), "other content as epoch 5 sequence 1");
        refused(apply(&mut state, push("1", 4, 9, A, vec![2i64.into()])), "held by epoch 5");
        assert_eq!(apply(&mut state, push("1", 5, 2, A, vec![2i64.into()])), accepted(5, false));
        refused(apply(&mut state, push("1", 5, 1, A, vec![1i64.into()])), "the earlier sequence 1");
        assert_eq!(apply(&mut state, push("1", 6, 1, A, vec![3i64.into()])), accepted(7, false));
        let table = state.tables.values().next().unwrap();
        assert_eq!(table.snapshots.values().next().unwrap().rows, [[Value::Int64(3)]]);
    }

    #[test]
    fn a_schema_grows_and_never_changes_a_type() {
        let mut state = State::default();
        apply(&mut state, push("1", 1, 1, A, vec![1i64.into()]));
        apply(&mut state, push("2", 1, 1, BA, vec!["x".into(), 2i64.into()]));
        let table = state.tables.values().next().unwrap();
        let names: Vec<_> = table.schema.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let rows: Vec<_> = table.snapshots.values().flat_map(|s| s.rows.clone()).collect();
        assert_eq!(rows, [vec![Value::Int64(1)], vec![Value::Int64(2), "x".into()]]);

        let before = state.nodes.len();
        let outcome = apply(&mut state, push("3", 1, 1, A_TEXT, vec!["x".into()]));
        assert_eq!(
            outcome,
            PushOutcome::Refused {
                message: "load.a is BIGINT in the catalog and TEXT in this push; a column's type never changes: \
                          push it under another name"
                    .into()
            }
        );
        assert_eq!(state.nodes.len(), before, "a refused push leaves nothing behind");
    }
}
