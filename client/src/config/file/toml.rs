//! TOML. Elements of arrays and tables in lists have their number in their names: `a[0].b`. A comment that is a setting, as in
//! the templates that TiKV and others ship, is one that is not set.

use std::collections::BTreeMap;

use toml_edit::{Datetime, Document, Item, Table, TableLike, Value};
use unum_proto::model::ConfigType;
use unum_proto::model::config::parse_boolean;

use super::scalar::{Scalar, Scalars, Style, joined, line_end, lines, part, type_of_text};

pub(super) fn parse(text: &str) -> Result<Scalars, String> {
    let document: Document<&str> = Document::parse(text).map_err(|e| e.to_string().trim_end().to_owned())?;
    let mut scalars = Scalars::new();
    let root: &Table = document.as_table();
    collect("", root, &mut scalars);
    templates(text, &mut scalars);
    Ok(scalars)
}

/// The settings that are commented out, each in the section that its line is in.
fn templates(text: &str, scalars: &mut Scalars) {
    // A line in a text of several is no comment, and no section.
    let long: Vec<std::ops::Range<usize>> =
        scalars.values().map(|scalar| scalar.at.clone()).filter(|at| text[at.clone()].contains('\n')).collect();
    let end = line_end(text);
    let mut section = String::new();
    let mut lists: BTreeMap<String, usize> = BTreeMap::new();
    for (at, line) in lines(text) {
        let content = line.trim();
        if long.iter().any(|range| range.contains(&at)) {
            continue;
        }
        if let Some(name) = content.strip_prefix("[[").and_then(|rest| rest.split("]]").next()) {
            let number = lists.entry(name.trim().to_owned()).and_modify(|number| *number += 1).or_default();
            section = format!("{}[{number}]", name.trim());
        } else if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let name = name.trim();
            // A table in a list is in its last one.
            let list = lists
                .iter()
                .find(|(list, _)| name.strip_prefix(list.as_str()).is_some_and(|rest| rest.starts_with('.')));
            section = match list {
                Some((list, number)) => format!("{list}[{number}]{}", &name[list.len()..]),
                None => name.to_owned(),
            };
        } else if let Some(comment) = content.strip_prefix('#')
            && let Some((key, written, default)) = setting(comment.trim())
        {
            let mut template = default;
            template.default = template.value.take();
            template.at = at + line.len()..at + line.len();
            template.around = (format!("{end}{written} = "), String::new());
            scalars.entry(joined(&section, &key)).or_insert(template);
        }
    }
}

/// A comment that is one setting: its name, as it is written and as a key, and its value.
fn setting(comment: &str) -> Option<(String, String, Scalar)> {
    let (written, _) = comment.split_once('=')?;
    let written = written.trim();
    let is_name = !written.is_empty() && written.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let document: Document<&str> = is_name.then(|| Document::parse(comment).ok())??;
    let mut found = Scalars::new();
    collect("", document.as_table(), &mut found);
    let (key, scalar) = found.pop_first()?;
    (found.is_empty() && !key.ends_with(']')).then(|| (key, written.to_owned(), scalar))
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
        // With seconds, as older readers want them.
        let time = value.parse::<Datetime>().map_err(|_| format!("{value:?} is no date or time of TOML"))?;
        return Ok(time.to_string());
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
