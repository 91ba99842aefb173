//! `unum.publishers`: who publishes under the name of each node, and who else wants to.

use unum_proto::model::{NodeKey, Row};
use unum_proto::typed_rows;

use crate::catalog::{NodeStatus, Publisher, State};
use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(node: &NodeKey, publisher: &Publisher, status: &str) {
        let evidence = publisher.instance.evidence();
        let rival = publisher.rival.as_ref();
        let of_rival = rival.map(|rival| rival.instance.evidence());
    }
    "node_type": Text, "type of the node" => node.node_type.as_str();
    "node_id": Text, "id of the node" => node.id.as_str();
    "status": Text, "live: its TTL runs; registered: it has not pushed yet; silent: another one may have the name; released: it has given it back" => status;
    "epoch": UInt64, "the epoch of its pushes" => publisher.epoch;
    "instance": Text, "the id that it keeps over restarts" => publisher.instance.id();
    "host": Text, "the name of its host" => evidence.host.as_str();
    "ip": Text, "its address" => evidence.ip.as_str();
    "machine_id": Text, "what its system calls the machine" => evidence.machine_id.as_str();
    "boot_id": Text, "what its kernel calls this boot" => evidence.boot_id.as_str();
    "since": Timestamp, "when it was given the name, by the leader's clock" => publisher.since_us;
    "rival_instance": Text, "the publisher that asked for the name last, while this one was live" => rival.map(|rival| rival.instance.id());
    "rival_host": Text, "the name of its host" => of_rival.map(|evidence| evidence.host.as_str());
    "rival_ip": Text, "its address" => of_rival.map(|evidence| evidence.ip.as_str());
    "rival_machine_id": Text, "what its system calls the machine" => of_rival.map(|evidence| evidence.machine_id.as_str());
    "rival_since": Timestamp, "when it asked first, by the leader's clock" => rival.map(|rival| rival.since_us);
    "rival_last": Timestamp, "when it asked last, ten seconds earlier at most" => rival.map(|rival| rival.last_us);
}

/// One row a registered name.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "publishers",
    comment: "who publishes under the name of each node, where, since when, and who else wants to",
    columns: COLUMNS,
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let state = &view.state;
    state.publishers.iter().map(|(node, publisher)| row(node, publisher, status(state, node, publisher))).collect()
}

fn status(state: &State, node: &NodeKey, publisher: &Publisher) -> &'static str {
    match state.nodes.get(node) {
        _ if publisher.released => "released",
        Some(node) if node.epoch == publisher.epoch && node.status == NodeStatus::Up => "live",
        Some(node) if node.epoch == publisher.epoch => "silent",
        _ => "registered",
    }
}
