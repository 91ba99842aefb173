//! What server and client share: the wire format and the model.
//!
//! - [`wire`] is generated from `proto/unum/v1/*.proto`, and nothing else. Only `model` here, `rpc` and
//!   `consensus::transport` in the server, and `transport` in the client name it.
//! - [`model`] holds validated types. Everything past the edge of a process speaks model, never wire.
//!
//! It does no I/O and knows nothing of Raft, storage or SQL.

pub mod model;
pub mod wire;
