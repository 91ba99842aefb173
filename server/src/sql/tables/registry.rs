//! The tables that the server makes itself, of all schemas.

use super::view::SystemTable;
use super::{information_schema, unum};

const COUNT: usize = unum::TABLES.len() + information_schema::TABLES.len();

/// All of them.
pub static SYSTEM_TABLES: &[&SystemTable] = &{
    let mut all: [&SystemTable; COUNT] = [unum::TABLES[0]; COUNT];
    let mut at = 0;
    while at < COUNT {
        all[at] = match at < unum::TABLES.len() {
            true => unum::TABLES[at],
            false => information_schema::TABLES[at - unum::TABLES.len()],
        };
        at += 1;
    }
    all
};

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
