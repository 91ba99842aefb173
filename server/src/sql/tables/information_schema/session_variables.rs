//! `information_schema.session_variables`: the variables of the session, as SHOW VARIABLES shows them.

use unum_proto::model::Row;
use unum_proto::typed_rows;

use crate::sql::syntax::names::INFORMATION_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};
use crate::sql::variables;

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(name: &str, value: String) {}
    "VARIABLE_NAME": Text, "its name" => name;
    "VARIABLE_VALUE": Text, "its value in this session" => value;
}

/// The variables of the session.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "session_variables",
    comment: "the variables of the session",
    columns: COLUMNS,
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let own = view.own.to_string();
    variables::all(&view.context(&own)).into_iter().map(|(name, value)| row(name, value)).collect()
}
