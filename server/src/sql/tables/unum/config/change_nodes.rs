//! `unum.config_change_nodes`: what each change sets, and how far each node is with it.

use unum_proto::model::{CONFIG_TABLE, ChangeId, Row};
use unum_proto::typed_rows;

use super::shown;
use crate::catalog::State;
use crate::catalog::config::{Setting, Target, config_row};
use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(state: &State, id: ChangeId, setting: &Setting, target: &Target) {
        let actual = config_row(state, &setting.node, &setting.key).and_then(|row| row.value);
    }
    "change_id": UInt64, "the change" => id;
    "node_type": Text, "the node's type" => setting.node.node_type.as_str();
    "node_id": Text, "the node" => setting.node.id.as_str();
    "key": Text, "the setting" => setting.key.as_str();
    "old": Text, "its value at the commit; masked where it is a secret" => shown(target.old.as_deref(), target.secret);
    "desired": Text, "the value that it is to have" => shown(Some(&target.value), target.secret);
    "actual": Text, "the value in the node's last push" => shown(actual, target.secret);
    "state": Text, "waiting (behind the canaries), pending, applied, needs restart, failed, rejected, cancelled" => target.state.as_str();
    "error": Text, "why it is not applied" => target.state.error();
    "attempts": UInt64, "how often the node has tried" => target.attempts;
    "applied_at": Timestamp, "when the node last said something of it, by the leader's clock" => target.reported_at_us;
}

/// One row a change and setting, by change, node and key.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "config_change_nodes",
    comment: "what each change sets, and what came of it",
    columns: COLUMNS,
    reads: Reads::Pushed(CONFIG_TABLE),
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let mut rows = Vec::new();
    for (id, targets) in &view.state.config.targets {
        rows.extend(targets.iter().map(|(setting, target)| row(&view.state, *id, setting, target)));
    }
    rows
}
