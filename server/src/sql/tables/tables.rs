//! `unum.tables`: what was pushed and what it costs. `information_schema.tables`: every table there is.

use unum_proto::model::{DataType, Row};

use super::{CATALOG, DEFAULT_SCHEMA, INFORMATION_SCHEMA, SystemTable, View};

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

/// One row a table of any schema.
pub static INFORMATION_SCHEMA_TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "tables",
    comment: "every table there is",
    columns: &[
        ("table_catalog", DataType::Text, "always def"),
        ("table_schema", DataType::Text, "its schema"),
        ("table_name", DataType::Text, "its name"),
        ("table_type", DataType::Text, "BASE TABLE for pushed tables, SYSTEM VIEW for others"),
        ("table_rows", DataType::UInt64, "its rows, where that is known without reading it"),
        ("table_comment", DataType::Text, "what it is"),
    ],
    rows: information_schema_rows,
};

fn information_schema_rows(view: &View) -> Vec<Row> {
    let row = |table: super::Listed<'_>| {
        let rows = table.rows(&view.own);
        let kind = if rows.is_some() { "BASE TABLE" } else { "SYSTEM VIEW" };
        vec![
            CATALOG.into(),
            table.schema.into(),
            table.name.as_str().into(),
            kind.into(),
            rows.into(),
            table.comment.as_str().into(),
        ]
    };
    view.list().into_iter().map(row).collect()
}
