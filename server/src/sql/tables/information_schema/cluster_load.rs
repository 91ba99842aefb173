//! `information_schema.cluster_load`: how busy each node's host is, in TiDB's shape.

use super::{cluster_hardware, pushed};
use crate::sql::syntax::names::INFORMATION_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable};

/// How busy each node's host is.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "cluster_load",
    comment: "how busy each node's host is",
    columns: cluster_hardware::COLUMNS,
    reads: Reads::Pushed("load"),
    rows: |view| pushed::rows(view, "load", TABLE.columns),
};
