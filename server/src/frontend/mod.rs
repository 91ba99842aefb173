//! The edges: what is said over a wire, in and out. Bytes in, model through, bytes out; nothing here decides anything.
//!
//! - [`grpc`]: clients and other replicas.
//! - [`http`]: probes and metrics.

pub mod grpc;
pub mod http;
