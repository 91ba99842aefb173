//! `unum.config_history`: every value that a setting had, and since when it has the one it has.

use unum_proto::model::{DataType, Row, Value};

use super::shown;
use crate::catalog::config::{ConfigSpan, config_rows};
use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

/// One row a value, by node, key and time.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "config_history",
    comment: "every value of every setting with the revisions between which it was; the last 32 of each",
    columns: &[
        ("node_type", DataType::Text, "the node's type"),
        ("node_id", DataType::Text, "the node"),
        ("key", DataType::Text, "the setting"),
        ("value", DataType::Text, "its value; NULL where the node did not publish the key"),
        ("from_revision", DataType::UInt64, "the first revision that has it"),
        ("until_revision", DataType::UInt64, "the first revision that has another one; NULL for the value of now"),
        ("from_time", DataType::Timestamp, "when that was, by the leader's clock"),
        ("until_time", DataType::Timestamp, "when it ended"),
        ("change_id", DataType::UInt64, "the change that set it; NULL if it was not changed from here"),
    ],
    reads: Reads::Pushed("config"),
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let config = &view.state.config;
    let mut rows = Vec::new();
    for (node, since) in &config.since {
        let now = config_rows(&view.state, node).unwrap_or_default();
        let past = config.spans.get(node);
        let mut keys: std::collections::BTreeSet<&str> = now.keys().copied().collect();
        keys.extend(past.into_iter().flatten().map(|((key, _), _)| key.as_str()));
        for key in keys {
            let secret = now.get(key).is_some_and(|row| row.secret);
            let (mut from_time, mut by) = (since.at_us, None::<u64>);
            let mut from = since.revision;
            let mut row =
                |value: Option<&str>, from: u64, from_time: i64, by: Option<u64>, ended: Option<&ConfigSpan>| {
                    rows.push(vec![
                        node.node_type.as_str().into(),
                        node.id.as_str().into(),
                        key.into(),
                        shown(value, secret),
                        from.into(),
                        ended.map_or(Value::Null, |span| span.until.into()),
                        Value::Timestamp(from_time),
                        ended.map_or(Value::Null, |span| Value::Timestamp(span.until_us)),
                        by.map_or(Value::Null, Into::into),
                    ]);
                };
            let (first, last) = ((key.to_owned(), 0), (key.to_owned(), u64::MAX));
            for ((_, began), span) in past.into_iter().flat_map(|past| past.range(first.clone()..=last.clone())) {
                row(span.value.as_deref(), *began, from_time, by, Some(span));
                (from, from_time, by) = (span.until, span.until_us, span.ended_by);
            }
            if let Some(current) = now.get(key) {
                row(current.value, from, from_time, by, None);
            }
        }
    }
    rows
}
