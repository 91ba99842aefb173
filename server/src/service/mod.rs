//! The use cases: take in pushes, answer queries. Here the halves below meet.
//!
//! - [`query`]: await the read barrier, take the state, run SQL over that value.
//! - [`query_log`]: which queries run, which were slow, which there were.
//! - [`ingest`]: many pushes become one Raft entry on the leader, or one relayed batch to it elsewhere.
//! - [`published`]: the tables that Unum itself publishes, and what others may push to them.
//! - [`publishers`]: who publishes under the name of a node.
//! - [`liveness`]: which nodes fell silent, as the leader sees it.
//! - [`sweep`]: what nobody has anything in goes after a time.
//! - [`change`]: statements that change something.
//! - [`configure`]: changes of the nodes' configuration, on their way to the nodes and back.
//! - [`admin`]: changes of the group and the catalog by hand.
//! - [`raft_status`]: how the replica sees its group, as a table that it publishes.
//!
//! It knows nothing of gRPC.

pub mod admin;
pub mod change;
pub mod configure;
pub mod ingest;
pub mod liveness;
pub mod published;
pub mod publishers;
pub mod query;
pub mod query_log;
pub mod raft_status;
pub mod sweep;
