//! A question, and what surrounds the answer's rows.

use std::time::Duration;

use super::Invalid;
use super::invalid::at_most;
use super::limits::{QUERY_TIMEOUT_MS_DEFAULT, QUERY_TIMEOUT_MS_MAX, SQL_BYTES_MAX};

/// One SQL statement and how long its caller waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The statement.
    pub sql: String,
    /// From arrival to the last row.
    pub timeout: Duration,
}

impl Query {
    /// A query within its limits; `timeout_ms` 0 is the default.
    pub fn new(sql: String, timeout_ms: u32) -> Result<Self, Invalid> {
        at_most("the statement", sql.len(), SQL_BYTES_MAX, "bytes")?;
        let timeout_ms = match timeout_ms {
            0 => QUERY_TIMEOUT_MS_DEFAULT,
            asked => asked.min(QUERY_TIMEOUT_MS_MAX),
        };
        Ok(Self { sql, timeout: Duration::from_millis(timeout_ms.into()) })
    }
}

/// What is known before the first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultHeader {
    /// The applied Raft index that the answer is a consistent cut at.
    pub revision: u64,
    /// The replica that answered.
    pub replica: u64,
    /// Nodes with rows in the tables that were read, and up.
    pub nodes_up: u32,
    /// Nodes with rows in the tables that were read.
    pub nodes_total: u32,
}

/// What is known after the last row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultFooter {
    /// Rows of the result.
    pub rows: u64,
    /// Time on the server, barrier included.
    pub elapsed: Duration,
}
