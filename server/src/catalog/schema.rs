//! What the catalog knows of a table's columns: beyond their types, whether those are known at all, and since when.
//!
//! A column that never had a value but NULL has no type yet: its publisher could not know it, or had nothing to say. A
//! column whose nodes push different types has the narrowest that holds all values without loss
//! ([`DataType::widened`]). Rows stay as they were pushed, and are read as the column's type.

use std::ops::Deref;

use serde::{Deserialize, Serialize};
use unum_proto::model::{Column, DataType, NodeKey, TableSchema, TableSnapshot, Value};

use super::Table;

/// A table's columns, all that any node ever pushed, in the order of their first push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownSchema {
    schema: TableSchema,
    /// One a column.
    facts: Vec<ColumnFacts>,
}

/// What is known of a column beyond its type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnFacts {
    /// Whether a node ever pushed a value for it. Until then its type is what was said last.
    pub has_type: bool,
    /// The last time that its type became a wider one.
    pub widened: Option<Widened>,
}

/// A column's type became a wider one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Widened {
    /// What it was.
    pub from: DataType,
    /// The revision since which it is wider.
    pub revision: u64,
    /// The leader's wall clock at that revision, microseconds since the epoch.
    pub at_us: i64,
}

impl Deref for KnownSchema {
    type Target = TableSchema;

    fn deref(&self) -> &TableSchema {
        &self.schema
    }
}

impl KnownSchema {
    /// A schema of which nobody has pushed a value.
    pub fn new(schema: TableSchema) -> Self {
        let facts = vec![ColumnFacts::default(); schema.columns.len()];
        Self { schema, facts }
    }

    /// A schema as catalogs before this kept it: its types are those of its values.
    pub fn of_old_record(schema: TableSchema) -> Self {
        let facts = vec![ColumnFacts { has_type: true, widened: None }; schema.columns.len()];
        Self { schema, facts }
    }

    /// Its columns, and what is known of each.
    pub fn columns_and_facts(&self) -> impl Iterator<Item = (&Column, &ColumnFacts)> {
        self.schema.columns.iter().zip(&self.facts)
    }

    /// The same without a column; none if that is the only one.
    pub(super) fn without(&self, position: usize) -> Option<Self> {
        let mut left = self.clone();
        left.schema.columns.remove(position);
        left.facts.remove(position);
        (!left.facts.is_empty()).then_some(left)
    }

    /// The same with another type of a column.
    pub(super) fn with_type(&self, position: usize, of: DataType) -> Self {
        let mut typed = self.clone();
        typed.schema.columns[position].data_type = of;
        typed.facts[position] = ColumnFacts { has_type: true, widened: None };
        typed
    }

    /// What it becomes by a push to its table; none where it stays. An error says why it cannot be: it has too many columns.
    pub(super) fn grown(
        &self,
        table: Option<&Table>,
        pushed: &TableSnapshot,
        node: &NodeKey,
        (revision, at_us): (u64, i64),
    ) -> Result<Option<Self>, String> {
        let mut grown = None;
        for (from, column) in pushed.schema.columns.iter().enumerate() {
            // Nearly all pushes have the columns that the table has, in its order, and a row's values are of their types.
            let at_same = self.schema.columns.get(from).filter(|known| known.name == column.name);
            if at_same.is_some_and(|known| known.data_type == column.data_type) && self.facts[from].has_type {
                continue;
            }
            let values = pushed.rows.iter().filter_map(|row| row.get(from)).filter(|value| **value != Value::Null);
            let Some(position) = self.position(column.name.as_str()) else {
                let of = grown.get_or_insert_with(|| self.clone());
                of.schema.columns.push(column.clone());
                of.facts.push(ColumnFacts { has_type: values.clone().next().is_some(), widened: None });
                continue;
            };
            let (known, facts) = (self.schema.columns[position].data_type, &self.facts[position]);
            let is_first = !facts.has_type && values.clone().next().is_some();
            let becomes = match facts.has_type {
                false if is_first => column.data_type,
                false => known,
                true => known.widened(|| others(table, node, position), values),
            };
            if becomes == known && !is_first {
                continue;
            }
            let of = grown.get_or_insert_with(|| self.clone());
            of.schema.columns[position].data_type = becomes;
            of.facts[position].has_type |= is_first;
            if becomes != known && facts.has_type {
                of.facts[position].widened = Some(Widened { from: known, revision, at_us });
            }
        }
        let Some(grown) = grown else { return Ok(None) };
        // As many columns as there may be, of names that were parsed.
        TableSchema::new(grown.schema.name.clone(), grown.schema.columns.clone())
            .map_err(|invalid| invalid.to_string())?;
        Ok(Some(grown))
    }
}

/// The values of a column on all nodes but the one whose rows are about to go.
fn others<'a>(table: Option<&'a Table>, node: &'a NodeKey, position: usize) -> impl Iterator<Item = &'a Value> {
    let snapshots = table.into_iter().flat_map(|table| &table.snapshots);
    let snapshots = snapshots.filter(move |(owner, _)| *owner != node);
    snapshots.flat_map(move |(_, snapshot)| snapshot.rows.iter().filter_map(move |row| row.get(position)))
}
