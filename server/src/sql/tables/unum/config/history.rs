//! `unum.config_history`: every value that a setting had, and since when it has the one it has.

use std::collections::BTreeSet;

use unum_proto::model::{CONFIG_TABLE, ChangeId, NodeKey, Row};
use unum_proto::typed_rows;

use super::shown;
use crate::catalog::config::config_rows;
use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(node: &NodeKey, key: &str, secret: bool, span: &Span<'_>) {}
    "node_type": Text, "the node's type" => node.node_type.as_str();
    "node_id": Text, "the node" => node.id.as_str();
    "key": Text, "the setting" => key;
    "value": Text, "its value; NULL where the node did not publish the key" => shown(span.value, secret);
    "from_revision": UInt64, "the first revision that has it" => span.from;
    "until_revision": UInt64, "the first revision that has another one; NULL for the value of now" => span.until;
    "from_time": Timestamp, "when that was, by the leader's clock" => span.from_us;
    "until_time": Timestamp, "when it ended" => span.until_us;
    "change_id": UInt64, "the change that set it; NULL if it was not changed from here" => span.by;
}

/// One row a value, by node, key and time.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "config_history",
    comment: "every value of every setting with the revisions between which it was; the last 32 of each",
    columns: COLUMNS,
    reads: Reads::Pushed(CONFIG_TABLE),
    rows,
};

/// A value of a setting, and between which revisions it was.
struct Span<'a> {
    value: Option<&'a str>,
    from: u64,
    from_us: i64,
    until: Option<u64>,
    until_us: Option<i64>,
    /// The change that set it.
    by: Option<ChangeId>,
}

fn rows(view: &View) -> Vec<Row> {
    let config = &view.state.config;
    let mut rows = Vec::new();
    for (node, since) in &config.since {
        let now = config_rows(&view.state, node).unwrap_or_default();
        let past = config.spans.get(node);
        let mut keys: BTreeSet<&str> = now.keys().copied().collect();
        keys.extend(past.into_iter().flatten().map(|((key, _), _)| key.as_str()));
        for key in keys {
            let secret = now.get(key).is_some_and(|row| row.secret);
            let (mut from, mut from_us, mut by) = (since.revision, since.at_us, None);
            let (first, last) = ((key.to_owned(), 0), (key.to_owned(), u64::MAX));
            for ((_, began), span) in past.into_iter().flat_map(|past| past.range(first.clone()..=last.clone())) {
                let value = span.value.as_deref();
                let (until, until_us) = (Some(span.until), Some(span.until_us));
                rows.push(row(node, key, secret, &Span { value, from: *began, from_us, until, until_us, by }));
                (from, from_us, by) = (span.until, span.until_us, span.ended_by);
            }
            if let Some(current) = now.get(key) {
                let current = Span { value: current.value, from, from_us, until: None, until_us: None, by };
                rows.push(row(node, key, secret, &current));
            }
        }
    }
    rows
}
