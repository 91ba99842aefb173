//! A push: refused, or applied once; what is accepted of it, whole.

use std::cmp::Ordering;
use std::sync::Arc;

use unum_proto::model::{
    CONFIG_TABLE, NodeKey, Push, PushOutcome, Row, TableName, TableRefusal, TableSchema, TableSnapshot, Value,
};

use super::Transition;
use crate::base::planted::{Bug, planted};
use crate::catalog::state::{NODES_MAX, TABLES_MAX, TABLES_PER_NODE_MAX};
use crate::catalog::{
    Hashed, KnownSchema, Node, NodeStatus, RecordKey, Snapshot, StampedPush, State, Table, invariants,
};

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
        // All that can refuse comes before all that changes: what is accepted of a push is applied whole or not at all.
        let key = push.node.key.clone();
        let mut refused = push.refused;
        let mut taken = Vec::with_capacity(push.tables.len());
        let names: Vec<TableName> = push.tables.iter().map(|table| table.schema.name.clone()).collect();
        for table in push.tables {
            match self.state.grown_schema(&key, &table, &taken, &names, self.at_us) {
                Ok(grown) => taken.push((table, grown)),
                Err(why) => refused.push(TableRefusal::new(table.schema.name.as_str(), why)),
            }
        }
        if let (true, Some(refusal)) = (push.whole, refused.first()) {
            let message = match refused.len() {
                1 => refusal.why.clone(),
                more => format!("{}; and {} more tables are refused", refusal.why, more - 1),
            };
            return PushOutcome::Refused { message };
        }
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
            refused: refused.clone(),
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
        let new = taken.iter().filter(|(table, _)| !self.state.tables.contains_key(&table.schema.name)).count();
        self.make_room_for_tables(new, &names);
        let applied = if planted(Bug::HalfPush) && push.sequence % 5 == 0 { 1 } else { usize::MAX };
        for (snapshot, grown) in taken.into_iter().take(applied) {
            self.put_snapshot(&key, snapshot, grown);
        }
        PushOutcome::Accepted { revision: self.state.revision, duplicate: false, refused }
    }

    /// Tables that no node has rows in make room for so many new ones.
    fn make_room_for_tables(&mut self, new: usize, pushed: &[TableName]) {
        let over = (self.state.tables.len() + new).saturating_sub(TABLES_MAX);
        if over == 0 {
            return;
        }
        let unused: Vec<_> = self.state.unused_tables(pushed).take(over).cloned().collect();
        for name in unused {
            self.remove_table(&name);
        }
    }

    fn put_snapshot(&mut self, node: &NodeKey, pushed: TableSnapshot, grown: Option<KnownSchema>) {
        let name = pushed.schema.name.clone();
        let schema_before = self.state.tables.get(&name).map(|table| table.schema.hash());
        if schema_before.is_none() {
            let schema = KnownSchema::new(TableSchema::clone(&pushed.schema));
            self.state.tables.insert(name.clone(), Arc::new(Table::new(Hashed::schema(schema))));
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
        if let Some(message) = self.other_publisher(push) {
            return Some(PushOutcome::Refused { message });
        }
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
        Some(PushOutcome::Accepted { revision: node.revision, duplicate: true, refused: node.refused.clone() })
    }

    /// Why a push is none of the publisher's that has the name. Where nobody registered it, any may have it.
    fn other_publisher(&self, push: &Push) -> Option<String> {
        let key = &push.node.key;
        let publisher = self.publishers.get(key)?;
        match push.epoch.cmp(&publisher.epoch) {
            Ordering::Equal => None,
            Ordering::Less if planted(Bug::AcceptOldEpoch) => None,
            Ordering::Less => Some(format!(
                "node {key} is held by epoch {} ({}), and this push has the older epoch {}; two publishers use one name: \
                 stop one of them or give it another id",
                publisher.epoch,
                publisher.described(),
                push.epoch,
            )),
            Ordering::Greater => Some(format!(
                "the epoch {} was not given to a publisher of node {key}; a publisher registers, and pushes with the epoch \
                 that it is given",
                push.epoch,
            )),
        }
    }

    /// Tables that no node has rows in, besides those that are pushed now. That of the configuration stays.
    fn unused_tables<'a>(&'a self, pushed: &'a [TableName]) -> impl Iterator<Item = &'a TableName> {
        let unused =
            self.tables.iter().filter(|(name, table)| table.snapshots.is_empty() && name.as_str() != CONFIG_TABLE);
        unused.map(|(name, _)| name).filter(|name| !pushed.contains(name))
    }

    /// The schema that a pushed table leads to, beside those of its push that were taken; none where it stays as it is. An
    /// error says why the table is refused.
    fn grown_schema(
        &self,
        node: &NodeKey,
        pushed: &TableSnapshot,
        taken: &[(TableSnapshot, Option<KnownSchema>)],
        pushed_names: &[TableName],
        at_us: i64,
    ) -> Result<Option<KnownSchema>, String> {
        let name = &pushed.schema.name;
        let known = self.tables.get(name);
        let new = |tables: &mut dyn Iterator<Item = &TableSnapshot>| {
            tables.filter(|table| !self.tables.contains_key(&table.schema.name)).count()
        };
        let taken = || taken.iter().map(|(table, _)| table);
        let tables = self.tables.len() + new(&mut taken());
        if known.is_none() && tables >= TABLES_MAX && tables - self.unused_tables(pushed_names).count() >= TABLES_MAX {
            return Err(format!(
                "table {name} of node {node} would be one too many; the limit is {TABLES_MAX} tables that nodes have rows \
                 in: DROP TABLE those that nobody needs"
            ));
        }
        let has = |table: &TableSnapshot| {
            self.tables.get(&table.schema.name).is_some_and(|known| known.snapshots.contains_key(node))
        };
        let first_rows = taken().filter(|table| !has(table)).count();
        if !has(pushed) && self.tables_of(node).len() + first_rows >= TABLES_PER_NODE_MAX {
            return Err(format!(
                "table {name} of node {node} would be one too many; the limit is {TABLES_PER_NODE_MAX} tables a node"
            ));
        }
        match known {
            // A new table's columns have a type where they have a value.
            None => {
                let new = KnownSchema::new(TableSchema::clone(&pushed.schema));
                Ok(Some(new.grown(None, pushed, node, (self.revision, at_us))?.unwrap_or(new)))
            }
            Some(known) => known.schema.grown(Some(known), pushed, node, (self.revision, at_us)),
        }
    }
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
    use unum_proto::model::{DataType, NodeDescription};

    use super::*;
    use crate::catalog::columnar::local_batch;
    use crate::catalog::{Command, Outcome, Widened};

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

    #[test]
    fn a_push_is_applied_exactly_once() {
        let mut state = State::default();
        let accepted = |revision, duplicate| PushOutcome::Accepted { revision, duplicate, refused: Vec::new() };
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
    fn a_schema_grows() {
        let mut state = State::default();
        apply(&mut state, push("1", 1, 1, A, vec![1i64.into()]));
        apply(&mut state, push("2", 1, 1, BA, vec!["x".into(), 2i64.into()]));
        let table = state.tables.values().next().unwrap();
        let names: Vec<_> = table.schema.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let rows: Vec<_> = table.snapshots.values().flat_map(|s| s.rows.clone()).collect();
        assert_eq!(rows, [vec![Value::Int64(1)], vec![Value::Int64(2), "x".into()]]);
    }

    /// The types of `load`, and what its rows are read as, node by node.
    fn shown(state: &State) -> (Vec<DataType>, String) {
        let table = state.tables.values().next().unwrap();
        let types = table.schema.columns.iter().map(|column| column.data_type).collect();
        let batch = |node| arrow::util::pretty::pretty_format_batches(&[local_batch(table, node)]).unwrap().to_string();
        (types, table.snapshots.keys().map(batch).collect())
    }

    #[test]
    fn a_type_becomes_wider_and_old_rows_are_read_as_that() {
        let mut state = State::default();
        let column = |of: DataType| [("a", of, "")];
        let mut pushed = |id: &str, of: DataType, value: Value| {
            let outcome = apply(&mut state, push(id, 1, 1, &column(of), vec![value]));
            assert!(matches!(&outcome, PushOutcome::Accepted { refused, .. } if refused.is_empty()), "{outcome:?}");
            shown(&state)
        };
        // Nobody knows the type of a column that only had NULL, whatever was said of it.
        assert_eq!(pushed("1", DataType::Text, Value::Null).0, [DataType::Text]);
        assert_eq!(pushed("2", DataType::Bool, true.into()).0, [DataType::Bool]);
        assert_eq!(pushed("3", DataType::Int64, 2i64.into()).0, [DataType::Int64]);
        let (types, rows) = pushed("4", DataType::Float64, 1.5.into());
        assert_eq!(types, [DataType::Float64]);
        assert!(["1.0", "2.0", "1.5"].iter().all(|value| rows.contains(value)), "{rows}");
        // Never narrower again.
        assert_eq!(pushed("5", DataType::Int64, 7i64.into()).0, [DataType::Float64]);
        let (types, rows) = pushed("6", DataType::Text, "n/a".into());
        assert_eq!(types, [DataType::Text]);
        assert!(["| 1 ", "| 2 ", "| 1.5 ", "| 7 ", "| n/a "].iter().all(|value| rows.contains(value)), "{rows}");
        let table = state.tables.values().next().unwrap();
        let (_, facts) = table.schema.columns_and_facts().next().unwrap();
        assert_eq!(facts.widened, Some(Widened { from: DataType::Float64, revision: 6, at_us: 2 }));
    }

    /// The node's own rows, which go with the push, do not count.
    #[test]
    fn a_type_is_as_wide_as_what_stays() {
        let mut state = State::default();
        let column = |of: DataType| [("a", of, "")];
        apply(&mut state, push("1", 1, 1, &column(DataType::Int64), vec![(-1i64).into()]));
        apply(&mut state, push("1", 1, 2, &column(DataType::UInt64), vec![u64::MAX.into()]));
        assert_eq!(shown(&state).0, [DataType::UInt64]);
    }

    #[test]
    fn a_refused_table_is_left_out_and_a_retry_is_told_the_same() {
        let mut state = State::default();
        let tables: Vec<_> = (0..TABLES_PER_NODE_MAX).map(|number| table(&format!("t{number}"))).collect();
        for (turn, tables) in tables.chunks(64).enumerate() {
            let push = Push::new(node("1"), 1, turn as u64 + 1, tables.to_vec()).unwrap();
            apply(&mut state, StampedPush::new(push));
        }
        let sequence = state.nodes.values().next().unwrap().sequence + 1;
        let both = Push::new(node("1"), 1, sequence, vec![table("one_more"), table("t7")]).unwrap();
        let whole = StampedPush::new(Push { whole: true, ..both.clone() });
        let before = state.hash;
        match apply(&mut state, whole) {
            PushOutcome::Refused { message } => {
                assert!(message.contains("the limit is 256 tables a node"), "{message}")
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(state.hash, before, "a push that is to be whole leaves nothing behind");
        let first = apply(&mut state, StampedPush::new(both.clone()));
        let PushOutcome::Accepted { revision, duplicate: false, refused } = first else { panic!("{first:?}") };
        assert_eq!(refused.iter().map(|refused| refused.table.as_str()).collect::<Vec<_>>(), ["one_more"]);
        assert_eq!(state.nodes.values().next().unwrap().refused, refused);
        assert_eq!(
            state.tables[&"t7".parse::<TableName>().unwrap()].snapshots.values().next().unwrap().revision,
            revision
        );
        let again = apply(&mut state, StampedPush::new(both));
        assert_eq!(again, PushOutcome::Accepted { revision, duplicate: true, refused });
    }

    #[test]
    fn tables_that_no_node_has_rows_in_make_room() {
        let mut state = State::default();
        let apply_all = |state: &mut State, id: &str, sequence: u64, names: Vec<String>| {
            let tables = names.iter().map(|name| table(name)).collect();
            apply(state, StampedPush::new(Push::new(node(id), 1, sequence, tables).unwrap()))
        };
        const NODES: usize = 4;
        for id in 0..NODES {
            for (turn, names) in (0..TABLES_MAX / NODES).collect::<Vec<_>>().chunks(50).enumerate() {
                let names = names.iter().map(|number| format!("t{id}_{number}")).collect();
                apply_all(&mut state, &id.to_string(), turn as u64 + 1, names);
            }
        }
        assert_eq!(state.tables.len(), TABLES_MAX);
        let refused = apply_all(&mut state, "new", 1, vec!["one_more".into()]);
        assert!(matches!(&refused, PushOutcome::Accepted { refused, .. } if refused.len() == 1), "{refused:?}");
        let remove = Command::RemoveNode { at_us: 3, node: node("1").key };
        state.apply(state.revision + 1, remove);
        let taken = apply_all(&mut state, "new", 2, vec!["one_more".into(), "t1_0".into()]);
        assert!(matches!(&taken, PushOutcome::Accepted { refused, .. } if refused.is_empty()), "{taken:?}");
        assert_eq!(state.tables.len(), TABLES_MAX);
        assert!(state.tables.contains_key(&"t1_0".parse::<TableName>().unwrap()), "what is pushed is not what goes");
        let records = state.records().map(|(key, record)| (key, record.to_owned())).collect::<Vec<_>>();
        assert_eq!(State::restore(state.revision, records).unwrap().hash, state.hash);
    }

    fn node(id: &str) -> NodeDescription {
        NodeDescription::new(NodeKey::parse("tikv", id).unwrap())
    }

    fn table(name: &str) -> TableSnapshot {
        TableSnapshot {
            schema: TableSchema::of(name, A).unwrap().into(),
            rows: vec![vec![1i64.into()]],
            collected_at_us: 1,
        }
    }
}
