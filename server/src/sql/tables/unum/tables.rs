//! `unum.tables`: what was pushed and what it costs.

use unum_proto::model::{Row, TableName};
use unum_proto::typed_rows;

use crate::catalog::Table;
use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(name: &TableName, table: &Table, unused_since_us: Option<i64>) {}
    "name": Text, "the table; cluster_<name> has all nodes' rows" => name.as_str();
    "columns": UInt64, "columns that any node ever pushed" => table.schema.columns.len() as u64;
    "nodes": UInt64, "nodes that push it" => table.snapshots.len() as u64;
    "rows": UInt64, "rows over all nodes" => table.rows() as u64;
    "bytes": UInt64, "bytes of their values" => table.bytes();
    "unused_since": Timestamp, "since when no node has rows in it: it goes when that is limits.unused_kept_ms ago" => unused_since_us;
}

/// One row a pushed table, by name.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "tables",
    comment: "every table that nodes pushed, and what it costs",
    columns: COLUMNS,
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let unused = |name: &TableName| view.state.unused_since_us(name, None);
    view.state.tables.iter().map(|(name, table)| row(name, table, unused(name))).collect()
}
