//! The edges: what is said over a wire, in and out. Bytes in, model through, bytes out; nothing here decides anything.
//!
//! - [`grpc`]: clients and other replicas.
//! - [`http`]: probes and metrics.
//! - [`listener`]: the sockets of both.

pub mod grpc;
pub mod http;
pub mod listener;
