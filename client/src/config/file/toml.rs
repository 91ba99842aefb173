//! TOML. Elements of arrays and tables in lists have their number in their names: `a[0].b`.

use toml_edit::{Datetime, Document, Item, Table, TableLike, Value};
use unum_proto::model::ConfigType;
use unum_proto::model::config::parse_boolean;

use super::scalar::{Scalar, Scalars, Style, joined, part, type_of_text};

pub(super) fn parse(text: &str) -> Result<Scalars, String> {
    let document: Document<&str> = Document::parse(text).map_err(|e| e.to_string().trim_end().to_owned())?;
    let mut scalars = Scalars::new();
    let root: &Table = document.as_table();
    collect("", root, &mut scalars);
    Ok(scalars)
}

fn collect(prefix: &str, table: &dyn TableLike, scalars: &mut Scalars) {
    for (key, item) in table.iter() {
        let name = named(prefix, key, scalars);
        match item {
            Item::Table(table) => collect(&name, table, scalars),
            Item::ArrayOfTables(tables) => {
                for (number, table) in tables.iter().enumerate() {
                    collect(&format!("{name}[{number}]"), table, scalars);
                }
            }
            Item::Value(value) => add(name, value, scalars),
            Item::None => {}
        }
    }
}

fn add(name: String, value: &Value, scalars: &mut Scalars) {
    let (shown, data_type, style) = match value {
        Value::InlineTable(table) => return collect(&name, table, scalars),
        Value::Array(values) => {
            for (number, value) in values.iter().enumerate() {
                add(format!("{name}[{number}]"), value, scalars);
            }
            return;
        }
        Value::String(text) => (text.value().clone(), type_of_text(text.value()), Style::Quoted('"')),
        Value::Integer(number) => (number.value().to_string(), ConfigType::Integer, Style::Plain),
        Value::Float(number) => (number.value().to_string(), ConfigType::Number, Style::Plain),
        Value::Boolean(truth) => (truth.value().to_string(), ConfigType::Boolean, Style::Plain),
        Value::Datetime(time) => (time.value().to_string(), ConfigType::Text, Style::Words),
    };
    if let Some(at) = value.span() {
        scalars.insert(name, Scalar::new(shown, data_type, at, style));
    }
}

/// The name of a key in a table. Dots in it are dots, as long as that names nothing else.
fn named(prefix: &str, key: &str, scalars: &Scalars) -> String {
    let name = joined(prefix, key);
    let is_taken = key.contains('.')
        && (scalars.contains_key(&name)
            || scalars
                .range(format!("{name}.")..)
                .next()
                .is_some_and(|(other, _)| other.starts_with(&format!("{name}."))));
    if is_taken { joined(prefix, &format!("\"{}\"", part(key))) } else { name }
}

pub(super) fn write(value: &str, data_type: &ConfigType, style: Style) -> Result<String, String> {
    if style == Style::Words {
        let is_time = value.parse::<Datetime>().is_ok();
        return is_time.then(|| value.to_owned()).ok_or_else(|| format!("{value:?} is no date or time of TOML"));
    }
    Ok(match data_type {
        ConfigType::Integer => {
            value.parse::<i64>().map_err(|_| format!("{value} is beyond what TOML takes"))?.to_string()
        }
        // 1 would be an integer.
        ConfigType::Number if value.parse::<i64>().is_ok() => format!("{value}.0"),
        ConfigType::Number => {
            let number: f64 = value.parse().map_err(|_| format!("{value} is no number"))?;
            Value::from(number).to_string().trim().to_owned()
        }
        ConfigType::Boolean => parse_boolean(value).map_or_else(|| value.to_owned(), |truth| truth.to_string()),
        _ => Value::from(value).to_string().trim().to_owned(),
    })
}
