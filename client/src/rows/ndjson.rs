//! NDJSON: an object a line; and rows of any objects. The columns are all keys, in the order in which they first appear.
//!
//! `serde_json::Map` sorts its keys, so lines are visited here instead. Nested values become compact JSON text, with
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
    let mut rows = Rows::default();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        let Object(members) = serde_json::from_str(text).map_err(|e| {
            at(line, format!("{} is not a JSON object: {e}", quoted(text)), "write one whole object on each line")
        })?;
        rows.add_members(line, members.into_iter().map(|(key, json)| (key, cell(json))))?;
    }
    Ok(rows.into_sheet())
}

/// Rows whose columns are named as they come.
#[derive(Debug, Default)]
pub(super) struct Rows {
    sheet: Sheet,
    // By key as written, so that a key is made legal once.
    positions: HashMap<String, usize>,
    count: u64,
}

impl Rows {
    /// The row that an object is.
    pub(super) fn add(&mut self, json: &Json) -> Result<(), Invalid> {
        let Json::Object(members) = json else {
            let what = format!("row {}: {} is not a JSON object", self.count + 1, quoted(&json.to_string()));
            return Err(Invalid::new(what, "name the list of objects with --path, as .items[]"));
        };
        let members = members.iter().map(|(key, json)| (key.clone(), cell(json.clone())));
        self.add_members(self.count + 1, members)
    }

    /// A row of named cells, of that line.
    pub(super) fn add_members(
        &mut self,
        line: u64,
        members: impl IntoIterator<Item = (String, Option<Cell>)>,
    ) -> Result<(), Invalid> {
        let mut cells = Vec::new();
        for (key, cell) in members {
            let position = match self.positions.get(&key) {
                Some(position) => *position,
                None => self.position(line, &key)?,
            };
            if cells.len() <= position {
                cells.resize_with(position + 1, || Unset);
            }
            if let Set(_) = std::mem::replace(&mut cells[position], Set(cell)) {
                let column = &self.sheet.columns[position];
                return Err(at(
                    line,
                    format!("the object has the column {column} twice"),
                    "give each key once; capitals do not count",
                ));
            }
        }
        let cells = cells.into_iter().map(|member| if let Set(cell) = member { cell } else { None }).collect();
        self.count += 1;
        self.sheet.add_record(Record { line, cells })
    }

    /// The position of a key that no row had written so, added to the columns if it is new.
    fn position(&mut self, line: u64, key: &str) -> Result<usize, Invalid> {
        let lower = key.to_ascii_lowercase();
        let known = self.sheet.columns.iter().position(|column| column.as_str() == lower);
        let position = match known {
            Some(position) => position,
            None => {
                self.sheet.add_column(line, key)?;
                self.sheet.columns.len() - 1
            }
        };
        self.positions.insert(key.to_owned(), position);
        Ok(position)
    }

    pub(super) fn into_sheet(self) -> Sheet {
        self.sheet
    }
}

/// Whether an object has named a column yet: `null` is a name too.
enum Member {
    Unset,
    Set(Option<Cell>),
}
use Member::{Set, Unset};

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
