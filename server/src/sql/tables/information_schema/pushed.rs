//! TiDB's tables from pushed ones: a column is the pushed column of the same name, in any case.

use unum_proto::model::{DataType, NodeKey, Row, TableName, Value};

use crate::catalog::{Hashed, Node, Snapshot};
use crate::sql::tables::view::{Columns, View};

/// What TiDB calls INSTANCE: the node's label `instance` (as `10.0.0.1:4000`), or else its id.
pub fn instance(node: &Node) -> &str {
    let label = node.description.labels.get("instance");
    label.map_or(node.description.key.id.as_str(), String::as_str)
}

/// The rows of all nodes of the pushed table `name`, with these columns. TYPE and INSTANCE are the node's.
pub fn rows(view: &View, name: &str, columns: Columns) -> Vec<Row> {
    let table = name.parse::<TableName>().ok().and_then(|name| view.state.tables.get(&name));
    let Some(table) = table else { return Vec::new() };
    let positions: Vec<Option<usize>> =
        columns.iter().map(|(name, ..)| table.schema.position(&name.to_lowercase())).collect();
    let of_node = |(key, snapshot): (&NodeKey, &std::sync::Arc<Hashed<Snapshot>>)| -> Vec<Row> {
        let Some(node) = view.state.nodes.get(key) else { return Vec::new() };
        let value = |row: &Row, (name, data_type, _): &(&str, DataType, &str), position: Option<usize>| match *name {
            "TYPE" => key.node_type.as_str().into(),
            "INSTANCE" => instance(node).into(),
            _ => convert(position.and_then(|position| row.get(position)), *data_type),
        };
        let row = |row: &Row| columns.iter().zip(&positions).map(|(column, at)| value(row, column, *at)).collect();
        snapshot.rows.iter().map(row).collect()
    };
    table.snapshots.iter().flat_map(of_node).collect()
}

/// A pushed value as the type that TiDB's column has; NULL if it is no such value.
fn convert(value: Option<&Value>, to: DataType) -> Value {
    let Some(value) = value else { return Value::Null };
    match (value, to) {
        (Value::Null, _) => Value::Null,
        (value, to) if value.data_type() == Some(to) => value.clone(),
        (Value::UInt64(number), DataType::Int64) => i64::try_from(*number).ok().into(),
        (Value::Int64(number), DataType::UInt64) => u64::try_from(*number).ok().into(),
        (Value::Int64(number), DataType::Float64) => (*number as f64).into(),
        (Value::UInt64(number), DataType::Float64) => (*number as f64).into(),
        (Value::Float64(number), DataType::Int64) => (*number as i64).into(),
        (Value::Float64(number), DataType::UInt64) if *number >= 0.0 => (*number as u64).into(),
        (Value::Int64(number), DataType::Bool) => (*number != 0).into(),
        (Value::UInt64(number), DataType::Bool) => (*number != 0).into(),
        (Value::Bool(truth), DataType::Int64) => i64::from(*truth).into(),
        (Value::Text(text), DataType::Int64) => text.parse::<i64>().ok().into(),
        (Value::Text(text), DataType::UInt64) => text.parse::<u64>().ok().into(),
        (Value::Text(text), DataType::Float64) => text.parse::<f64>().ok().into(),
        (Value::Int64(number), DataType::Text) => number.to_string().into(),
        (Value::UInt64(number), DataType::Text) => number.to_string().into(),
        (Value::Float64(number), DataType::Text) => number.to_string().into(),
        (Value::Bool(truth), DataType::Text) => truth.to_string().into(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_what_tidbs_column_is_or_null() {
        for (value, to, expected) in [
            (Value::UInt64(7), DataType::Int64, Value::Int64(7)),
            (Value::UInt64(u64::MAX), DataType::Int64, Value::Null),
            (Value::Int64(-1), DataType::UInt64, Value::Null),
            (Value::Int64(1), DataType::Bool, Value::Bool(true)),
            ("1.5".into(), DataType::Float64, Value::Float64(1.5)),
            ("x".into(), DataType::Float64, Value::Null),
            (Value::Timestamp(5), DataType::Timestamp, Value::Timestamp(5)),
            (Value::Timestamp(5), DataType::Int64, Value::Null),
        ] {
            assert_eq!(convert(Some(&value), to), expected, "{value:?} as {to}");
        }
        assert_eq!(convert(None, DataType::Text), Value::Null);
    }
}
