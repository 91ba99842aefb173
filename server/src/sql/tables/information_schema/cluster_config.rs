//! `information_schema.cluster_config`: how each node is configured, in TiDB's shape.

use unum_proto::model::{CONFIG_TABLE, DataType};

use super::pushed;
use crate::sql::syntax::names::INFORMATION_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable};

/// How each node is configured.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "cluster_config",
    comment: "how each node is configured",
    columns: &[
        ("TYPE", DataType::Text, "type of the node"),
        ("INSTANCE", DataType::Text, "the node: its label instance, or its id"),
        ("KEY", DataType::Text, "the setting"),
        ("VALUE", DataType::Text, "its value; masked where it is a secret"),
    ],
    reads: Reads::Pushed(CONFIG_TABLE),
    rows: |view| pushed::rows(view, CONFIG_TABLE, TABLE.columns),
};
