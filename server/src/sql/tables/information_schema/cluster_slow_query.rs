//! `information_schema.cluster_slow_query`: the slow statements of every node, in TiDB's shape.

use unum_proto::model::DataType;

use super::pushed;
use crate::sql::syntax::names::INFORMATION_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable};

/// The slow statements of every node.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "cluster_slow_query",
    comment: "the slow statements of every node",
    columns: &[
        ("INSTANCE", DataType::Text, "the node: its label instance, or its id"),
        ("Time", DataType::Timestamp, "when the statement ended"),
        ("Txn_start_ts", DataType::UInt64, "the start of its transaction"),
        ("User", DataType::Text, "who asked"),
        ("Host", DataType::Text, "from where"),
        ("Conn_ID", DataType::UInt64, "the connection or query"),
        ("Session_alias", DataType::Text, "the name that the session gave itself"),
        ("Query_time", DataType::Float64, "seconds in all"),
        ("Parse_time", DataType::Float64, "seconds of parsing"),
        ("Compile_time", DataType::Float64, "seconds of planning"),
        ("Optimize_time", DataType::Float64, "seconds of optimizing"),
        ("Wait_TS", DataType::Float64, "seconds of waiting for a timestamp; Unum: for the read barrier"),
        ("Process_time", DataType::Float64, "seconds of processing in the storage"),
        ("Wait_time", DataType::Float64, "seconds of waiting in the storage"),
        ("Backoff_time", DataType::Float64, "seconds of waiting before retries"),
        ("Request_count", DataType::UInt64, "requests to the storage"),
        ("Total_keys", DataType::UInt64, "keys scanned"),
        ("Process_keys", DataType::UInt64, "keys processed"),
        ("DB", DataType::Text, "the schema of names without one"),
        ("Index_names", DataType::Text, "indexes used"),
        ("Is_internal", DataType::Bool, "whether the node itself asked"),
        ("Digest", DataType::Text, "the digest of the statement"),
        ("Mem_max", DataType::Int64, "the most bytes held"),
        ("Disk_max", DataType::Int64, "the most bytes on disk"),
        ("Result_rows", DataType::Int64, "rows of the result"),
        ("Prepared", DataType::Bool, "whether it was prepared"),
        ("Succ", DataType::Bool, "whether it succeeded"),
        ("Plan_from_cache", DataType::Bool, "whether its plan was cached"),
        ("Plan", DataType::Text, "its plan"),
        ("Plan_digest", DataType::Text, "the digest of its plan"),
        ("Prev_stmt", DataType::Text, "the statement before it"),
        ("Query", DataType::Text, "the statement"),
    ],
    reads: Reads::Pushed("slow_query"),
    rows: |view| pushed::rows(view, "slow_query", TABLE.columns),
};
