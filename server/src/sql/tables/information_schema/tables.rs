//! `information_schema.tables`: every table, in MySQL's shape.

use unum_proto::model::{DataType, Row, Value};

use crate::sql::syntax::names::{CATALOG, INFORMATION_SCHEMA};
use crate::sql::tables::view::{Listed, Reads, SystemTable, View};

/// Every table there is.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "tables",
    comment: "every table there is",
    columns: &[
        ("TABLE_CATALOG", DataType::Text, "always def"),
        ("TABLE_SCHEMA", DataType::Text, "its schema"),
        ("TABLE_NAME", DataType::Text, "its name"),
        ("TABLE_TYPE", DataType::Text, "BASE TABLE for pushed tables, SYSTEM VIEW for others"),
        ("ENGINE", DataType::Text, "always Unum"),
        ("VERSION", DataType::Int64, "always NULL"),
        ("ROW_FORMAT", DataType::Text, "always NULL"),
        ("TABLE_ROWS", DataType::UInt64, "its rows, where that is known without reading it"),
        ("AVG_ROW_LENGTH", DataType::UInt64, "always NULL"),
        ("DATA_LENGTH", DataType::UInt64, "bytes of a cluster table's values"),
        ("MAX_DATA_LENGTH", DataType::UInt64, "always NULL"),
        ("INDEX_LENGTH", DataType::UInt64, "always 0"),
        ("DATA_FREE", DataType::UInt64, "always 0"),
        ("AUTO_INCREMENT", DataType::UInt64, "always NULL"),
        ("CREATE_TIME", DataType::Timestamp, "always NULL"),
        ("UPDATE_TIME", DataType::Timestamp, "when the leader took in the newest of its rows"),
        ("CHECK_TIME", DataType::Timestamp, "always NULL"),
        ("TABLE_COLLATION", DataType::Text, "always utf8mb4_bin"),
        ("CHECKSUM", DataType::UInt64, "always NULL"),
        ("CREATE_OPTIONS", DataType::Text, "always empty"),
        ("TABLE_COMMENT", DataType::Text, "what it is"),
    ],
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let row = |table: Listed<'_>| -> Row {
        let rows = table.rows(&view.own);
        let kind = if rows.is_some() { "BASE TABLE" } else { "SYSTEM VIEW" };
        vec![
            CATALOG.into(),
            table.schema.into(),
            table.name.as_str().into(),
            kind.into(),
            "Unum".into(),
            Value::Null,
            Value::Null,
            rows.into(),
            Value::Null,
            table.bytes().into(),
            Value::Null,
            0u64.into(),
            0u64.into(),
            Value::Null,
            Value::Null,
            table.received_at_us(&view.own).map_or(Value::Null, Value::Timestamp),
            Value::Null,
            "utf8mb4_bin".into(),
            Value::Null,
            "".into(),
            table.comment.as_str().into(),
        ]
    };
    view.list().into_iter().map(row).collect()
}
