//! The catalog: the replicated state, and the one function that changes it.
//!
//! - [`Command`] is what a log entry carries, in a versioned encoding of our own.
//! - [`Proposal`] is a command by the type of its outcome.
//! - [`State`] is an immutable value: nodes, table schemas, table snapshots. Cloning it is cheap, so every reader
//!   keeps the revision it started with.
//! - [`State::apply`] is deterministic: no clock, no randomness, no hash order, no I/O. Time arrives in the entry.
//! - The state hash is equal on all replicas at equal revision: [`State::hash`].
//! - [`change`]: what else a statement changes, once for its change key.
//! - [`config`]: changes of the nodes' configuration, and how far they are.
//! - [`columnar`] shows a table of one state as Arrow, built when first asked for.
//!
//! It does not know Raft, storage or SQL. What has to be written to disk after an apply is told by
//! [`RecordKey`]s, and read by [`State::record`].

pub mod change;
pub mod columnar;
mod command;
pub mod config;
mod hashed;
mod invariants;
#[cfg(test)]
mod model_tests;
mod packed;
mod proposal;
mod publisher;
mod record;
mod schema;
mod state;
mod transition;
mod unused;

pub use command::{Command, DecodeError, Outcome, Silence, StampedPush, TooLarge};
pub use hashed::Hashed;
pub use proposal::Proposal;
pub use publisher::{Publisher, Rival};
pub use record::{PREFIXES, Record, RecordError, RecordKey, RecordRef};
pub use schema::{ColumnFacts, KnownSchema, Widened};
pub use state::{NODES_MAX, Node, NodeStatus, Snapshot, State, TABLES_MAX, TTLS_UNTIL_DOWN, Table};
pub use transition::Applied;
pub use unused::{Place, Unused};
