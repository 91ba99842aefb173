//! Functions that ask whether, and where, JSON has something.

use crate::sql::mysql::functions::definition::{ANY, Call, Definition, Outcome, Stop, some};
use crate::sql::mysql::functions::json::args::{document, path, says_all, shown, single_path};
use crate::sql::mysql::functions::json::path::key_text;
use crate::sql::mysql::functions::json::value::Json;
use crate::sql::mysql::functions::returns;
use crate::sql::mysql::functions::text_search::is_like;
use crate::sql::mysql::value::Value;

/// The functions of this file.
pub static FUNCTIONS: &[Definition] = &[
    Definition::new("json_contains", "json_contains(document, candidate[, path])", (2, 3), returns::bool, contains),
    Definition::new(
        "json_contains_path",
        "json_contains_path(document, 'one' or 'all', path, …)",
        (3, ANY),
        returns::bool,
        contains_path,
    ),
    Definition::new("json_overlaps", "json_overlaps(document, document)", (2, 2), returns::bool, |call| {
        Ok(Value::bool(overlap(&document(call, 0)?, &document(call, 1)?)))
    }),
    Definition::new(
        "json_search",
        "json_search(document, 'one' or 'all', pattern[, escape[, path, …]])",
        (3, ANY),
        returns::json,
        search,
    ),
];

fn contains(call: &Call<'_>) -> Outcome {
    let (target, candidate) = (document(call, 0)?, document(call, 1)?);
    if call.count() < 3 {
        return Ok(Value::bool(has(&target, &candidate)));
    }
    let path = single_path(call, 2)?;
    Ok(Value::bool(has(some(path.select(&target).first().copied())?, &candidate)))
}

/// Whether each part of the candidate is somewhere in the target, at the same keys.
fn has(target: &Json, candidate: &Json) -> bool {
    match (target, candidate) {
        (Json::Array(items), Json::Array(wanted)) => wanted.iter().all(|one| has_item(items, one)),
        (Json::Array(items), one) => has_item(items, one),
        (Json::Object(members), Json::Object(wanted)) => {
            wanted.iter().all(|(key, one)| members.get(key).is_some_and(|member| has(member, one)))
        }
        _ => target.same(candidate),
    }
}

/// Arrays are only in arrays, all else is in arrays and objects too.
fn has_item(items: &[Json], one: &Json) -> bool {
    let array = matches!(one, Json::Array(_));
    items.iter().filter(|item| !array || matches!(item, Json::Array(_))).any(|item| has(item, one))
}

fn contains_path(call: &Call<'_>) -> Outcome {
    let (document, all) = (document(call, 0)?, says_all(call, 1)?);
    for at in 2..call.count() {
        let found = !path(call, at)?.select(&document).is_empty();
        if found != all {
            return Ok(Value::bool(found));
        }
    }
    Ok(Value::bool(all))
}

/// Whether two arrays have an element in common, or two objects a member; what is no array is one of itself.
fn overlap(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Object(a), Json::Object(b)) => {
            a.iter().any(|(key, member)| b.get(key).is_some_and(|other| other.same(member)))
        }
        (Json::Array(a), Json::Array(b)) => a.iter().any(|one| b.iter().any(|other| other.same(one))),
        (Json::Array(items), one) | (one, Json::Array(items)) => items.iter().any(|item| item.same(one)),
        _ => a.same(b),
    }
}

/// The paths of the strings that are like a pattern.
fn search(call: &Call<'_>) -> Outcome {
    let (document, all, pattern) = (document(call, 0)?, says_all(call, 1)?, call.text(2)?);
    let escape = call.any(3).to_text().and_then(|text| text.chars().next()).unwrap_or('\\');
    let paths: Result<Vec<_>, Stop> = (4..call.count()).map(|at| path(call, at)).collect();
    let paths = paths?;
    let roots: Vec<*const Json> = match paths.is_empty() {
        true => vec![&raw const document],
        false => paths.iter().flat_map(|path| path.select(&document)).map(std::ptr::from_ref).collect(),
    };
    let mut found = Vec::new();
    let matches = |text: &str| is_like(text, &pattern, Some(escape));
    find(&document, "$", false, &roots, &matches, &mut found);
    let paths = || found.iter().map(|path| Json::Text(path.clone()));
    match (found.len(), all) {
        (0, _) => Err(Stop::Null),
        (1, _) | (_, false) => shown(call, &some(paths().next())?),
        _ => shown(call, &Json::Array(paths().collect())),
    }
}

/// Goes through a document, and remembers the paths of strings at or below the roots.
fn find(
    value: &Json,
    path: &str,
    below: bool,
    roots: &[*const Json],
    matches: &impl Fn(&str) -> bool,
    found: &mut Vec<String>,
) {
    let below = below || roots.contains(&std::ptr::from_ref(value));
    match value {
        Json::Text(text) if below && matches(text) => found.push(path.to_owned()),
        Json::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                find(item, &format!("{path}[{at}]"), below, roots, matches, found);
            }
        }
        Json::Object(members) => {
            for (key, member) in members {
                find(member, &format!("{path}{}", key_text(&key.0)), below, roots, matches, found);
            }
        }
        _ => {}
    }
}
