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
    &information_schema::session_warnings::TABLE,
    &information_schema::keywords::TABLE,
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use unum_proto::model::{CLUSTER_PREFIX, RESERVED_TABLES, TableName};

    use super::*;
    use crate::sql::syntax::names::DEFAULT_SCHEMA;

    #[test]
    fn no_pushed_table_can_take_the_name_of_a_system_table() {
        let own = SYSTEM_TABLES.iter().filter(|table| table.schema == DEFAULT_SCHEMA).map(|table| table.name);
        // `cluster_t` would hide the view of a pushed table `t`.
        let own: BTreeSet<&str> = own.map(|name| name.strip_prefix(CLUSTER_PREFIX).unwrap_or(name)).collect();
        // The founding idea's name for `cluster_node_info` would be taken for the view of it.
        let reserved: BTreeSet<&str> = RESERVED_TABLES.into_iter().filter(|name| *name != "node_infos").collect();
        assert_eq!(own, reserved, "RESERVED_TABLES of proto::model and the registry differ");
        for table in SYSTEM_TABLES.iter().filter(|table| table.schema == DEFAULT_SCHEMA) {
            let refused = table.name.parse::<TableName>().expect_err(table.name).to_string();
            assert!(refused.contains("is the catalog's own"), "{refused}");
        }
    }
}
