//! `processlist`: the queries that run, with TiDB's columns.

use unum_proto::model::limits;
use unum_proto::model::typed::Null;
use unum_proto::typed_rows;

use super::handle::QueryHandle;

typed_rows! {
    /// One row a query, by id.
    pub const COLUMNS;
    pub(super) fn row(query: &QueryHandle, info_bytes_max: usize) {
        let request = &query.request;
    }
    "id": UInt64, "the query; what KILL QUERY takes" => query.id;
    "user": Text, "who asks, as the client says" => request.user.as_str();
    "host": Text, "the client's address" => request.host.as_str();
    "db": Text, "the schema of names without one" => request.schema.as_str();
    "command": Text, "always Query" => "Query";
    "time": Int64, "seconds since it began" => i64::try_from(query.started.elapsed().as_secs()).unwrap_or(i64::MAX);
    "state": Text, "how far it is" => query.stage();
    "info": Text, "the statement, its first 4096 bytes, or fewer while very many run" => cut(query.text(), info_bytes_max);
    "digest": Text, "the digest of the statement" => query.digest().map(|digest| digest.id.as_str());
    "mem": UInt64, "bytes that its operators hold" => query.memory.bytes() as u64;
    "disk": UInt64, "always 0: nothing is spilled" => 0u64;
    "txnstart": Text, "always NULL" => Null;
    "resource_group": Text, "always NULL" => Null;
    "session_alias": Text, "always NULL" => Null;
    "rows_affected": UInt64, "rows sent so far" => query.rows();
    "tidb_cpu": Int64, "always NULL" => Null;
    "tikv_cpu": Int64, "always NULL" => Null;
}

/// Bytes of a statement that a row shows.
pub(super) const INFO_BYTES_MAX: usize = 4096;

/// Bytes of all statements that the pushed table shows: half a push.
const PUSHED_INFO_BYTES_MAX: usize = limits::PUSH_BYTES_MAX / 2;

/// How much of each statement may be in a push of so many.
pub(super) fn pushed_info_bytes(queries: usize) -> usize {
    INFO_BYTES_MAX.min(PUSHED_INFO_BYTES_MAX / queries.max(1))
}

/// A statement cut to a length.
pub(super) fn cut(sql: &str, bytes_max: usize) -> &str {
    &sql[..sql.floor_char_boundary(bytes_max)]
}
