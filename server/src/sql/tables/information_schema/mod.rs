//! `information_schema`: tables about tables in MySQL's shape, and TiDB's `cluster_*` tables.
//!
//! The columns of TiDB's tables are exactly TiDB's, in its order and case, so that queries written for it run as they
//! are. [`pushed`] fills them from what nodes pushed; what no node says is NULL.

pub mod cluster_config;
pub mod cluster_hardware;
pub mod cluster_info;
pub mod cluster_load;
pub mod cluster_processlist;
pub mod cluster_slow_query;
pub mod cluster_statements_summary;
pub mod cluster_systeminfo;
pub mod columns;
pub mod create_statements;
pub mod keywords;
pub mod processlist;
pub(crate) mod pushed;
pub mod schemata;
pub mod session_status;
pub mod session_variables;
pub mod session_warnings;
pub mod tables;

use super::view::SystemTable;

/// All of them.
pub const TABLES: &[&SystemTable] = &[
    &tables::TABLE,
    &columns::TABLE,
    &schemata::TABLE,
    &create_statements::TABLE,
    &session_variables::TABLE,
    &session_status::TABLE,
    &session_warnings::TABLE,
    &keywords::TABLE,
    &processlist::TABLE,
    &cluster_info::TABLE,
    &cluster_config::TABLE,
    &cluster_hardware::TABLE,
    &cluster_load::TABLE,
    &cluster_systeminfo::TABLE,
    &cluster_processlist::TABLE,
    &cluster_slow_query::TABLE,
    &cluster_statements_summary::TABLE,
    &cluster_statements_summary::HISTORY,
];
