//! Functions that make one document of several.

use std::collections::BTreeMap;

use crate::sql::mysql::functions::definition::{ANY, Call, Definition, Outcome, some};
use crate::sql::mysql::functions::json::args::{document, shown};
use crate::sql::mysql::functions::json::value::Json;
use crate::sql::mysql::functions::returns;

/// The functions of this file.
pub static FUNCTIONS: &[Definition] = &[
    Definition::new("json_merge", "json_merge(document, document, …)", (2, ANY), returns::json, preserve),
    Definition::new("json_merge_preserve", "json_merge_preserve(document, …)", (2, ANY), returns::json, preserve),
    Definition::new("json_merge_patch", "json_merge_patch(document, …)", (2, ANY), returns::json, patch),
];

/// Nothing is lost: values of the same key become an array.
fn preserve(call: &Call<'_>) -> Outcome {
    let mut merged = document(call, 0)?;
    for at in 1..call.count() {
        merged = preserved(merged, document(call, at)?);
    }
    shown(call, &merged)
}

fn preserved(a: Json, b: Json) -> Json {
    match (a, b) {
        (Json::Object(mut members), Json::Object(others)) => {
            for (key, other) in others {
                let merged = match members.remove(&key) {
                    Some(member) => preserved(member, other),
                    None => other,
                };
                members.insert(key, merged);
            }
            Json::Object(members)
        }
        (a, b) => {
            let mut items = a.into_items();
            items.extend(b.into_items());
            Json::Array(items)
        }
    }
}

/// The later document wins, and `null` in it removes (RFC 7396). What is NULL makes the result so, up to a document that is
/// no object and replaces all in front of it.
fn patch(call: &Call<'_>) -> Outcome {
    let mut merged = None;
    for at in 0..call.count() {
        merged = match (merged, call.any(at).is_null()) {
            (_, true) => None,
            (_, false) if at == 0 => Some(document(call, at)?),
            (target, false) => match (target, document(call, at)?) {
                (None, Json::Object(_)) => None,
                (target, patch) => Some(patched(target.unwrap_or(Json::Null), patch)),
            },
        };
    }
    shown(call, &some(merged)?)
}

fn patched(target: Json, patch: Json) -> Json {
    let Json::Object(changes) = patch else { return patch };
    let mut members = match target {
        Json::Object(members) => members,
        _ => BTreeMap::new(),
    };
    for (key, change) in changes {
        let member = members.remove(&key).unwrap_or(Json::Null);
        if change != Json::Null {
            members.insert(key, patched(member, change));
        }
    }
    Json::Object(members)
}
