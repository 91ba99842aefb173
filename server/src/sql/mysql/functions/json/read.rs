//! Functions that read JSON: its parts, its size, its types, its scalars as values of SQL.

use crate::sql::mysql::functions::definition::{ANY, Call, Definition, Outcome, RESULT_BYTES_MAX, Stop, some};
use crate::sql::mysql::functions::json::args::{document, path, shown, single_path};
use crate::sql::mysql::functions::json::value::Json;
use crate::sql::mysql::functions::letters::count;
use crate::sql::mysql::functions::returns;
use crate::sql::mysql::value::Value;

/// The functions of this file.
pub static FUNCTIONS: &[Definition] = &[
    Definition::new("json_extract", "json_extract(document, path, …)", (2, ANY), returns::json, extract),
    Definition::new("json_unquote", "json_unquote(json)", (1, 1), returns::text, unquote),
    Definition::new("json_valid", "json_valid(text)", (1, 1), returns::bool, valid),
    Definition::new("json_length", "json_length(document[, path])", (1, 2), returns::int, length),
    Definition::new("json_keys", "json_keys(document[, path])", (1, 2), returns::json, keys),
    Definition::new("json_type", "json_type(document)", (1, 1), returns::text, |call| {
        Ok(Value::text(type_name(&document(call, 0)?)))
    }),
    Definition::new("json_depth", "json_depth(document)", (1, 1), returns::int, |call| {
        count(document(call, 0)?.depth())
    }),
    Definition::new("json_value", "json_value(document, path)", (2, 2), returns::text, value),
    Definition::new("json_pretty", "json_pretty(document)", (1, 1), returns::text, pretty),
    Definition::new("json_scalar_text", "json_scalar_text(json)", (1, 1), returns::text, scalar_text),
];

/// The value at a path that leads to one place, else an array of those at all paths; NULL if there are none.
fn extract(call: &Call<'_>) -> Outcome {
    let paths: Result<Vec<_>, Stop> = (1..call.count()).map(|at| path(call, at)).collect();
    let (document, paths) = (document(call, 0)?, paths?);
    let found: Vec<&Json> = paths.iter().flat_map(|path| path.select(&document)).collect();
    match (paths.as_slice(), found.as_slice()) {
        (_, []) => Err(Stop::Null),
        ([path], [one]) if !path.is_many() => shown(call, one),
        _ => shown(call, &Json::Array(found.into_iter().cloned().collect())),
    }
}

/// The text of a JSON string; anything else as it is.
fn unquote(call: &Call<'_>) -> Outcome {
    let text = call.text(0)?;
    if text.len() < 2 || !text.starts_with('"') || !text.ends_with('"') {
        return Ok(Value::text(text.into_owned()));
    }
    match document(call, 0)? {
        Json::Text(plain) => Ok(Value::text(plain)),
        _ => Ok(Value::text(text.into_owned())),
    }
}

/// What is no text is no JSON either.
fn valid(call: &Call<'_>) -> Outcome {
    Ok(Value::bool(match call.value(0)? {
        Value::Text(text) | Value::Json(text) => Json::parse(text).is_ok(),
        _ => false,
    }))
}

/// The document of the first argument, or the part of it at the path of the second; NULL if there is none.
fn part(call: &Call<'_>) -> Result<Json, Stop> {
    if call.count() == 1 {
        return document(call, 0);
    }
    let path = single_path(call, 1)?;
    let document = document(call, 0)?;
    some(path.select(&document).first().copied().cloned())
}

fn length(call: &Call<'_>) -> Outcome {
    count(match part(call)? {
        Json::Array(items) => items.len(),
        Json::Object(members) => members.len(),
        _ => 1,
    })
}

fn keys(call: &Call<'_>) -> Outcome {
    match part(call)? {
        Json::Object(members) => shown(call, &Json::Array(members.into_keys().map(|key| Json::Text(key.0)).collect())),
        _ => Err(Stop::Null),
    }
}

fn type_name(json: &Json) -> &'static str {
    match json {
        Json::Null => "NULL",
        Json::Bool(_) => "BOOLEAN",
        Json::Int(_) => "INTEGER",
        Json::UInt(_) => "UNSIGNED INTEGER",
        Json::Double(_) => "DOUBLE",
        Json::Decimal(_) => "DECIMAL",
        Json::Text(_) => "STRING",
        Json::Array(_) => "ARRAY",
        Json::Object(_) => "OBJECT",
    }
}

/// A scalar as text; NULL if there is none at the path.
fn value(call: &Call<'_>) -> Outcome {
    match part(call)? {
        Json::Null | Json::Array(_) | Json::Object(_) => Err(Stop::Null),
        Json::Text(text) => Ok(Value::text(text)),
        scalar => Ok(Value::text(scalar.to_string())),
    }
}

fn pretty(call: &Call<'_>) -> Outcome {
    let text = document(call, 0)?.pretty(RESULT_BYTES_MAX);
    call.allow(text.len())?;
    Ok(Value::text(text))
}

/// What a JSON value compares as with text: a string is its content, all else is as it is shown.
fn scalar_text(call: &Call<'_>) -> Outcome {
    Ok(Value::text(match document(call, 0)? {
        Json::Text(text) => text,
        other => other.to_string(),
    }))
}

/// The value of SQL that the text of a JSON scalar is: a number, a text, 1 or 0, NULL of `null`. Arrays, objects, and what
/// is no JSON stay what they are.
pub fn json_scalar(json: &str) -> Value<'_> {
    match Json::parse(json) {
        Ok(Json::Null) => Value::Null,
        Ok(Json::Bool(truth)) => Value::bool(truth),
        Ok(Json::Int(number)) => Value::Int(number),
        Ok(Json::UInt(number)) => Value::UInt(number),
        Ok(Json::Double(number)) => Value::Double(number),
        Ok(Json::Decimal(number)) => Value::Decimal(number),
        Ok(Json::Text(text)) => Value::text(text),
        Ok(Json::Array(_) | Json::Object(_)) | Err(_) => Value::Json(json.into()),
    }
}
