//! gRPC, for clients and for other replicas: a file a service. `status` is where errors of services become statuses.

mod admin;
mod arrow_stream;
mod config;
mod ingest;
mod query;
mod replica;
mod server;
mod status;

pub use server::{Services, serve};
