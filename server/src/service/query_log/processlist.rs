//! `processlist`: the queries that run, with TiDB's columns.

use unum_proto::model::{DataType, Row, Value, limits};

use super::handle::QueryHandle;

/// One row a query, by id.
pub const COLUMNS: &[(&str, DataType, &str)] = &[
    ("id", DataType::UInt64, "the query; what KILL QUERY takes"),
    ("user", DataType::Text, "who asks, as the client says"),
    ("host", DataType::Text, "the client's address"),
    ("db", DataType::Text, "the schema of names without one"),
    ("command", DataType::Text, "always Query"),
    ("time", DataType::Int64, "seconds since it began"),
    ("state", DataType::Text, "how far it is"),
    ("info", DataType::Text, "the statement, its first 4096 bytes, or fewer while very many run"),
    ("digest", DataType::Text, "the digest of the statement"),
    ("mem", DataType::UInt64, "bytes that its operators hold"),
    ("disk", DataType::UInt64, "always 0: nothing is spilled"),
    ("txnstart", DataType::Text, "always NULL"),
    ("resource_group", DataType::Text, "always NULL"),
    ("session_alias", DataType::Text, "always NULL"),
    ("rows_affected", DataType::UInt64, "rows sent so far"),
    ("tidb_cpu", DataType::Int64, "always NULL"),
    ("tikv_cpu", DataType::Int64, "always NULL"),
];

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

pub(super) fn row(query: &QueryHandle, info_bytes_max: usize) -> Row {
    let request = &query.request;
    vec![
        query.id.into(),
        request.user.as_str().into(),
        request.host.as_str().into(),
        request.schema.as_str().into(),
        "Query".into(),
        i64::try_from(query.started.elapsed().as_secs()).unwrap_or(i64::MAX).into(),
        query.stage().into(),
        cut(query.text(), info_bytes_max).into(),
        query.digest().map(|digest| digest.id.as_str()).into(),
        (query.memory.bytes() as u64).into(),
        0u64.into(),
        Value::Null,
        Value::Null,
        Value::Null,
        query.rows().into(),
        Value::Null,
        Value::Null,
    ]
}
