//! The edges: gRPC for clients and replicas, HTTP for probes. Wire in, model through, wire out.
//!
//! `status` is the only place where an error becomes a gRPC status. Nothing here decides anything.

mod admin;
mod arrow_stream;
mod config;
mod http;
mod ingest;
mod query;
mod replica;
mod server;
mod status;

pub use http::Probes;
pub use server::{Services, serve_grpc, serve_http};
