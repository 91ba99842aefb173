//! The tables that an agent publishes about its host, a file each: its columns, and how its rows are read.

pub(super) mod hardware;
pub(super) mod load;
pub(super) mod processes;
pub(super) mod systeminfo;

use std::collections::BTreeMap;

#[cfg(test)]
use unum_proto::model::Value;
use unum_proto::model::{DataType, Row};

/// A table that an agent publishes about its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedTable {
    /// The table's name on one node; over all nodes it is `cluster_` and this.
    pub name: &'static str,
    /// What its rows are.
    pub comment: &'static str,
    /// Its columns: name, type, and what it means, with its unit.
    pub columns: &'static [(&'static str, DataType, &'static str)],
}

/// Characters of a value or a command line: a host with a thousand addresses must not make a row that is refused.
const TEXT_CHARS_MAX: usize = 1024;

/// Rows of four texts, as TiDB has them: which kind of thing, which one, which of its properties, and the value.
#[derive(Debug)]
struct Items(Vec<Row>);

impl Items {
    fn add(&mut self, kind: &str, device: &str, name: &str, value: impl Into<Option<String>>) {
        let value = value.into().map(clipped);
        self.0.push(vec![kind.into(), device.into(), name.into(), value.into()]);
    }
}

/// A text that may be longer than its reader wants it.
fn clipped(text: String) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Devices of one kind in one table. A container host has a network device for each container, more than anyone reads.
const DEVICES_MAX: usize = 128;

/// Bounds on rows, and which of them are passed.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    /// By what there is too much of: how many are published, and how many there are.
    passed: BTreeMap<&'static str, (usize, usize)>,
}

impl Bounds {
    fn hold<T>(&mut self, what: &'static str, items: &mut Vec<T>, max: usize) {
        if items.len() <= max {
            self.passed.remove(what);
            return;
        }
        self.passed.insert(what, (max, items.len()));
        items.truncate(max);
    }

    /// What there is too much of, in words.
    pub(super) fn told(&self) -> impl Iterator<Item = String> {
        let told = |(what, (published, of)): (&&str, &(usize, usize))| {
            format!("too many {what}: {published} of {of} are published")
        };
        self.passed.iter().map(told)
    }
}

/// A part of a whole, 0 to 1 in two digits, as TiDB prints what it calls a percent.
fn share(part: u64, whole: u64) -> Option<String> {
    (whole > 0).then(|| format!("{:.2}", part as f64 / whole as f64))
}

/// The rows as `(kind, device, name, value)`, for tests.
#[cfg(test)]
fn texts(rows: &[Row]) -> Vec<[&str; 4]> {
    rows.iter()
        .map(|row| {
            std::array::from_fn(|i| match &row[i] {
                Value::Text(text) => text.as_str(),
                Value::Null => "NULL",
                other => panic!("{other:?} is no text"),
            })
        })
        .collect()
}
