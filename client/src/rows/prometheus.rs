//! The text format of Prometheus and OpenMetrics: a row a sample, with its name, its labels as JSON, its value and its type.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};
use unum_proto::model::Invalid;

use super::error::{at, quoted};
use super::ndjson::Rows;
use super::sheet::Sheet;
use super::types::Cell;

/// The ends of names that belong to a metric of another name.
const ENDS: [&str; 6] = ["_bucket", "_sum", "_count", "_total", "_created", "_info"];

pub(super) fn read(text: &str) -> Result<Sheet, Invalid> {
    let mut rows = Rows::default();
    let mut types: HashMap<&str, &str> = HashMap::new();
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim();
        if let Some(comment) = text.strip_prefix('#') {
            let mut words = comment.split_whitespace();
            if let (Some("TYPE"), Some(name), Some(kind)) = (words.next(), words.next(), words.next()) {
                types.insert(name, kind);
            }
            continue;
        }
        if text.is_empty() {
            continue;
        }
        let Sample { name, labels, value } = sample(text).ok_or_else(|| {
            at(line, format!("{} is no sample", quoted(text)), "write it as name{label=\"text\"} 1.5")
        })?;
        let base = ENDS.iter().find_map(|end| types.get(name.strip_suffix(end)?));
        let kind = types.get(name).or(base);
        // What is not finite is nothing that a column could have.
        let value = value.parse::<f64>().is_ok_and(f64::is_finite).then(|| Cell::untyped(&decimal(value)));
        rows.add_members(
            line,
            [
                ("name".to_owned(), Some(Cell::string(name.to_owned()))),
                ("labels".to_owned(), Some(Cell::nested(Json::Object(labels).to_string()))),
                ("value".to_owned(), value),
                ("type".to_owned(), kind.map(|kind| Cell::string((*kind).to_owned()))),
            ],
        )?;
    }
    Ok(rows.into_sheet())
}

struct Sample<'a> {
    name: &'a str,
    labels: Map<String, Json>,
    value: &'a str,
}

/// A line that is no comment.
pub(super) fn is_sample(line: &str) -> bool {
    sample(line).is_some()
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    let end = line.find(|c: char| !is_name(c))?;
    let (name, rest) = line.split_at(end);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':')) {
        return None;
    }
    let mut labels = Map::new();
    let rest = match rest.strip_prefix('{') {
        Some(inside) => read_labels(inside, &mut labels)?,
        None => rest,
    };
    let value = rest.split_whitespace().next()?;
    value.parse::<f64>().is_ok().then_some(Sample { name, labels, value })
}

/// What is behind the labels.
fn read_labels<'a>(mut rest: &'a str, labels: &mut Map<String, Json>) -> Option<&'a str> {
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(behind) = rest.strip_prefix('}') {
            return Some(behind);
        }
        let (name, behind) = rest.split_once('=')?;
        let inside = behind.trim_start().strip_prefix('"')?;
        let mut value = String::new();
        let mut chars = inside.char_indices();
        let end = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') => match chars.next()?.1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (_, c) => value.push(c),
            }
        };
        labels.insert(name.trim().to_owned(), Json::String(value));
        rest = &inside[end + 1..];
    }
}

/// `1e+06` and `+5` as anybody writes them.
fn decimal(value: &str) -> String {
    match value.parse::<f64>() {
        Ok(number) if number.fract() != 0.0 || number.abs() > 1e15 => format!("{number:e}"),
        Ok(number) => format!("{number}"),
        Err(_) => value.to_owned(),
    }
}
