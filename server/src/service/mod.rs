//! The use cases: take in pushes, answer queries. Here the halves below meet.
//!
//! - [`query`]: await the read barrier, take the state, run SQL over that value.
//! - [`ingest`]: many pushes become one Raft entry on the leader, or one relayed batch to it elsewhere.
//!
//! It knows nothing of gRPC.

pub mod ingest;
pub mod query;
