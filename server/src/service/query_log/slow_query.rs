//! `slow_query`: the last queries that took longer than `sql.slow_query_threshold_ms`, with TiDB's columns.

use std::collections::VecDeque;

use unum_proto::model::{DataType, Row, Value};

use super::handle::{Ended, QueryHandle};
use super::processlist::cut;

/// One row a query, the oldest first.
pub const COLUMNS: &[(&str, DataType, &str)] = &[
    ("time", DataType::Timestamp, "when it ended"),
    ("user", DataType::Text, "who asked, as the client says"),
    ("host", DataType::Text, "the client's address"),
    ("conn_id", DataType::UInt64, "the query's id"),
    ("query_time", DataType::Float64, "seconds in all"),
    ("wait_ts", DataType::Float64, "seconds of waiting for the read barrier"),
    ("compile_time", DataType::Float64, "seconds of planning"),
    ("db", DataType::Text, "the schema of names without one"),
    ("is_internal", DataType::Bool, "always false"),
    ("digest", DataType::Text, "the digest of the statement"),
    ("mem_max", DataType::Int64, "the most bytes that its operators held"),
    ("result_rows", DataType::Int64, "rows sent"),
    ("succ", DataType::Bool, "whether all rows were sent"),
    ("query", DataType::Text, "the statement, its first 2048 bytes"),
    ("error", DataType::Text, "why it failed"),
];

/// Queries that are kept: a busy hour's worth, and a small part of one push.
const QUERIES_MAX: usize = 100;

/// Bytes of a statement and of an error.
const TEXT_BYTES_MAX: usize = 2048;

/// The ring.
#[derive(Debug, Default)]
pub struct SlowQueries {
    rows: VecDeque<Row>,
    changes: u64,
}

impl SlowQueries {
    pub(super) fn add(&mut self, query: &QueryHandle, ended: &Ended) {
        let request = &query.request;
        let failed = ended.failed.as_deref();
        if self.rows.len() == QUERIES_MAX {
            self.rows.pop_front();
        }
        self.changes += 1;
        self.rows.push_back(vec![
            Value::Timestamp(ended.at_us),
            request.user.as_str().into(),
            request.host.as_str().into(),
            query.id.into(),
            ended.took.as_secs_f64().into(),
            ended.times.barrier.as_secs_f64().into(),
            ended.times.plan.as_secs_f64().into(),
            request.schema.as_str().into(),
            false.into(),
            query.digest().map(|digest| digest.id.as_str()).into(),
            i64::try_from(ended.memory_bytes).unwrap_or(i64::MAX).into(),
            i64::try_from(ended.rows).unwrap_or(i64::MAX).into(),
            failed.is_none().into(),
            cut(query.text(), TEXT_BYTES_MAX).into(),
            failed.map(|why| cut(why, TEXT_BYTES_MAX)).into(),
        ]);
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        self.rows.iter().cloned().collect()
    }

    /// Grows with every change.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }
}
