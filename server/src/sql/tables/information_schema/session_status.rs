//! `information_schema.session_status`: what SHOW STATUS shows of the answering replica.

use unum_proto::model::{DataType, Row};

use crate::sql::syntax::names::INFORMATION_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

/// Counters of the answering replica.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "session_status",
    comment: "counters of the answering replica",
    columns: &[("VARIABLE_NAME", DataType::Text, "its name"), ("VARIABLE_VALUE", DataType::Text, "its value")],
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    view.live.status().into_iter().map(|(name, value)| vec![name.into(), value.into()]).collect()
}
