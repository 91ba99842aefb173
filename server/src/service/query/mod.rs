//! A query: barrier, state, SQL. All of it runs on a runtime of its own, so no query can starve Raft; but for what only
//! looks up a few rows ([`lookup`]).
//!
//! A caller that goes away ends its query, and so do KILL and the deadline, also while the caller reads nothing. The
//! caller is told at once; the operators end where they next yield, ask for memory or hand over rows.

mod error;
mod live;
mod lookup;
mod replica;
mod result;
mod service;
mod task;
mod time_limit;

pub use self::error::Error;
pub use self::result::{Head, Part, Parts, ResultStream};
pub use self::service::QueryService;
