//! The query log: what this replica runs and ran, the queries that run now, the slow ones, and all of them by digest.
//!
//! It owns the ids of queries, their end by KILL, and the bound on how many run at a time. It keeps everything in
//! memory; the replica publishes it as tables ([`QueryLog::running_table`], [`QueryLog::history_tables`]), which makes it part of the catalog.

mod end;
mod handle;
mod log;
pub mod processlist;
pub mod slow_query;
pub mod statements_summary;

pub use self::end::{End, EndSignal};
pub use self::handle::{QueryHandle, Request};
pub use self::log::{HistoryMark, Options, QueryLog, TooMany, Tracked};
