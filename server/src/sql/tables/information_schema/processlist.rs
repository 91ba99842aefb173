//! `information_schema.processlist`: what the answering replica runs at this moment, in TiDB's shape.

use unum_proto::model::Row;

use super::cluster_processlist;
use crate::sql::syntax::names::INFORMATION_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

/// What the answering replica runs at this moment.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "processlist",
    comment: "what the answering replica runs at this moment",
    // All but whose row it is.
    columns: cluster_processlist::COLUMNS.split_at(1).1,
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    view.live.queries()
}
