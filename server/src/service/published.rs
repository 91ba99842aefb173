//! The tables that Unum itself publishes, and what others may push to them.
//!
//! Their schemas are in the code, whoever comes first: a push to `load` has columns of `load`, of types that its own hold
//! without loss, or it is refused. What is taken has all its columns then, so that the catalog never sees another schema of them.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use unum_client::collect::PUBLISHED_TABLES;
use unum_proto::model::{
    CONFIG_COLUMNS, CONFIG_TABLE, Column, DataType, Push, TableName, TableRefusal, TableSchema, TableSnapshot, Value,
};

use super::query_log::{processlist, slow_query, statements_summary};
use super::raft_status;
use crate::catalog::columnar::converted;

type Columns = &'static [(&'static str, DataType, &'static str)];

static SCHEMAS: LazyLock<BTreeMap<&'static str, Arc<TableSchema>>> = LazyLock::new(|| {
    let own: [(&str, Columns); 5] = [
        (CONFIG_TABLE, CONFIG_COLUMNS),
        ("raft_status", raft_status::COLUMNS),
        ("processlist", processlist::COLUMNS),
        ("slow_query", slow_query::COLUMNS),
        ("statements_summary", statements_summary::COLUMNS),
    ];
    let agents = PUBLISHED_TABLES.iter().map(|table| (table.name, table.columns));
    let schema = |(name, columns)| (name, Arc::new(TableSchema::of(name, columns).expect("a legal schema")));
    own.into_iter().chain(agents).map(schema).collect()
});

/// Whether Unum publishes that table itself.
pub fn is_published(table: &TableName) -> bool {
    SCHEMAS.contains_key(table.as_str())
}

/// The push with its tables as the code has them; those that cannot be are refused in it.
pub fn conformed(push: Push) -> Push {
    let (mut tables, mut refused) = (Vec::with_capacity(push.tables.len()), push.refused);
    for table in push.tables {
        let name = Arc::clone(&table.schema);
        match conformed_table(table) {
            Ok(table) => tables.push(table),
            Err(why) => refused.push(TableRefusal::new(name.name.as_str(), why)),
        }
    }
    Push { tables, refused, ..push }
}

fn conformed_table(table: TableSnapshot) -> Result<TableSnapshot, String> {
    let name = table.schema.name.as_str();
    let Some(own) = SCHEMAS.get(name) else { return Ok(table) };
    if *own == table.schema {
        return Ok(TableSnapshot { schema: Arc::clone(own), ..table });
    }
    for (position, column) in table.schema.columns.iter().enumerate() {
        let Some(known) = own.position(column.name.as_str()).map(|position| &own.columns[position]) else {
            let names: Vec<_> = own.columns.iter().map(|column| column.name.as_str()).collect();
            return Err(format!(
                "{name} has no column {}; its columns are Unum's own: {}; push under another table name",
                column.name,
                names.join(", ")
            ));
        };
        let of = known.data_type;
        if let Some(value) = table.rows.iter().filter_map(|row| row.get(position)).find(|value| !value.fits(of)) {
            return Err(format!(
                "{name}.{} is {of}, Unum's own column, and this push has {}; send {of}, or push under another table name",
                column.name,
                shown(value)
            ));
        }
    }
    let position = |column: &Column| (table.schema.position(column.name.as_str()), column.data_type);
    let columns: Vec<_> = own.columns.iter().map(position).collect();
    let whole = |row: Vec<Value>| {
        let value = |(position, of): &(Option<usize>, DataType)| {
            let value = position.and_then(|at| row.get(at).cloned()).unwrap_or(Value::Null);
            converted(value, *of)
        };
        columns.iter().map(value).collect()
    };
    let rows = table.rows.into_iter().map(whole).collect();
    Ok(TableSnapshot { schema: Arc::clone(own), rows, collected_at_us: table.collected_at_us })
}

/// The start of a value, and its type.
fn shown(value: &Value) -> String {
    const CHARS_MAX: usize = 60;
    let of = value.data_type().map_or_else(|| "NULL".to_owned(), |of| of.to_string());
    let text: String = format!("{value:?}").chars().take(CHARS_MAX).collect();
    format!("{text} of type {of}")
}

#[cfg(test)]
mod tests {
    use unum_proto::model::{NodeDescription, NodeKey};

    use super::*;

    fn conformed(columns: Columns, row: Vec<Value>) -> Push {
        let schema = TableSchema::of("load", columns).unwrap().into();
        let tables = vec![TableSnapshot { schema, rows: vec![row], collected_at_us: 1 }];
        let node = NodeDescription::new(NodeKey::parse("tikv", "1").unwrap());
        super::conformed(Push::new(node, 1, 1, tables).unwrap())
    }

    #[test]
    fn fewer_columns_and_narrower_types_are_taken() {
        let push =
            conformed(&[("value", DataType::Float64, ""), ("name", DataType::Text, "")], vec![1.5.into(), "x".into()]);
        assert_eq!(push.tables[0].rows, [[Value::Null, Value::Null, "x".into(), "1.5".into()]]);
        assert!(Arc::ptr_eq(&push.tables[0].schema, &SCHEMAS["load"]) && push.refused.is_empty());
    }

    #[test]
    fn other_columns_and_wider_types_are_refused() {
        for (column, value, part) in [
            ("speed", Value::Int64(1), "load has no column speed; its columns are Unum's own: device_type"),
            (
                "value",
                Value::Bytes(vec![1]),
                "load.value is TEXT, Unum's own column, and this push has Bytes([1]) of type BLOB",
            ),
        ] {
            let of = value.data_type().unwrap();
            let push = conformed(vec![(column, of, "")].leak(), vec![value]);
            assert!(push.tables.is_empty() && push.refused[0].why.contains(part), "{:?}", push.refused);
        }
    }
}
