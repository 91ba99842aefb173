//! `slow_query`: the last queries that took longer than `sql.slow_query_threshold_ms`, with TiDB's columns.

use std::collections::VecDeque;

use unum_proto::model::Row;
use unum_proto::typed_rows;

use super::handle::{Ended, QueryHandle};
use super::processlist::cut;

typed_rows! {
    /// One row a query, the oldest first.
    pub const COLUMNS;
    fn row(query: &QueryHandle, ended: &Ended) {
        let request = &query.request;
        let failed = ended.failed.as_deref();
    }
    "time": Timestamp, "when it ended" => ended.at_us;
    "user": Text, "who asked, as the client says" => request.user.as_str();
    "host": Text, "the client's address" => request.host.as_str();
    "conn_id": UInt64, "the query's id" => query.id;
    "query_time": Float64, "seconds in all" => ended.took.as_secs_f64();
    "wait_ts": Float64, "seconds of waiting for the read barrier" => ended.times.barrier.as_secs_f64();
    "compile_time": Float64, "seconds of planning" => ended.times.plan.as_secs_f64();
    "db": Text, "the schema of names without one" => request.schema.as_str();
    "is_internal": Bool, "always false" => false;
    "digest": Text, "the digest of the statement" => query.digest().map(|digest| digest.id.as_str());
    "mem_max": Int64, "the most bytes that its operators held" => i64::try_from(ended.memory_bytes).unwrap_or(i64::MAX);
    "result_rows": Int64, "rows sent" => i64::try_from(ended.rows).unwrap_or(i64::MAX);
    "succ": Bool, "whether all rows were sent" => failed.is_none();
    "query": Text, "the statement, its first 2048 bytes" => cut(query.text(), TEXT_BYTES_MAX);
    "error": Text, "why it failed" => failed.map(|why| cut(why, TEXT_BYTES_MAX));
}

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
        if self.rows.len() == QUERIES_MAX {
            self.rows.pop_front();
        }
        self.changes += 1;
        self.rows.push_back(row(query, ended));
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        self.rows.iter().cloned().collect()
    }

    /// Grows with every change.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }
}
