//! `information_schema.tables`: every table, in MySQL's shape.

use unum_proto::model::typed::Null;
use unum_proto::model::{NodeKey, Row};
use unum_proto::typed_rows;

use crate::sql::syntax::names::{CATALOG, INFORMATION_SCHEMA};
use crate::sql::tables::view::{Listed, Reads, SystemTable, View};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(own: &NodeKey, table: &Listed<'_>) {
        let rows = table.rows(own);
        let kind = if rows.is_some() { "BASE TABLE" } else { "SYSTEM VIEW" };
    }
    "TABLE_CATALOG": Text, "always def" => CATALOG;
    "TABLE_SCHEMA": Text, "its schema" => table.schema;
    "TABLE_NAME": Text, "its name" => &table.name;
    "TABLE_TYPE": Text, "BASE TABLE for pushed tables, SYSTEM VIEW for others" => kind;
    "ENGINE": Text, "always Unum" => "Unum";
    "VERSION": Int64, "always NULL" => Null;
    "ROW_FORMAT": Text, "always NULL" => Null;
    "TABLE_ROWS": UInt64, "its rows, where that is known without reading it" => rows;
    "AVG_ROW_LENGTH": UInt64, "bytes of a row of a cluster table, on average" => average(table.bytes(), rows);
    "DATA_LENGTH": UInt64, "bytes of a cluster table's values" => table.bytes();
    "MAX_DATA_LENGTH": UInt64, "always NULL" => Null;
    "INDEX_LENGTH": UInt64, "always 0" => 0u64;
    "DATA_FREE": UInt64, "always 0" => 0u64;
    "AUTO_INCREMENT": UInt64, "always NULL" => Null;
    "CREATE_TIME": Timestamp, "always NULL" => Null;
    "UPDATE_TIME": Timestamp, "when the leader took in the newest of its rows" => table.received_at_us(own);
    "CHECK_TIME": Timestamp, "always NULL" => Null;
    "TABLE_COLLATION": Text, "always utf8mb4_bin" => "utf8mb4_bin";
    "CHECKSUM": UInt64, "always NULL" => Null;
    "CREATE_OPTIONS": Text, "always empty" => "";
    "TABLE_COMMENT": Text, "what it is" => &table.comment;
}

/// Every table there is.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "tables",
    comment: "every table there is",
    columns: COLUMNS,
    reads: Reads::Nothing,
    rows,
};

fn average(bytes: Option<u64>, rows: Option<u64>) -> Option<u64> {
    bytes?.checked_div(rows?)
}

fn rows(view: &View) -> Vec<Row> {
    view.list().iter().map(|table| row(&view.own, table)).collect()
}
