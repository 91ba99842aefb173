//! `information_schema.cluster_hardware`: what each node's host is made of, in TiDB's shape.

use unum_proto::model::DataType;

use super::pushed;
use crate::sql::syntax::names::INFORMATION_SCHEMA;
use crate::sql::tables::view::{Columns, Reads, SystemTable};

/// TiDB's columns of what is told device by device.
pub(super) const COLUMNS: Columns = &[
    ("TYPE", DataType::Text, "type of the node"),
    ("INSTANCE", DataType::Text, "the node: its label instance, or its id"),
    ("DEVICE_TYPE", DataType::Text, "cpu, memory, disk, net, io or psi"),
    ("DEVICE_NAME", DataType::Text, "which of them"),
    ("NAME", DataType::Text, "what is told of it"),
    ("VALUE", DataType::Text, "its value as text"),
];

/// What each node's host is made of.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "cluster_hardware",
    comment: "what each node's host is made of",
    columns: COLUMNS,
    reads: Reads::Pushed("hardware"),
    rows: |view| pushed::rows(view, "hardware", TABLE.columns),
};
