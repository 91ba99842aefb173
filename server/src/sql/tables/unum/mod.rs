//! `unum`: the tables about nodes, replicas, tables and configuration.

pub mod agents;
pub mod columns;
pub mod config;
pub mod nodes;
pub mod publishers;
pub mod replicas;
// A file is named after its table.
#[allow(clippy::module_inception)]
pub mod tables;

use super::view::SystemTable;

/// All of them.
pub const TABLES: &[&SystemTable] = &[
    &nodes::TABLE,
    &replicas::TABLE,
    &tables::TABLE,
    &columns::TABLE,
    &agents::TABLE,
    &publishers::TABLE,
    &config::changes::TABLE,
    &config::change_nodes::TABLE,
    &config::history::TABLE,
    &config::drift::TABLE,
];
