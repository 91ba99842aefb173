//! What the functions of JSON take and give: documents, paths, `one` or `all`.

use crate::sql::mysql::functions::definition::{Call, Outcome, Stop};
use crate::sql::mysql::functions::json::path::Path;
use crate::sql::mysql::functions::json::value::Json;
use crate::sql::mysql::value::Value;

/// The document of an argument; ends the evaluation with NULL if it is none: a text of one node that is no JSON does not
/// end a statement over all.
pub fn document(call: &Call<'_>, at: usize) -> Result<Json, Stop> {
    let text = call.text(at)?;
    Json::parse(&text).map_err(|_| Stop::Null)
}

/// The path of an argument; ends the evaluation if it is NULL or none.
pub fn path(call: &Call<'_>, at: usize) -> Result<Path, Stop> {
    let text = call.text(at)?;
    Path::parse(&text).map_err(|at| {
        Stop::error(format!("Invalid JSON path expression. The error is around character position {at}."))
    })
}

/// A path that leads to one place at most.
pub fn single_path(call: &Call<'_>, at: usize) -> Result<Path, Stop> {
    let path = path(call, at)?;
    match path.is_many() {
        true => Err(Stop::error(
            "In this situation, path expressions may not contain the * and ** tokens or an array range.",
        )),
        false => Ok(path),
    }
}

/// Whether an argument that says `one` or `all` says `all`.
pub fn says_all(call: &Call<'_>, at: usize) -> Result<bool, Stop> {
    let text = call.text(at)?;
    match text.to_ascii_lowercase().as_str() {
        "one" => Ok(false),
        "all" => Ok(true),
        _ => Err(Stop::error(format!("The oneOrAll argument to {} may take these values: 'one' or 'all'.", call.name))),
    }
}

/// A document as a result.
pub fn shown(call: &Call<'_>, json: &Json) -> Outcome {
    let text = json.to_string();
    call.allow(text.len())?;
    Ok(Value::Json(text.into()))
}
