//! `unum.config_change_nodes`: what each change sets, and how far each node is with it.

use unum_proto::model::{DataType, Row, Value};

use super::shown;
use crate::catalog::config::config_row;
use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

/// One row a change and setting, by change, node and key.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "config_change_nodes",
    comment: "what each change sets, and what came of it",
    columns: &[
        ("change_id", DataType::UInt64, "the change"),
        ("node_type", DataType::Text, "the node's type"),
        ("node_id", DataType::Text, "the node"),
        ("key", DataType::Text, "the setting"),
        ("old", DataType::Text, "its value at the commit; masked where it is a secret"),
        ("desired", DataType::Text, "the value that it is to have"),
        ("actual", DataType::Text, "the value in the node's last push"),
        (
            "state",
            DataType::Text,
            "waiting (behind the canaries), pending, applied, needs restart, failed, rejected, cancelled",
        ),
        ("error", DataType::Text, "why it is not applied"),
        ("attempts", DataType::UInt64, "how often the node has tried"),
        ("applied_at", DataType::Timestamp, "when the node last said something of it, by the leader's clock"),
    ],
    reads: Reads::Pushed("config"),
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let mut rows = Vec::new();
    for (id, targets) in &view.state.config.targets {
        for ((node, key), target) in targets {
            let actual = config_row(&view.state, node, key).and_then(|row| row.value);
            rows.push(vec![
                (*id).into(),
                node.node_type.as_str().into(),
                node.id.as_str().into(),
                key.as_str().into(),
                shown(target.old.as_deref(), target.secret),
                shown(Some(&target.value), target.secret),
                shown(actual, target.secret),
                target.state.as_str().into(),
                target.state.error().into(),
                u64::from(target.attempts).into(),
                target.reported_at_us.map_or(Value::Null, Value::Timestamp),
            ]);
        }
    }
    rows
}
