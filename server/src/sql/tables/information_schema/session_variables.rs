//! `information_schema.session_variables`: the variables of the session, as SHOW VARIABLES shows them.

use unum_proto::model::{DataType, Row};

use crate::sql::syntax::names::INFORMATION_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};
use crate::sql::variables;

/// The variables of the session.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "session_variables",
    comment: "the variables of the session",
    columns: &[
        ("VARIABLE_NAME", DataType::Text, "its name"),
        ("VARIABLE_VALUE", DataType::Text, "its value in this session"),
    ],
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let own = view.own.to_string();
    let all = variables::all(&view.context(&own));
    all.into_iter().map(|(name, value)| vec![name.into(), value.into()]).collect()
}
