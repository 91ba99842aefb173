//! Connections to replicas, and the wire on them. Model in and out; one attempt at one endpoint, never a retry.

mod admin;
mod arrow_result;
mod config;
mod dialer;
mod endpoints;
mod publish;
mod query;
mod status;
mod stub_server;

pub(crate) use admin::{change, status};
pub(crate) use config::{ConfigWatch, report_config};
pub(crate) use dialer::Dialer;
pub(crate) use endpoints::{Endpoint, Endpoints};
pub(crate) use publish::{PublishStream, register, release};
pub(crate) use query::{RawResult, execute};
pub use stub_server::serve_stub;
