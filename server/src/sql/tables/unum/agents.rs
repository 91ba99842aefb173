//! `unum.cluster_agents`: what is wrong with the publishers of nodes, as far as the catalog knows.

use unum_proto::model::{Row, TableRefusal};
use unum_proto::typed_rows;

use crate::catalog::Node;
use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(node: &Node, problem: &str, refusal: &TableRefusal) {
        let key = &node.description.key;
    }
    "node_type": Text, "type of the node" => key.node_type.as_str();
    "node_id": Text, "id of the node" => key.id.as_str();
    "problem": Text, "table refused" => problem;
    "table_name": Text, "the table that it is about" => refusal.table.as_str();
    "message": Text, "what is wrong, and what to do" => refusal.why.as_str();
    "pushed_at": Timestamp, "when the push came of which this is told, by the leader's clock" => node.received_at_us;
    "revision": UInt64, "the revision of that push" => node.revision;
}

/// One row a problem, by node.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "cluster_agents",
    comment: "what is wrong with what nodes push: tables that were refused, and why",
    columns: COLUMNS,
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let refused =
        |node: &Node| node.refused.iter().map(|refusal| row(node, "table refused", refusal)).collect::<Vec<_>>();
    view.state.nodes.values().flat_map(|node| refused(node.value())).collect()
}
