//! `information_schema.cluster_statements_summary`: the statements of every node by digest, in TiDB's shape.

use unum_proto::model::DataType;

use super::pushed;
use crate::sql::syntax::names::INFORMATION_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable};

/// The statements of every node by digest.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "cluster_statements_summary",
    comment: "the statements of every node by digest",
    columns: &[
        ("INSTANCE", DataType::Text, "the node: its label instance, or its id"),
        ("SUMMARY_BEGIN_TIME", DataType::Timestamp, "begin of the window"),
        ("SUMMARY_END_TIME", DataType::Timestamp, "end of the window"),
        ("STMT_TYPE", DataType::Text, "kind of statement"),
        ("SCHEMA_NAME", DataType::Text, "the schema of names without one"),
        ("DIGEST", DataType::Text, "the digest"),
        ("DIGEST_TEXT", DataType::Text, "the normalised statement"),
        ("TABLE_NAMES", DataType::Text, "tables read"),
        ("INDEX_NAMES", DataType::Text, "indexes used"),
        ("SAMPLE_USER", DataType::Text, "one of those who asked"),
        ("EXEC_COUNT", DataType::UInt64, "how often it ran"),
        ("SUM_ERRORS", DataType::UInt64, "how often it failed"),
        ("SUM_WARNINGS", DataType::UInt64, "its warnings"),
        ("SUM_LATENCY", DataType::UInt64, "nanoseconds in all"),
        ("MAX_LATENCY", DataType::UInt64, "nanoseconds, the longest"),
        ("MIN_LATENCY", DataType::UInt64, "nanoseconds, the shortest"),
        ("AVG_LATENCY", DataType::UInt64, "nanoseconds on average"),
        ("AVG_PARSE_LATENCY", DataType::UInt64, "nanoseconds of parsing on average"),
        ("MAX_PARSE_LATENCY", DataType::UInt64, "nanoseconds of parsing, the longest"),
        ("AVG_COMPILE_LATENCY", DataType::UInt64, "nanoseconds of planning on average"),
        ("MAX_COMPILE_LATENCY", DataType::UInt64, "nanoseconds of planning, the longest"),
        ("AVG_MEM", DataType::UInt64, "bytes held on average"),
        ("MAX_MEM", DataType::UInt64, "the most bytes held"),
        ("AVG_RESULT_ROWS", DataType::Int64, "rows on average"),
        ("MAX_RESULT_ROWS", DataType::Int64, "the most rows"),
        ("MIN_RESULT_ROWS", DataType::Int64, "the fewest rows"),
        ("AVG_AFFECTED_ROWS", DataType::Float64, "rows changed on average"),
        ("FIRST_SEEN", DataType::Timestamp, "the first one in the window"),
        ("LAST_SEEN", DataType::Timestamp, "the last one in the window"),
        ("PLAN_IN_CACHE", DataType::Bool, "whether its plan is cached"),
        ("PLAN_CACHE_HITS", DataType::UInt64, "how often its plan was cached"),
        ("QUERY_SAMPLE_TEXT", DataType::Text, "one of the statements"),
        ("PLAN_DIGEST", DataType::Text, "the digest of its plan"),
        ("PLAN", DataType::Text, "its plan"),
    ],
    reads: Reads::Pushed("statements_summary"),
    rows: |view| pushed::rows(view, "statements_summary", TABLE.columns),
};
