//! NDJSON: an object a line. The columns are all keys, in the order in which they first appear.
//!
//! `serde_json::Map` sorts its keys, so objects are visited here instead. Nested values become compact JSON text, with
//! sorted keys.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value as Json;
use unum_proto::model::Invalid;

use super::error::{at, quoted};
use super::sheet::{Record, Sheet};
use super::types::Cell;

pub(super) fn read(text: &str) -> Result<Sheet, Invalid> {
    let mut sheet = Sheet::default();
    // By key as written, so that a key is parsed and lower-cased once.
    let mut positions: HashMap<String, usize> = HashMap::new();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        let Object(members) = serde_json::from_str(text).map_err(|e| {
            at(line, format!("{} is not a JSON object: {e}", quoted(text)), "write one whole object on each line")
        })?;
        let mut cells = Vec::new();
        for (key, json) in members {
            let position = match positions.get(&key) {
                Some(position) => *position,
                None => position(&mut sheet, line, &key).inspect(|position| {
                    positions.insert(key.clone(), *position);
                })?,
            };
            if cells.len() <= position {
                cells.resize_with(position + 1, || Unset);
            }
            match std::mem::replace(&mut cells[position], Set(cell(json))) {
                Unset => {}
                Set(_) => {
                    return Err(at(
                        line,
                        format!("the object has the column {} twice", sheet.columns[position]),
                        "give each key once; capitals do not count",
                    ));
                }
            }
        }
        let cells = cells.into_iter().map(|member| if let Set(cell) = member { cell } else { None }).collect();
        sheet.add_record(Record { line, cells })?;
    }
    Ok(sheet)
}

/// Whether an object has named a column yet: `null` is a name too.
enum Member {
    Unset,
    Set(Option<Cell>),
}
use Member::{Set, Unset};

/// The position of a key that no line had written so, added to the columns if it is new.
fn position(sheet: &mut Sheet, line: u64, key: &str) -> Result<usize, Invalid> {
    match sheet.columns.iter().position(|column| column.as_str() == key.to_ascii_lowercase()) {
        Some(position) => Ok(position),
        None => {
            sheet.add_column(line, key)?;
            Ok(sheet.columns.len() - 1)
        }
    }
}

fn cell(json: Json) -> Option<Cell> {
    match json {
        Json::Null => None,
        Json::Bool(value) => Some(Cell::boolean(value)),
        Json::Number(number) => Some(Cell::number(number.to_string())),
        Json::String(text) => Some(Cell::string(text)),
        nested @ (Json::Array(_) | Json::Object(_)) => Some(Cell::nested(nested.to_string())),
    }
}

/// An object's members in the order in which they are written, repeated keys included.
struct Object(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}
