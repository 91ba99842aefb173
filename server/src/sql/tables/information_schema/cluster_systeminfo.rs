//! `information_schema.cluster_systeminfo`: how each node's operating system is set up, in TiDB's shape.

use unum_proto::model::DataType;

use super::pushed;
use crate::sql::syntax::names::INFORMATION_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable};

/// How each node's operating system is set up.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "cluster_systeminfo",
    comment: "how each node's operating system is set up",
    columns: &[
        ("TYPE", DataType::Text, "type of the node"),
        ("INSTANCE", DataType::Text, "the node: its label instance, or its id"),
        ("SYSTEM_TYPE", DataType::Text, "system"),
        ("SYSTEM_NAME", DataType::Text, "sysctl, kernel or os"),
        ("NAME", DataType::Text, "the setting"),
        ("VALUE", DataType::Text, "its value as text"),
    ],
    reads: Reads::Pushed("systeminfo"),
    rows: |view| pushed::rows(view, "systeminfo", TABLE.columns),
};
