//! `information_schema.cluster_processlist`: what every node runs now, in TiDB's shape.

use unum_proto::model::DataType;

use super::pushed;
use crate::sql::syntax::names::INFORMATION_SCHEMA;
use crate::sql::tables::view::{Columns, Reads, SystemTable};

/// Whose row it is, then TiDB's columns of a process list.
pub(super) const COLUMNS: Columns = &[
    ("INSTANCE", DataType::Text, "the node: its label instance, or its id"),
    ("ID", DataType::UInt64, "the connection or query; what KILL takes"),
    ("USER", DataType::Text, "who asks"),
    ("HOST", DataType::Text, "from where"),
    ("DB", DataType::Text, "the schema of names without one"),
    ("COMMAND", DataType::Text, "what the connection does"),
    ("TIME", DataType::Int64, "seconds since it began"),
    ("STATE", DataType::Text, "how far it is"),
    ("INFO", DataType::Text, "the statement"),
    ("DIGEST", DataType::Text, "the digest of the statement"),
    ("MEM", DataType::UInt64, "bytes held"),
    ("DISK", DataType::UInt64, "bytes on disk"),
    ("TxnStart", DataType::Text, "when its transaction began"),
    ("RESOURCE_GROUP", DataType::Text, "its resource group"),
    ("SESSION_ALIAS", DataType::Text, "the name that the session gave itself"),
    ("ROWS_AFFECTED", DataType::UInt64, "rows so far"),
    ("TIDB_CPU", DataType::Int64, "nanoseconds of CPU time in TiDB"),
    ("TIKV_CPU", DataType::Int64, "nanoseconds of CPU time in TiKV"),
];

/// What every node runs now, as of its last push.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "cluster_processlist",
    comment: "what every node runs now, as of its last push",
    columns: COLUMNS,
    reads: Reads::Pushed("processlist"),
    rows: |view| pushed::rows(view, "processlist", TABLE.columns),
};
