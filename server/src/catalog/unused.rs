//! What nobody has anything in any more, and since when.
//!
//! A table that no node has rows in, and a column that has nothing but NULL on all nodes, go after a time. The leader looks for
//! them, and names them in a command; whether it still is so, and for how long, is decided when that is applied.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use unum_proto::model::{ColumnName, TableName, Value};

use super::{State, Table};

/// Since when a table, or some of its columns, are unused: the leader's wall clock, microseconds since the epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unused {
    /// Since when no node has rows in it.
    pub table_since_us: Option<i64>,
    /// Since when these columns have no value.
    pub columns_since_us: BTreeMap<ColumnName, i64>,
}

/// A table, or a column of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The table.
    pub table: TableName,
    /// The column; none is the table itself.
    pub column: Option<ColumnName>,
}

impl Table {
    /// Whether nobody has anything there: no node has rows in the table, or no row a value in the column. A column of a
    /// table without rows is not looked at.
    pub fn is_unused(&self, column: Option<&ColumnName>) -> bool {
        let Some(column) = column else { return self.snapshots.is_empty() };
        let Some(position) = self.schema.position(column.as_str()) else { return false };
        let mut rows = self.snapshots.values().flat_map(|snapshot| &snapshot.rows);
        !self.snapshots.is_empty() && rows.all(|row| row.get(position).is_none_or(|value| *value == Value::Null))
    }
}

impl State {
    /// Since when a place is unused, as far as that was seen.
    pub fn unused_since_us(&self, table: &TableName, column: Option<&ColumnName>) -> Option<i64> {
        let unused = self.unused.get(table)?;
        match column {
            None => unused.table_since_us,
            Some(column) => unused.columns_since_us.get(column).copied(),
        }
    }
}
