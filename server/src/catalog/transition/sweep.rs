//! What is unused for long goes.

use std::sync::Arc;

use unum_proto::model::{CONFIG_TABLE, TableName};

use super::Transition;
use crate::catalog::unused::{Place, Unused};
use crate::catalog::{Hashed, RecordKey};

impl Transition<'_> {
    /// Takes down which of these places are unused since now, and takes away what is so since `before_us`; says how many went.
    pub(super) fn sweep(&mut self, places: &[Place], before_us: i64) -> u32 {
        let mut gone = 0;
        for place in places {
            let Place { table: name, column } = place;
            let Some(table) = self.state.tables.get(name) else {
                self.put_unused(name, Unused::default());
                continue;
            };
            let is_unused = name.as_str() != CONFIG_TABLE && table.is_unused(column.as_ref());
            let since = self.state.unused_since_us(name, column.as_ref());
            match (is_unused, since) {
                (true, Some(since)) if since <= before_us => {
                    let taken = match column {
                        None => self.remove_table(name),
                        // The only column stays with its table.
                        Some(column) => self.drop_column(name, column, true).unwrap_or(false),
                    };
                    gone += u32::from(taken);
                    self.mark_used(place);
                }
                (true, Some(_)) => {}
                (true, None) => self.mark(place, Some(self.at_us)),
                (false, _) => self.mark_used(place),
            }
        }
        gone
    }

    /// Nothing is known of its use: its time begins anew when it is found unused.
    pub(super) fn mark_used(&mut self, place: &Place) {
        self.mark(place, None);
    }

    fn mark(&mut self, place: &Place, since_us: Option<i64>) {
        let mut unused = self.state.unused.get(&place.table).map_or_else(Unused::default, |of| of.value().clone());
        match (&place.column, since_us) {
            (None, since_us) => unused.table_since_us = since_us,
            (Some(column), Some(since_us)) => {
                unused.columns_since_us.insert(column.clone(), since_us);
            }
            (Some(column), None) => {
                unused.columns_since_us.remove(column);
            }
        }
        self.put_unused(&place.table, unused);
    }

    /// What is known of a table's use; nothing is no record.
    pub(super) fn put_unused(&mut self, table: &TableName, unused: Unused) {
        let before = self.state.unused.get(table).cloned();
        if before.as_ref().map_or(&Unused::default(), |before| before.value()) == &unused {
            return;
        }
        let mut added = None;
        if unused == Unused::default() {
            self.state.unused.remove(table);
        } else {
            let unused = Hashed::unused(table, unused);
            added = Some(unused.hash());
            self.state.unused.insert(table.clone(), Arc::new(unused));
        }
        self.state.rehash(before.map(|before| before.hash()), added);
        self.changes.insert(RecordKey::Unused(table.clone()));
    }
}

#[cfg(test)]
mod tests {
    use unum_proto::model::{DataType, NodeDescription, NodeKey, Push, TableSchema, TableSnapshot, Value};

    use super::*;
    use crate::catalog::{Command, Outcome, Record, StampedPush, State};

    const KEEP_US: i64 = 100;

    struct Cluster(State);

    impl Cluster {
        fn apply(&mut self, command: Command) -> Outcome {
            self.0.apply(self.0.revision + 1, command).outcome
        }

        fn push(&mut self, sequence: u64, b: Value) {
            let schema = TableSchema::of("t", &[("a", DataType::Int64, ""), ("b", DataType::Text, "")]).unwrap();
            let rows = vec![vec![1i64.into(), b]];
            let table = TableSnapshot { schema: schema.into(), rows, collected_at_us: 1 };
            let node = NodeDescription::new(NodeKey::parse("db", "1").unwrap());
            let push = StampedPush::new(Push::new(node, 1, sequence, vec![table]).unwrap());
            self.apply(Command::Pushes { received_at_us: 1, pushes: vec![push] });
        }

        fn sweep(&mut self, at_us: i64, column: Option<&str>) -> u32 {
            let place = Place { table: "t".parse().unwrap(), column: column.map(|column| column.parse().unwrap()) };
            match self.apply(Command::Sweep { at_us, before_us: at_us - KEEP_US, places: vec![place] }) {
                Outcome::Swept { gone } => gone,
                other => panic!("{other:?}"),
            }
        }

        fn columns(&self) -> Option<usize> {
            self.0.tables.values().next().map(|table| table.schema.columns.len())
        }

        fn is_restored(&self) {
            let records = self.0.records().map(|(key, record)| (key.bytes(), record.bytes(&key)));
            let read: Vec<_> = records.map(|(key, bytes)| Record::read(&key, &bytes).unwrap()).collect();
            assert_eq!(State::restore(self.0.revision, read).unwrap().hash, self.0.hash);
        }
    }

    #[test]
    fn a_column_without_values_goes_when_it_was_so_for_long_enough() {
        let mut cluster = Cluster(State::default());
        cluster.push(1, Value::Null);
        assert_eq!((cluster.sweep(1000, Some("b")), cluster.columns()), (0, Some(2)));
        cluster.is_restored();
        // Used in between: the time begins anew.
        cluster.push(2, "x".into());
        assert_eq!(cluster.sweep(1050, Some("b")), 0);
        cluster.push(3, Value::Null);
        assert_eq!((cluster.sweep(1200, Some("b")), cluster.sweep(1299, Some("b"))), (0, 0));
        assert_eq!((cluster.sweep(1300, Some("b")), cluster.columns()), (1, Some(1)));
        assert!(cluster.0.unused.is_empty());
        // What has values never goes, whoever names it, and neither does what is not there.
        assert_eq!((cluster.sweep(2000, Some("a")), cluster.sweep(9000, Some("a"))), (0, 0));
        assert_eq!((cluster.sweep(2000, Some("c")), cluster.sweep(9000, Some("c"))), (0, 0));
        assert_eq!((cluster.sweep(2000, None), cluster.sweep(9000, None)), (0, 0));
        cluster.push(4, "y".into());
        assert_eq!(cluster.columns(), Some(2));
        cluster.is_restored();
    }

    #[test]
    fn a_table_whose_nodes_are_gone_goes_too() {
        let mut cluster = Cluster(State::default());
        cluster.push(1, "x".into());
        cluster.apply(Command::RemoveNode { at_us: 1, node: NodeKey::parse("db", "1").unwrap() });
        assert_eq!((cluster.sweep(1000, None), cluster.columns()), (0, Some(2)));
        assert_eq!((cluster.sweep(1099, None), cluster.sweep(1100, None)), (0, 1));
        assert_eq!((cluster.columns(), cluster.0.unused.len()), (None, 0));
        cluster.is_restored();
    }
}
