//! `unum`: the tables about nodes, replicas, tables and configuration.

pub mod config;
pub mod nodes;
pub mod replicas;
// A file is named after its table.
#[allow(clippy::module_inception)]
pub mod tables;
