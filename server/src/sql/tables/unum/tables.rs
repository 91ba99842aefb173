//! `unum.tables`: what was pushed and what it costs.

use unum_proto::model::{DataType, Row};

use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

/// One row a pushed table, by name.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "tables",
    comment: "every table that nodes pushed, and what it costs",
    columns: &[
        ("name", DataType::Text, "the table; cluster_<name> has all nodes' rows"),
        ("columns", DataType::UInt64, "columns that any node ever pushed"),
        ("nodes", DataType::UInt64, "nodes that push it"),
        ("rows", DataType::UInt64, "rows over all nodes"),
        ("bytes", DataType::UInt64, "bytes of their values"),
    ],
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let row = |(name, table): (&unum_proto::model::TableName, &std::sync::Arc<crate::catalog::Table>)| {
        vec![
            name.as_str().into(),
            (table.schema.columns.len() as u64).into(),
            (table.snapshots.len() as u64).into(),
            (table.rows() as u64).into(),
            table.bytes().into(),
        ]
    };
    view.state.tables.iter().map(row).collect()
}
