//! Functions that make a document of another one by changing what is at paths.

use crate::sql::mysql::functions::definition::{ANY, Call, Definition, Outcome, Stop};
use crate::sql::mysql::functions::json::args::{document, shown, single_path};
use crate::sql::mysql::functions::json::make::json_of;
use crate::sql::mysql::functions::json::path::{Index, Step};
use crate::sql::mysql::functions::json::value::Json;
use crate::sql::mysql::functions::returns;

/// The functions of this file.
pub static FUNCTIONS: &[Definition] = &[
    Definition::new("json_set", "json_set(document, path, value, …)", (3, ANY), returns::json, |call| {
        changed(call, |document, steps, value| set(document, steps, value, true, true))
    }),
    Definition::new("json_insert", "json_insert(document, path, value, …)", (3, ANY), returns::json, |call| {
        changed(call, |document, steps, value| set(document, steps, value, true, false))
    }),
    Definition::new("json_replace", "json_replace(document, path, value, …)", (3, ANY), returns::json, |call| {
        changed(call, |document, steps, value| set(document, steps, value, false, true))
    }),
    Definition::new(
        "json_array_append",
        "json_array_append(document, path, value, …)",
        (3, ANY),
        returns::json,
        |call| changed(call, append),
    ),
    Definition::new(
        "json_array_insert",
        "json_array_insert(document, path, value, …)",
        (3, ANY),
        returns::json,
        |call| changed(call, insert),
    ),
    Definition::new("json_remove", "json_remove(document, path, …)", (2, ANY), returns::json, remove),
];

type Change = fn(&mut Json, &[Step], Json) -> Result<(), Stop>;

/// One change after the other, each of a path and a value.
fn changed(call: &Call<'_>, change: Change) -> Outcome {
    let mut document = document(call, 0)?;
    for at in (1..call.count()).step_by(2) {
        let path = single_path(call, at)?;
        if at + 1 >= call.count() {
            return Err(Stop::error(format!(
                "Incorrect parameter count in the call to native function '{}'",
                call.name
            )));
        }
        change(&mut document, &path.steps, json_of(call.any(at + 1))?)?;
    }
    shown(call, &document)
}

/// What is at the path, if it is there.
fn at_path<'a>(value: &'a mut Json, steps: &[Step]) -> Option<&'a mut Json> {
    let Some((step, rest)) = steps.split_first() else { return Some(value) };
    let next = match (step, value) {
        (Step::Key(key), Json::Object(members)) => members.get_mut(key)?,
        (Step::Index(index), Json::Array(items)) => {
            let at = index.of(items.len())?;
            items.get_mut(at)?
        }
        (Step::Index(Index::First(0) | Index::Last(0)), scalar) if !matches!(scalar, Json::Array(_)) => scalar,
        _ => return None,
    };
    at_path(next, rest)
}

/// Makes what is at the path that value, as far as what is there may be replaced, and what is not may be added.
fn set(document: &mut Json, steps: &[Step], value: Json, add: bool, replace: bool) -> Result<(), Stop> {
    if let Some(known) = at_path(document, steps) {
        if replace {
            *known = value;
        }
        return Ok(());
    }
    let Some((last, parents)) = steps.split_last() else { return Ok(()) };
    let Some(parent) = at_path(document, parents).filter(|_| add) else { return Ok(()) };
    match (last, parent) {
        (Step::Key(key), Json::Object(members)) => {
            members.insert(key.clone(), value);
        }
        (Step::Index(Index::First(_)), Json::Array(items)) => items.push(value),
        (Step::Index(Index::Last(_)), Json::Array(items)) => items.insert(0, value),
        // What is no array becomes the one element of one.
        (Step::Index(index), scalar) => {
            let known = std::mem::replace(scalar, Json::Null);
            *scalar = Json::Array(match index {
                Index::First(_) => vec![known, value],
                Index::Last(_) => vec![value, known],
            });
        }
        _ => {}
    }
    Ok(())
}

fn append(document: &mut Json, steps: &[Step], value: Json) -> Result<(), Stop> {
    match at_path(document, steps) {
        Some(Json::Array(items)) => items.push(value),
        Some(scalar) => *scalar = Json::Array(vec![std::mem::replace(scalar, Json::Null), value]),
        None => {}
    }
    Ok(())
}

fn insert(document: &mut Json, steps: &[Step], value: Json) -> Result<(), Stop> {
    let Some((Step::Index(index), parents)) = steps.split_last() else {
        return Err(Stop::error("A path expression is not a path to a cell in an array."));
    };
    if let Some(Json::Array(items)) = at_path(document, parents) {
        let at = index.of(items.len()).unwrap_or(0).min(items.len());
        items.insert(at, value);
    }
    Ok(())
}

fn remove(call: &Call<'_>) -> Outcome {
    let mut document = document(call, 0)?;
    for at in 1..call.count() {
        let path = single_path(call, at)?;
        let Some((last, parents)) = path.steps.split_last() else {
            return Err(Stop::error("The path expression '$' is not allowed in this context."));
        };
        match (last, at_path(&mut document, parents)) {
            (Step::Key(key), Some(Json::Object(members))) => {
                members.remove(key);
            }
            (Step::Index(index), Some(Json::Array(items))) => {
                if let Some(at) = index.of(items.len()).filter(|at| *at < items.len()) {
                    items.remove(at);
                }
            }
            _ => {}
        }
    }
    shown(call, &document)
}
