//! JSON: an array of objects, an object, or several of them one after the other, however they are laid out.
//!
//! A path says which objects are the rows: `.items[]`, `.data.result[]`, `[]`. Without one an object that has a single array of
//! objects in it stands for that; any other is a row.

use serde_json::Value as Json;
use unum_proto::model::Invalid;

use super::error::quoted;
use super::ndjson::Rows;
use super::sheet::Sheet;

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
    All,
}

/// Where in a document the rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<Step>);

impl std::str::FromStr for Path {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid::new(format!("{} is no path", quoted(text)), "write it as .items[] or .data.result[]");
        let mut steps = Vec::new();
        let mut rest = text.trim();
        rest = rest.strip_prefix('$').unwrap_or(rest);
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                let (step, behind) = inside.split_once(']').ok_or_else(wrong)?;
                steps.push(match step {
                    "" | "*" => Step::All,
                    number => Step::Element(number.parse().map_err(|_| wrong())?),
                });
                rest = behind;
            } else if let Some(name) = rest.strip_prefix(".\"") {
                let (name, behind) = name.split_once('"').ok_or_else(wrong)?;
                steps.push(Step::Member(name.to_owned()));
                rest = behind;
            } else {
                let name = rest.strip_prefix('.').ok_or_else(wrong)?;
                let end = name.find(['.', '[']).unwrap_or(name.len());
                match &name[..end] {
                    "" if name.starts_with('[') || name.is_empty() => {}
                    "" => return Err(wrong()),
                    name => steps.push(Step::Member(name.to_owned())),
                }
                rest = &name[end..];
            }
        }
        Ok(Self(steps))
    }
}

/// The rows of a text, and what is to be said of how they were found.
pub(super) fn read(text: &str, path: Option<&Path>, notes: &mut Vec<String>) -> Result<Sheet, Invalid> {
    let mut rows = Rows::default();
    let mut documents = 0;
    for document in serde_json::Deserializer::from_str(text).into_iter::<Json>() {
        let document = document.map_err(|e| {
            Invalid::new(format!("the text is not JSON: {e}"), "write one whole document, or an object a line")
        })?;
        documents += 1;
        match path {
            Some(Path(steps)) => add_at(&document, steps, &mut rows)?,
            None => add(&document, &mut rows, notes)?,
        }
    }
    if documents == 0 {
        return Err(Invalid::new("the JSON text is empty", "write an array of objects"));
    }
    Ok(rows.into_sheet())
}

fn add_at(json: &Json, steps: &[Step], rows: &mut Rows) -> Result<(), Invalid> {
    let Some((step, rest)) = steps.split_first() else { return rows.add(json) };
    let missing = |what: String| Invalid::new(format!("the JSON has {what}"), "name the rows with --path, as .items[]");
    match (step, json) {
        (Step::Member(name), Json::Object(members)) => {
            let member =
                members.get(name).ok_or_else(|| missing(format!("no {name:?} there, but {}", names(members))))?;
            add_at(member, rest, rows)
        }
        (Step::Element(number), Json::Array(elements)) => {
            let element = elements.get(*number).ok_or_else(|| missing(format!("{} elements there", elements.len())))?;
            add_at(element, rest, rows)
        }
        (Step::All, Json::Array(elements)) => elements.iter().try_for_each(|element| add_at(element, rest, rows)),
        (Step::All, Json::Object(members)) => members.values().try_for_each(|member| add_at(member, rest, rows)),
        // Nothing is no rows: an empty list is often null.
        (_, Json::Null) => Ok(()),
        (step, _) => Err(missing(format!("no place for {step:?}"))),
    }
}

fn names(members: &serde_json::Map<String, Json>) -> String {
    let names: Vec<_> = members.keys().take(20).map(String::as_str).collect();
    names.join(", ")
}

fn add(json: &Json, rows: &mut Rows, notes: &mut Vec<String>) -> Result<(), Invalid> {
    if let Json::Array(elements) = json {
        return elements.iter().try_for_each(|element| rows.add(element));
    }
    let Some((name, elements)) = only_list(json) else { return rows.add(json) };
    let note = format!("the rows are .{name}[]; --path names others, and --path . the whole object");
    if !notes.contains(&note) {
        notes.push(note);
    }
    elements.iter().try_for_each(|element| rows.add(element))
}

/// The list of objects that an object has, if it has one alone.
pub(super) fn only_list(json: &Json) -> Option<(&str, &[Json])> {
    let list = |value: &'_ Json| value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(Json::is_object));
    let mut lists = json.as_object()?.iter().filter(|(_, value)| list(value));
    let (name, only) = lists.next()?;
    lists.next().is_none().then_some((name, only.as_array()?))
}
