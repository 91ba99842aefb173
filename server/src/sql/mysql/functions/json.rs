//! JSON in text columns: paths as MySQL writes them (`$.a.b[0]`, `$.*`, `$[*]`).
//!
//! Text that is no JSON is NULL. Objects show their keys in alphabetical order.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::Formatter;

use super::bounded_text;
use super::function::{Arg, Definition, text};

/// What `->` is.
pub const EXTRACT: &str = "json_extract";
/// What `->>` is, around [`EXTRACT`].
pub const UNQUOTE: &str = "json_unquote";

pub static FUNCTIONS: &[Definition] = &[
    Definition::new(EXTRACT, &[Arg::Text, Arg::Text], 2, DataType::Utf8, extract).repeating(),
    Definition::new(UNQUOTE, &[Arg::Text], 1, DataType::Utf8, unquote),
    Definition::new("json_valid", &[Arg::Text], 1, DataType::Boolean, valid),
    Definition::new("json_length", &[Arg::Text, Arg::Text], 1, DataType::Int64, length),
    Definition::new("json_keys", &[Arg::Text, Arg::Text], 1, DataType::Utf8, keys),
    Definition::new("json_type", &[Arg::Text], 1, DataType::Utf8, type_name),
];

fn texts(array: &ArrayRef) -> impl Iterator<Item = Option<&str>> {
    array.as_string::<i32>().iter()
}

fn parse(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
    AllKeys,
    AllIndexes,
}

/// `$`, then `.key`, `."key"`, `.*`, `[3]` or `[*]`.
fn parse_path(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.trim().strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, after) = if let Some(after) = rest.strip_prefix(".*") {
            (Step::AllKeys, after)
        } else if let Some(quoted) = rest.strip_prefix(".\"") {
            let (key, after) = quoted.split_once('"')?;
            (Step::Key(key.to_owned()), after)
        } else if let Some(key) = rest.strip_prefix('.') {
            let end = key.find(['.', '[']).unwrap_or(key.len());
            (end > 0).then_some(())?;
            (Step::Key(key[..end].to_owned()), &key[end..])
        } else {
            let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
            match index.trim() {
                "*" => (Step::AllIndexes, after),
                number => (Step::Index(number.parse().ok()?), after),
            }
        };
        steps.push(step);
        rest = after;
    }
    Some(steps)
}

fn select<'a>(value: &'a Value, steps: &[Step], found: &mut Vec<&'a Value>) {
    let Some((step, rest)) = steps.split_first() else { return found.push(value) };
    match (step, value) {
        (Step::Key(key), Value::Object(object)) => object.get(key).into_iter().for_each(|v| select(v, rest, found)),
        (Step::Index(index), Value::Array(array)) => array.get(*index).into_iter().for_each(|v| select(v, rest, found)),
        // MySQL takes what is no array for one of one element.
        (Step::Index(0), scalar) => select(scalar, rest, found),
        (Step::AllKeys, Value::Object(object)) => object.values().for_each(|v| select(v, rest, found)),
        (Step::AllIndexes, Value::Array(array)) => array.iter().for_each(|v| select(v, rest, found)),
        _ => {}
    }
}

/// The steps of a path that is the same for all rows, or an error that names it.
fn checked_path(path: &str) -> Result<Vec<Step>> {
    match parse_path(path) {
        Some(steps) => Ok(steps),
        None => exec_err!("{path:?} is no JSON path; write $, then .key, .\"key\", [0], .* or [*]"),
    }
}

/// JSON as MySQL shows it: with a space after `,` and `:`.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, out: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, out: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, out: &mut W) -> std::io::Result<()> {
        out.write_all(b": ")
    }
}

fn show(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Spaced);
    value.serialize(&mut serializer).expect("a JSON value is JSON");
    String::from_utf8(out).expect("JSON is UTF-8")
}

fn extract(args: &[ArrayRef]) -> Result<ArrayRef> {
    let paths: Vec<Vec<Option<&str>>> = args[1..].iter().map(|path| texts(path).collect()).collect();
    bounded_text::each_row(EXTRACT, args, |row, out| {
        let document = text(&args[0], row).and_then(parse);
        let mut selected = Vec::new();
        let mut many = paths.len() > 1;
        for path in &paths {
            let Some(path) = path[row] else { continue };
            let steps = checked_path(path)?;
            many |= steps.iter().any(|step| matches!(step, Step::AllKeys | Step::AllIndexes));
            document.iter().for_each(|document| select(document, &steps, &mut selected));
        }
        if let ([one], false) = (selected.as_slice(), many) {
            return out.push(&show(one)).map(Some);
        }
        for (position, one) in selected.iter().enumerate() {
            out.push(if position == 0 { "[" } else { ", " })?;
            out.push(&show(one))?;
        }
        Ok(if selected.is_empty() { None } else { Some(out.push("]")?) })
    })
}

/// The text of a JSON string; anything else as it is.
fn unquote(args: &[ArrayRef]) -> Result<ArrayRef> {
    let plain = |text: &str| match text.starts_with('"').then(|| parse(text)).flatten() {
        Some(Value::String(plain)) => plain,
        _ => text.to_owned(),
    };
    Ok(Arc::new(texts(&args[0]).map(|text| text.map(plain)).collect::<StringArray>()))
}

fn valid(args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(texts(&args[0]).map(|text| text.map(|text| parse(text).is_some())).collect::<BooleanArray>()))
}

/// The part of each document at the path of the second argument, or the whole of it.
fn parts<T>(args: &[ArrayRef], value: impl Fn(&Value) -> Option<T>) -> Result<Vec<Option<T>>> {
    let mut out = Vec::with_capacity(args[0].len());
    for (row, document) in texts(&args[0]).enumerate() {
        let path = args.get(1).map(|path| text(path, row));
        let steps = match path {
            None => Some(Vec::new()),
            Some(path) => path.map(checked_path).transpose()?,
        };
        let document = document.and_then(parse);
        out.push(document.zip(steps).and_then(|(document, steps)| {
            let mut found = Vec::new();
            select(&document, &steps, &mut found);
            value(found.first()?)
        }));
    }
    Ok(out)
}

fn length(args: &[ArrayRef]) -> Result<ArrayRef> {
    let lengths = parts(args, |value| {
        Some(match value {
            Value::Array(array) => array.len() as i64,
            Value::Object(object) => object.len() as i64,
            _ => 1,
        })
    })?;
    Ok(Arc::new(Int64Array::from(lengths)))
}

fn keys(args: &[ArrayRef]) -> Result<ArrayRef> {
    let keys = parts(args, |value| Some(show(&value.as_object()?.keys().collect::<Vec<_>>())))?;
    Ok(Arc::new(StringArray::from(keys)))
}

fn type_name(args: &[ArrayRef]) -> Result<ArrayRef> {
    let name = |value: &Value| match value {
        Value::Null => "NULL",
        Value::Bool(_) => "BOOLEAN",
        Value::Number(number) if number.is_f64() => "DOUBLE",
        Value::Number(_) => "INTEGER",
        Value::String(_) => "STRING",
        Value::Array(_) => "ARRAY",
        Value::Object(_) => "OBJECT",
    };
    Ok(Arc::new(StringArray::from(parts(args, |value| Some(name(value)))?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_mysqls() {
        let key = |key: &str| Step::Key(key.to_owned());
        for (path, expected) in [
            ("$", Some(vec![])),
            ("$.a.b[2]", Some(vec![key("a"), key("b"), Step::Index(2)])),
            ("$.\"a.b\"[*].*", Some(vec![key("a.b"), Step::AllIndexes, Step::AllKeys])),
            ("a", None),
            ("$.", None),
            ("$[x]", None),
            ("$.\"open", None),
        ] {
            assert_eq!(parse_path(path), expected, "{path}");
        }
    }
}
