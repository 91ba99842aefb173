//! The tables that the server makes itself: a line each.

use super::view::SystemTable;
use super::{information_schema, unum};

/// All of them.
pub static SYSTEM_TABLES: &[&SystemTable] = &[
    &unum::nodes::TABLE,
    &unum::replicas::TABLE,
    &unum::tables::TABLE,
    &unum::config::changes::TABLE,
    &unum::config::change_nodes::TABLE,
    &unum::config::history::TABLE,
    &unum::config::drift::TABLE,
    &information_schema::tables::TABLE,
    &information_schema::columns::TABLE,
    &information_schema::schemata::TABLE,
    &information_schema::create_statements::TABLE,
    &information_schema::session_variables::TABLE,
    &information_schema::session_status::TABLE,
    &information_schema::processlist::TABLE,
    &information_schema::cluster_info::TABLE,
    &information_schema::cluster_config::TABLE,
    &information_schema::cluster_hardware::TABLE,
    &information_schema::cluster_load::TABLE,
    &information_schema::cluster_systeminfo::TABLE,
    &information_schema::cluster_processlist::TABLE,
    &information_schema::cluster_slow_query::TABLE,
    &information_schema::cluster_statements_summary::TABLE,
];
