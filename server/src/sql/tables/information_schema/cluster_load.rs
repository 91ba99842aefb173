//! `information_schema.cluster_load`: how busy each node's host is, in TiDB's shape.

use unum_proto::model::DataType;

use super::pushed;
use crate::sql::tables::{INFORMATION_SCHEMA, Reads, SystemTable};

/// How busy each node's host is.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "cluster_load",
    comment: "how busy each node's host is",
    columns: &[
        ("TYPE", DataType::Text, "type of the node"),
        ("INSTANCE", DataType::Text, "the node: its label instance, or its id"),
        ("DEVICE_TYPE", DataType::Text, "cpu, memory, disk, net, io or psi"),
        ("DEVICE_NAME", DataType::Text, "which of them"),
        ("NAME", DataType::Text, "what is told of it"),
        ("VALUE", DataType::Text, "its value as text"),
    ],
    reads: Reads::Pushed("load"),
    rows: |view| pushed::rows(view, "load", TABLE.columns),
};
