//! `information_schema.cluster_info`: every node, in TiDB's shape.

use unum_proto::model::Row;
use unum_proto::typed_rows;

use super::pushed;
use crate::catalog::{Node, NodeStatus, Publisher};
use crate::sql::syntax::names::INFORMATION_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(node: &Node, publisher: Option<&Publisher>) {
        let description = &node.description;
        let label = |name: &str| description.labels.get(name);
        let of_epoch = publisher.filter(|publisher| publisher.epoch == node.epoch);
        // The epoch of a publisher that did not register is the microsecond at which it started, if it is a time.
        let clock = i64::try_from(node.epoch).ok().filter(|epoch| (EPOCH_MIN..=node.received_at_us).contains(epoch));
        let started = of_epoch.map(|publisher| publisher.since_us).or(clock);
    }
    "TYPE": Text, "type of the node" => description.key.node_type.as_str();
    "INSTANCE": Text, "the node: its label instance, or its id" => pushed::instance(node);
    "STATUS_ADDRESS": Text, "the node's address, as it says" => description.ip.as_str();
    "VERSION": Text, "the version of what runs there" => description.version.as_str();
    "GIT_HASH": Text, "the commit it was built from: its label git_hash" => label("git_hash");
    "START_TIME": Timestamp, "when this incarnation of the node began" => started;
    "UPTIME": Text, "how long ago, up to the last push" => started.map(|started| uptime(node.received_at_us - started));
    "SERVER_ID": Int64, "its label server_id" => label("server_id").and_then(|id| id.parse::<i64>().ok());
}

/// Every node that is not removed.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "cluster_info",
    comment: "every node that is not removed",
    columns: COLUMNS,
    reads: Reads::Nodes,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let known = view.state.nodes.values().filter(|node| node.status != NodeStatus::Removed);
    let publisher = |node: &Node| view.state.publishers.get(&node.description.key).map(|publisher| publisher.value());
    known.map(|node| row(node, publisher(node))).collect()
}

/// 2000-01-01: a lower epoch is a number that somebody counts, and no time.
const EPOCH_MIN: i64 = 946_684_800_000_000;

/// As TiDB writes it: `26h7m14.5s`.
fn uptime(micros: i64) -> String {
    let seconds = micros as f64 / 1e6;
    let whole = seconds as i64;
    let (hours, minutes) = (whole / 3600, whole / 60 % 60);
    let rest = seconds - (hours * 3600 + minutes * 60) as f64;
    match (hours, minutes) {
        (0, 0) => format!("{rest:.1}s"),
        (0, _) => format!("{minutes}m{rest:.1}s"),
        _ => format!("{hours}h{minutes}m{rest:.1}s"),
    }
}
