//! `unum.nodes`: every node that ever pushed.

use unum_proto::model::{DataType, Row, Value};

use crate::catalog::{Hashed, Node};
use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

/// One row a node, by type and id.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "nodes",
    comment: "every node of the catalog",
    columns: &[
        ("node_type", DataType::Text, "kind of node"),
        ("id", DataType::Text, "unique within the type"),
        ("status", DataType::Text, "up; stale after its TTL without a push, down after three; removed by hand"),
        ("status_since", DataType::Timestamp, "when the status became what it is, by the leader's clock"),
        ("ttl_ms", DataType::UInt64, "how long the node may be silent before it is stale"),
        ("ip", DataType::Text, "the address under which the node is reached, as it says"),
        ("version", DataType::Text, "the version of what runs there, as it says"),
        ("labels", DataType::Text, "the node's labels as JSON"),
        ("epoch", DataType::UInt64, "the node's incarnation"),
        ("sequence", DataType::UInt64, "the last applied push of that incarnation"),
        ("received_at", DataType::Timestamp, "when the leader took that push in, by its clock"),
        ("revision", DataType::UInt64, "the revision of that push"),
    ],
    reads: Reads::Nodes,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let row = |node: &std::sync::Arc<Hashed<Node>>| {
        let description = &node.description;
        let labels = serde_json::to_string(&description.labels).expect("a map of strings is JSON");
        vec![
            description.key.node_type.as_str().into(),
            description.key.id.as_str().into(),
            node.status.as_str().into(),
            Value::Timestamp(node.status_since_us),
            u64::from(description.ttl_ms).into(),
            description.ip.as_str().into(),
            description.version.as_str().into(),
            labels.into(),
            node.epoch.into(),
            node.sequence.into(),
            Value::Timestamp(node.received_at_us),
            node.revision.into(),
        ]
    };
    view.state.nodes.values().map(row).collect()
}
