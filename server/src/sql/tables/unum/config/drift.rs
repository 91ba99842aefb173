//! `unum.config_drift`: settings that are not what is wanted of them, or not what their peers have.

use std::collections::BTreeMap;

use unum_proto::model::{ConfigOutcome, DataType, NodeKey, Row, Value};

use super::shown;
use crate::catalog::State;
use crate::catalog::config::{ConfigRow, Desired, TargetState, config_rows};
use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

/// One row a setting and reason.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "config_drift",
    comment: "settings that are not what was wanted of them, or that differ inside one node type",
    columns: &[
        ("node_type", DataType::Text, "the node's type"),
        ("node_id", DataType::Text, "the node"),
        ("key", DataType::Text, "the setting"),
        (
            "reason",
            DataType::Text,
            "desired: it is not what a change set; peers: nodes of the type have different values",
        ),
        (
            "expected",
            DataType::Text,
            "what a change set, or what most nodes of the type have; NULL if there is no such value",
        ),
        ("actual", DataType::Text, "the value in the node's last push"),
        ("change_id", DataType::UInt64, "the change that set it"),
        ("state", DataType::Text, "how far that change is on the node"),
    ],
    reads: Reads::Pushed("config"),
    rows,
};

type Published<'a> = BTreeMap<&'a NodeKey, BTreeMap<&'a str, ConfigRow<'a>>>;

fn rows(view: &View) -> Vec<Row> {
    let state: &State = &view.state;
    let nodes = state.config.since.keys();
    let published: Published<'_> = nodes.filter_map(|node| Some((node, config_rows(state, node)?))).collect();
    let mut rows = from_desired(state, &published);
    rows.extend(from_peers(&published));
    rows
}

fn row(node: &NodeKey, key: &str, reason: &str, values: [Value; 2], change: [Value; 2]) -> Row {
    let [expected, actual] = values;
    let [change, state] = change;
    vec![
        node.node_type.as_str().into(),
        node.id.as_str().into(),
        key.into(),
        reason.into(),
        expected,
        actual,
        change,
        state,
    ]
}

fn from_desired(state: &State, published: &Published<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (node, desired) in &state.config.desired {
        for (key, desired) in desired {
            let actual = published.get(node).and_then(|keys| keys.get(key.as_str()));
            let has = actual.map_or(Some(false), |actual| actual.has(&desired.value));
            let Some(of_change) = heard_of(state, node, key, desired) else { continue };
            if has == Some(false) {
                let secret = actual.is_some_and(|actual| actual.secret);
                let values = [shown(Some(&desired.value), secret), shown(actual.and_then(|row| row.value), secret)];
                rows.push(row(node, key, "desired", values, [desired.change.into(), of_change.into()]));
            }
        }
    }
    rows
}

/// The state of a desired value, if the node has pushed since it said that it applied it: before, it cannot show.
fn heard_of(state: &State, node: &NodeKey, key: &str, desired: &Desired) -> Option<&'static str> {
    let target = state.config.targets.get(&desired.change).and_then(|t| t.get(&(node.clone(), key.to_owned())));
    let Some(target) = target else { return Some("applied") };
    let applied = target.state == TargetState::Decided(ConfigOutcome::Applied);
    let table = state.tables.iter().find(|(name, _)| name.as_str() == "config")?.1;
    let pushed = table.snapshots.get(node).map_or(0, |snapshot| snapshot.revision);
    (!applied || target.reported_at.is_none_or(|reported| pushed > reported)).then(|| target.state.as_str())
}

/// What most nodes of a type have is what is expected of the others.
fn from_peers(published: &Published<'_>) -> Vec<Row> {
    // By type and key: how many nodes have each value.
    let mut values: BTreeMap<(&str, &str), BTreeMap<&str, usize>> = BTreeMap::new();
    for (node, keys) in published {
        for (key, row) in keys.iter().filter(|(_, row)| !row.secret) {
            let of_key = values.entry((node.node_type.as_str(), key)).or_default();
            *of_key.entry(row.value.unwrap_or_default()).or_default() += 1;
        }
    }
    let mut rows = Vec::new();
    for (node, keys) in published {
        for (key, own) in keys.iter().filter(|(_, row)| !row.secret) {
            let Some(of_key) = values.get(&(node.node_type.as_str(), *key)) else { continue };
            let most = of_key.values().copied().max().unwrap_or_default();
            let mut most_frequent = of_key.iter().filter(|(_, count)| **count == most).map(|(value, _)| *value);
            // Where no value is more frequent than all others none is expected, and every one is shown.
            let expected = most_frequent.next().filter(|_| most_frequent.next().is_none());
            let differs_from = |other: &str| !own.data_type.same(own.value.unwrap_or_default(), other);
            let differs = match expected {
                Some(expected) => differs_from(expected),
                None => of_key.keys().any(|other| differs_from(other)),
            };
            if differs {
                let values = [expected.into(), own.value.into()];
                rows.push(row(node, key, "peers", values, [Value::Null, Value::Null]));
            }
        }
    }
    rows
}
