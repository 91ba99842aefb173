//! A node's configuration as its rows of the table `config` have it.

use std::collections::BTreeMap;

use unum_proto::model::{CONFIG_TABLE, ConfigType, MASK, NodeKey, Row, TableName, TableSchema, Value};

use super::super::State;

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigRow<'a> {
    /// Its value, masked if it is a secret.
    pub value: Option<&'a str>,
    /// What it may hold.
    pub data_type: ConfigType,
    /// Whether its value is masked.
    pub secret: bool,
}

/// A node's keys; none if it publishes no configuration.
pub fn config_rows<'a>(state: &'a State, node: &NodeKey) -> Option<BTreeMap<&'a str, ConfigRow<'a>>> {
    let table = state.tables.get(&CONFIG_TABLE.parse::<TableName>().ok()?)?;
    let snapshot = table.snapshots.get(node)?;
    Some(parse(&table.schema, &snapshot.rows))
}

/// One key of a node, without a look at the others.
pub fn config_row<'a>(state: &'a State, node: &NodeKey, key: &str) -> Option<ConfigRow<'a>> {
    let table = state.tables.get(&CONFIG_TABLE.parse::<TableName>().ok()?)?;
    let snapshot = table.snapshots.get(node)?;
    let position = table.schema.position("key")?;
    let row = snapshot.rows.iter().find(|row| matches!(row.get(position), Some(Value::Text(own)) if own == key))?;
    parse(&table.schema, std::slice::from_ref(row)).into_values().next()
}

/// The keys of rows of such a table. What has no key is left out.
pub fn parse<'a>(schema: &TableSchema, rows: &'a [Row]) -> BTreeMap<&'a str, ConfigRow<'a>> {
    let position = |name: &str| schema.position(name);
    let (Some(key), Some(value)) = (position("key"), position("value")) else { return BTreeMap::new() };
    let (data_type, secret) = (position("type"), position("secret"));
    let text = |row: &'a Row, position: Option<usize>| match position.and_then(|position| row.get(position)) {
        Some(Value::Text(text)) => Some(text.as_str()),
        _ => None,
    };
    let one = |row: &'a Row| {
        let shown = text(row, Some(value));
        let is_secret = secret.and_then(|at| row.get(at)) == Some(&Value::Bool(true)) || shown == Some(MASK);
        // A type that nobody here knows is no reason to refuse values.
        let data_type = text(row, data_type).and_then(|name| name.parse().ok()).unwrap_or(ConfigType::Text);
        Some((text(row, Some(key))?, ConfigRow { value: shown, data_type, secret: is_secret }))
    };
    rows.iter().filter_map(one).collect()
}

impl ConfigRow<'_> {
    /// Whether it has a value, as far as that can be known: a secret's is not.
    pub fn has(&self, value: &str) -> Option<bool> {
        match self.secret {
            true => None,
            false => Some(self.value.is_some_and(|own| self.data_type.same(own, value))),
        }
    }
}
