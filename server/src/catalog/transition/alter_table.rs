//! A column of a pushed table leaves the catalog, or gets another type.

use std::sync::Arc;

use unum_proto::model::{CONFIG_TABLE, ColumnName, DataType, NodeKey, TableName, Value};

use super::Transition;
use crate::catalog::columnar::narrowed;
use crate::catalog::{Hashed, KnownSchema, Place, RecordKey, Snapshot, Table};

impl Transition<'_> {
    /// A column, with its values on all nodes; says whether there was one. An error says why it stays.
    pub(in crate::catalog) fn drop_column(
        &mut self,
        name: &TableName,
        column: &ColumnName,
        if_exists: bool,
    ) -> Result<bool, String> {
        let table = self.alterable(name)?;
        let Some(position) = table.schema.position(column.as_str()) else {
            return if if_exists { Ok(false) } else { Err(no_column(name, column)) };
        };
        let schema = table.schema.without(position).ok_or_else(|| {
            format!("{column} is the only column of cluster_{name}; DROP TABLE cluster_{name} takes both away")
        })?;
        self.altered(name, &table, schema, |row| {
            if row.len() > position {
                row.remove(position);
            }
        });
        self.mark_used(&Place { table: name.clone(), column: Some(column.clone()) });
        Ok(true)
    }

    /// Another type, if all values of all nodes can have it without loss. An error names one that cannot.
    pub(in crate::catalog) fn set_type(
        &mut self,
        name: &TableName,
        column: &ColumnName,
        of: DataType,
    ) -> Result<bool, String> {
        let table = self.alterable(name)?;
        let position = table.schema.position(column.as_str()).ok_or_else(|| no_column(name, column))?;
        let (known, facts) = table.schema.columns_and_facts().nth(position).ok_or_else(|| no_column(name, column))?;
        if known.data_type == of && facts.has_type {
            return Ok(false);
        }
        for (node, snapshot) in &table.snapshots {
            let mut values = snapshot.rows.iter().filter_map(|row| row.get(position));
            if let Some(value) = values.find(|value| narrowed(value, of).is_none()) {
                return Err(cannot_be(name, column, node, value, of));
            }
        }
        let schema = table.schema.with_type(position, of);
        self.altered(name, &table, schema, |row| {
            if let Some(value) = row.get_mut(position) {
                *value = narrowed(value, of).unwrap_or(Value::Null);
            }
        });
        Ok(true)
    }

    fn alterable(&self, name: &TableName) -> Result<Arc<Table>, String> {
        if name.as_str() == CONFIG_TABLE {
            return Err(format!("cluster_{name} is what SET CONFIG goes by and stays as it is"));
        }
        let unknown = || format!("there is no table cluster_{name}; SHOW TABLES lists what there is");
        self.state.tables.get(name).cloned().ok_or_else(unknown)
    }

    /// The table with that schema and with rows that were changed so: what is there already is written anew.
    fn altered(&mut self, name: &TableName, before: &Table, schema: KnownSchema, alter: impl Fn(&mut Vec<Value>)) {
        let schema = Hashed::schema(schema);
        self.state.rehash(Some(before.schema.hash()), Some(schema.hash()));
        self.changes.insert(RecordKey::Schema(name.clone()));
        let mut table = Table::clone(before);
        table.schema = Arc::new(schema);
        for (node, snapshot) in &before.snapshots {
            let mut rows = snapshot.rows.clone();
            rows.iter_mut().for_each(&alter);
            if rows == snapshot.rows {
                continue;
            }
            let altered = Hashed::snapshot(node, name, Snapshot { rows, ..snapshot.value().clone() });
            self.state.rehash(Some(snapshot.hash()), Some(altered.hash()));
            self.changes.insert(RecordKey::Snapshot(node.clone(), name.clone()));
            table.snapshots.insert(node.clone(), Arc::new(altered));
        }
        table.columnar.redrawn();
        self.state.tables.insert(name.clone(), Arc::new(table));
    }
}

fn no_column(table: &TableName, column: &ColumnName) -> String {
    format!("cluster_{table} has no column {column} that nodes pushed; DESC cluster_{table} lists what it has")
}

fn cannot_be(table: &TableName, column: &ColumnName, node: &NodeKey, value: &Value, of: DataType) -> String {
    const CHARS_MAX: usize = 60;
    let shown: String = format!("{value:?}").chars().take(CHARS_MAX).collect();
    format!(
        "{shown} of node {node} in cluster_{table}.{column} is no {of} without loss; MODIFY it to a wider type, or push other rows"
    )
}

#[cfg(test)]
mod tests {
    use unum_proto::model::{NodeDescription, Push, TableSchema, TableSnapshot};

    use super::*;
    use crate::catalog::change::{CatalogChange, Changed};
    use crate::catalog::columnar::local_batch;
    use crate::catalog::{Command, Outcome, StampedPush, State};

    fn state() -> State {
        let mut state = State::default();
        for (id, of, value) in [("1", DataType::Text, Value::from("12")), ("2", DataType::Int64, 7i64.into())] {
            let columns = [("a", of, ""), ("b", DataType::Int64, "")];
            let schema = TableSchema::of("t", &columns).unwrap().into();
            let tables = vec![TableSnapshot { schema, rows: vec![vec![value, 3i64.into()]], collected_at_us: 1 }];
            let push = Push::new(NodeDescription::new(NodeKey::parse("db", id).unwrap()), 1, 1, tables).unwrap();
            state
                .apply(state.revision + 1, Command::Pushes { received_at_us: 2, pushes: vec![StampedPush::new(push)] });
        }
        state
    }

    fn change(state: &mut State, change: CatalogChange) -> Result<Changed, String> {
        let change_key = state.revision.to_string();
        let applied = state.apply(state.revision + 1, Command::Change { at_us: 3, change_key, change });
        // What a store would write is what there is.
        let records = state.records().map(|(key, record)| (key, record.to_owned())).collect::<Vec<_>>();
        assert_eq!(State::restore(state.revision, records).unwrap().hash, state.hash);
        match applied.outcome {
            Outcome::Changed(changed) => changed,
            other => panic!("{other:?}"),
        }
    }

    fn shown(state: &State) -> String {
        let table = state.tables.values().next().unwrap();
        let batch = |node| arrow::util::pretty::pretty_format_batches(&[local_batch(table, node)]).unwrap().to_string();
        table.snapshots.keys().map(batch).collect()
    }

    fn set_type(of: DataType) -> CatalogChange {
        CatalogChange::SetType { table: "t".parse().unwrap(), column: "a".parse().unwrap(), data_type: of }
    }

    fn drop_column(column: &str, if_exists: bool) -> CatalogChange {
        CatalogChange::DropColumn { table: "t".parse().unwrap(), column: column.parse().unwrap(), if_exists }
    }

    #[test]
    fn a_type_is_set_where_all_values_can_have_it() {
        let mut state = state();
        assert_eq!(change(&mut state, set_type(DataType::Int64)), Ok(Changed::Made));
        assert_eq!(change(&mut state, set_type(DataType::Int64)), Ok(Changed::Nothing));
        assert_eq!(state.tables.values().next().unwrap().schema.columns[0].data_type, DataType::Int64);
        assert!(shown(&state).contains("| 12 | 3 |") && shown(&state).contains("| 7 | 3 |"), "{}", shown(&state));
        let before = state.hash;
        let refused = change(&mut state, set_type(DataType::Bool)).unwrap_err();
        assert!(refused.contains("Int64(12) of node db/1 in cluster_t.a is no BOOLEAN without loss"), "{refused}");
        assert_eq!(state.hash, before);
        assert_eq!(change(&mut state, set_type(DataType::Text)), Ok(Changed::Made));
    }

    #[test]
    fn a_column_leaves_with_its_values() {
        let mut state = state();
        assert_eq!(change(&mut state, drop_column("a", false)), Ok(Changed::Made));
        assert!(shown(&state).contains("| 3 |") && !shown(&state).contains("12"), "{}", shown(&state));
        assert!(change(&mut state, drop_column("a", false)).unwrap_err().contains("cluster_t has no column a"));
        assert_eq!(change(&mut state, drop_column("a", true)), Ok(Changed::Nothing));
        assert!(change(&mut state, drop_column("b", false)).unwrap_err().contains("the only column of cluster_t"));
    }
}
