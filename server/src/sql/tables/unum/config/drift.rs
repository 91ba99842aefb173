//! `unum.config_drift`: settings that are not what is wanted of them, or not what their peers have.

use std::collections::BTreeMap;

use unum_proto::model::secrets::is_secret;
use unum_proto::model::{CONFIG_TABLE, ChangeId, ConfigOutcome, NodeKey, Row};
use unum_proto::typed_rows;

use super::shown;
use crate::catalog::State;
use crate::catalog::config::{ConfigRow, Desired, Setting, TargetState, config_rows};
use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(node: &NodeKey, key: &str, drift: &Drift<'_>) {}
    "node_type": Text, "the node's type" => node.node_type.as_str();
    "node_id": Text, "the node" => node.id.as_str();
    "key": Text, "the setting" => key;
    "reason": Text, "desired: it is not what a change set; peers: nodes of the type have different values" => drift.reason;
    "expected": Text, "what a change set, or what most nodes of the type have; NULL if there is no such value" => drift.expected;
    "actual": Text, "the value in the node's last push" => drift.actual;
    "change_id": UInt64, "the change that set it" => drift.change;
    "state": Text, "how far that change is on the node" => drift.state;
}

/// One row a setting and reason.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "config_drift",
    comment: "settings that are not what was wanted of them, or that differ inside one node type",
    columns: COLUMNS,
    reads: Reads::Pushed(CONFIG_TABLE),
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

/// What is not as it should be.
struct Drift<'a> {
    reason: &'static str,
    expected: Option<&'a str>,
    actual: Option<&'a str>,
    change: Option<ChangeId>,
    state: Option<&'static str>,
}

fn from_desired(state: &State, published: &Published<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (node, desired) in &state.config.desired {
        for (key, desired) in desired {
            let actual = published.get(node).and_then(|keys| keys.get(key.as_str()));
            let has = actual.map_or(Some(false), |actual| actual.has(&desired.value));
            let Some(of_change) = heard_of(state, node, key, desired) else { continue };
            if has == Some(false) {
                let secret = is_secret(key) || actual.is_some_and(|actual| actual.secret);
                let drift = Drift {
                    reason: "desired",
                    expected: shown(Some(&desired.value), secret),
                    actual: shown(actual.and_then(|row| row.value), secret),
                    change: Some(desired.change),
                    state: Some(of_change),
                };
                rows.push(row(node, key, &drift));
            }
        }
    }
    rows
}

/// The state of a desired value, if the node has pushed since it said that it applied it: before, it cannot show.
fn heard_of(state: &State, node: &NodeKey, key: &str, desired: &Desired) -> Option<&'static str> {
    let target = state.config.targets.get(&desired.change).and_then(|t| t.get(&Setting::new(node, key)));
    let Some(target) = target else { return Some("applied") };
    let applied = target.state == TargetState::Decided(ConfigOutcome::Applied);
    let table = state.tables.iter().find(|(name, _)| name.as_str() == CONFIG_TABLE)?.1;
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
                let drift = Drift { reason: "peers", expected, actual: own.value, change: None, state: None };
                rows.push(row(node, key, &drift));
            }
        }
    }
    rows
}
