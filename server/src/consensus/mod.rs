//! The Raft group: one log, the same state on every replica, and reads that are never stale.
//!
//! This is the only place that names openraft.
//!
//! - [`Group`] is the handle that `service` and `frontend` hold: propose a command, take a read barrier, ask who leads.
//! - `propose` brings commands into the log, here or at the leader.
//! - `log_store` keeps the log and the vote, `state_machine` applies entries and keeps the catalog's records,
//!   `raft_snapshot` turns a state into bytes and back.
//! - `compaction` asks for raft snapshots and purges the log behind them; `replica_progress` and `progress_exchange` compare the replicas'
//!   states;
//!   `change` adds, promotes and removes members and moves the lead.
//! - [`ReadBarrier`] is the coalesced ReadIndex: the arrival order of queries and rounds is what makes it right; `asker_quorum`
//!   saves most rounds their second half.
//! - [`transport`] carries messages between replicas.
//!
//! It does not know SQL, nor what a command means: the catalog does.

mod asker_quorum;
mod cancel_safe;
mod change;
mod compaction;
#[cfg(test)]
mod conformance;
mod contents;
mod entry;
mod error;
mod group;
mod log_store;
mod membership;
mod newest_state;
mod progress_exchange;
mod propose;
mod raft_snapshot;
mod read_barrier;
mod records;
mod replica_progress;
mod rounds;
mod state_machine;
mod stop;
pub mod transport;
mod types;

pub use compaction::Bounds as CompactionBounds;
pub use contents::Contents;
pub use error::{BarrierError, ProposeError, StartError};
pub use group::{Group, Options, StateReader, Tasks, Timing};
pub use membership::{Member, Members, Role};
pub use progress_exchange::ReportError;
pub use read_barrier::{ReadBarrier, RoundError, RoundSource};
pub use records::desired_values;
pub use replica_progress::Progress;
pub use rounds::{Leader, Route};
