//! Every bound on what comes from outside, with its reason.

/// Characters in a node type or node id: fits a hostname label, and keys stay short.
pub const NODE_NAME_CHARS_MAX: usize = 64;

/// Characters in a table or column name: MySQL's own limit.
pub const IDENTIFIER_CHARS_MAX: usize = 64;

/// Columns in one table. The widest table known (TiDB's slow query) has fewer than 100.
pub const COLUMNS_MAX: usize = 512;

/// Rows in one table snapshot: a processlist of a very busy instance, many times over.
pub const SNAPSHOT_ROWS_MAX: usize = 10_000;

/// Bytes of one row as the catalog keeps it.
pub const ROW_BYTES_MAX: usize = 64 * 1024;

/// Table snapshots in one push.
pub const PUSH_TABLES_MAX: usize = 64;

/// Bytes of why a table was left out of a push.
pub const REFUSAL_BYTES_MAX: usize = 1024;

/// Bytes of one push as encoded on the wire. One push is one part of one Raft entry, so this also bounds
/// the largest entry.
pub const PUSH_BYTES_MAX: usize = 512 * 1024;

/// Labels of one node.
pub const LABELS_MAX: usize = 64;

/// Characters in a label's name or value, in an ip or in a version.
pub const DESCRIPTION_CHARS_MAX: usize = 256;

/// Characters in the id of a publisher's instance: a UUID, several times over.
pub const INSTANCE_ID_CHARS_MAX: usize = 128;

/// The largest epoch of a push: what comes after it still is one.
pub const EPOCH_MAX: u64 = i64::MAX as u64;

/// Bytes of one message between a client and a replica, in either direction.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of one SQL statement.
pub const SQL_BYTES_MAX: usize = 256 * 1024;

/// How long a query may wait and run when the caller names no time.
pub const QUERY_TIMEOUT_MS_DEFAULT: u32 = 10_000;

/// The longest time that a caller may ask for.
pub const QUERY_TIMEOUT_MS_MAX: u32 = 600_000;

/// How long a node may be silent before it is called stale, when it does not say: a few missed pushes of the slowest
/// usual interval.
pub const TTL_MS_DEFAULT: u32 = 15_000;

/// The shortest TTL: the leader looks several times within it.
pub const TTL_MS_MIN: u32 = 500;

/// The longest: a day.
pub const TTL_MS_MAX: u32 = 86_400_000;

/// Variables that one session sets.
pub const SESSION_VARIABLES_MAX: usize = 64;

/// Warnings of one statement. More are counted, not listed.
pub const SESSION_WARNINGS_MAX: usize = 64;

/// Bytes of one warning.
pub const WARNING_BYTES_MAX: usize = 1024;

/// Bytes of a config key. The longest known ones (TiKV's) have fewer than 100.
pub const CONFIG_KEY_BYTES_MAX: usize = 256;

/// Bytes of a config value.
pub const CONFIG_VALUE_BYTES_MAX: usize = 4096;

/// Bytes of why a config value was not set.
pub const CONFIG_ERROR_BYTES_MAX: usize = 1024;

/// What a node reports at once of its configuration.
pub const CONFIG_REPORTS_MAX: usize = 256;

/// Characters of a change key.
pub const CHANGE_KEY_CHARS_MAX: usize = 64;

/// Values that are bound to the parameters of one statement.
pub const PARAMETERS_MAX: usize = 10_000;

/// The longest that a statement may wait for nodes: `WAIT 1h`.
pub const WAIT_MS_MAX: u64 = 60 * 60 * 1000;
