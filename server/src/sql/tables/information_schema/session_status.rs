//! `information_schema.session_status`: what SHOW STATUS shows of the answering replica.

use unum_proto::model::Row;
use unum_proto::typed_rows;

use crate::sql::syntax::names::INFORMATION_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(name: &str, value: String) {}
    "VARIABLE_NAME": Text, "its name" => name;
    "VARIABLE_VALUE": Text, "its value" => value;
}

/// Counters of the answering replica.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "session_status",
    comment: "counters of the answering replica",
    columns: COLUMNS,
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    view.live.status().into_iter().map(|(name, value)| row(name, value)).collect()
}
