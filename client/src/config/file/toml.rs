//! TOML. Arrays and dates are shown and cannot be set.

use toml_edit::{Document, Item, Table, TableLike, Value};
use unum_proto::model::ConfigType;

use super::scalar::{Scalar, Scalars};

pub(super) fn parse(text: &str) -> Result<Scalars, String> {
    let document: Document<&str> = Document::parse(text).map_err(|e| e.to_string().trim_end().to_owned())?;
    let mut scalars = Scalars::new();
    let root: &Table = document.as_table();
    collect("", root, &mut scalars);
    Ok(scalars)
}

fn collect(prefix: &str, table: &dyn TableLike, scalars: &mut Scalars) {
    for (key, item) in table.iter() {
        let name = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
        match item {
            Item::Value(Value::InlineTable(table)) => collect(&name, table, scalars),
            Item::Table(table) => collect(&name, table, scalars),
            Item::Value(value) => {
                let (value, data_type) = match value {
                    Value::String(text) => (text.value().clone(), ConfigType::Text),
                    Value::Integer(number) => (number.value().to_string(), ConfigType::Integer),
                    Value::Float(number) => (number.value().to_string(), ConfigType::Number),
                    Value::Boolean(truth) => (truth.value().to_string(), ConfigType::Boolean),
                    // What has parts is not a key.
                    Value::Datetime(_) | Value::Array(_) | Value::InlineTable(_) => continue,
                };
                if let Some(at) = item.span() {
                    scalars.insert(name, Scalar { value, data_type, at });
                }
            }
            Item::None | Item::ArrayOfTables(_) => {}
        }
    }
}

pub(super) fn write(value: &str, data_type: &ConfigType) -> String {
    match data_type {
        ConfigType::Integer => value.to_owned(),
        // 1 would be an integer.
        ConfigType::Number if value.parse::<i64>().is_ok() => format!("{value}.0"),
        ConfigType::Number => value.to_owned(),
        ConfigType::Boolean => {
            unum_proto::model::config::parse_boolean(value).map_or_else(|| value.to_owned(), |truth| truth.to_string())
        }
        _ => Value::from(value).to_string().trim().to_owned(),
    }
}
