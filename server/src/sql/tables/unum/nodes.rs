//! `unum.nodes`: every node that pushed, the removed ones that are remembered included.

use unum_proto::model::Row;
use unum_proto::typed_rows;

use crate::catalog::Node;
use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

typed_rows! {
    /// One column a fact of a node.
    const COLUMNS;
    fn row(node: &Node) {
        let description = &node.description;
        let labels = serde_json::to_string(&description.labels).expect("a map of strings is JSON");
    }
    "node_type": Text, "kind of node" => description.key.node_type.as_str();
    "id": Text, "unique within the type" => description.key.id.as_str();
    "status": Text, "up; stale after its TTL without a push, down after three; removed by hand" => node.status.as_str();
    "status_since": Timestamp, "when the status became what it is, by the leader's clock" => node.status_since_us;
    "ttl_ms": UInt64, "how long the node may be silent before it is stale" => description.ttl_ms;
    "ip": Text, "the address under which the node is reached, as it says" => description.ip.as_str();
    "version": Text, "the version of what runs there, as it says" => description.version.as_str();
    "labels": Text, "the node's labels as JSON" => labels;
    "epoch": UInt64, "the node's incarnation" => node.epoch;
    "sequence": UInt64, "the last applied push of that incarnation" => node.sequence;
    "received_at": Timestamp, "when the leader took that push in, by its clock" => node.received_at_us;
    "revision": UInt64, "the revision of that push" => node.revision;
}

/// One row a node, by type and id.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "nodes",
    comment: "every node of the catalog",
    columns: COLUMNS,
    reads: Reads::Nodes,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    view.state.nodes.values().map(|node| row(node)).collect()
}
