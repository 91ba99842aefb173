//! The Raft group: one log, the same state on every replica, and reads that are never stale.
//!
//! This is the only place that names openraft.
//!
//! - [`Group`] is the handle that `service` and `rpc` hold: propose a command, take a read barrier, ask who leads.
//! - `log_store` keeps the log and the vote, `state_machine` applies entries and keeps the catalog's records,
//!   `raft_snapshot` turns a state into bytes and back.
//! - [`ReadBarrier`] is the coalesced ReadIndex: the arrival order of queries and rounds is what makes it right.
//! - [`transport`] carries messages between replicas.
//!
//! It does not know SQL, nor what a command means: the catalog does.

#[cfg(test)]
mod conformance;
mod entry;
mod error;
mod group;
mod log_store;
mod membership;
mod raft_snapshot;
mod read_barrier;
mod records;
mod state_machine;
pub mod transport;
mod types;

pub use error::{BarrierError, ProposeError, StartError};
pub use group::{Group, Options, StateReader};
pub use membership::{Member, Members, Role};
pub use read_barrier::ReadBarrier;
