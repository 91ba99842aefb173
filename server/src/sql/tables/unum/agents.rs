//! `unum.cluster_agents`: what is wrong with the publishers of nodes, as far as the catalog knows.

use unum_proto::model::{NodeKey, Row};
use unum_proto::typed_rows;

use crate::catalog::{Node, Publisher};
use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(key: &NodeKey, problem: &Problem<'_>) {}
    "node_type": Text, "type of the node" => key.node_type.as_str();
    "node_id": Text, "id of the node" => key.id.as_str();
    "problem": Text, "table refused, not read, or two publishers" => problem.kind;
    "table_name": Text, "the table that it is about" => problem.table;
    "message": Text, "what is wrong, and what to do" => problem.message.as_str();
    "pushed_at": Timestamp, "when that was asked for of which this is told, by the leader's clock" => problem.at_us;
    "revision": UInt64, "the revision of that push" => problem.revision;
}

struct Problem<'a> {
    kind: &'a str,
    table: Option<&'a str>,
    message: String,
    at_us: i64,
    revision: Option<u64>,
}

/// One row a problem, by node.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "cluster_agents",
    comment: "what is wrong with what nodes push: tables that were refused, what of a host does not answer, names that two publishers want",
    columns: COLUMNS,
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let refused = view.state.nodes.values().flat_map(|node| refused_tables(node.value()));
    let rivals = view.state.publishers.iter().filter_map(|(key, publisher)| rival(key, publisher.value()));
    refused.chain(rivals).collect()
}

fn refused_tables(node: &Node) -> Vec<Row> {
    let problem = |refusal: &unum_proto::model::TableRefusal| {
        let table = Some(refusal.table.as_str()).filter(|table| !table.is_empty());
        let problem = Problem {
            kind: if table.is_some() { "table refused" } else { "not read" },
            table,
            message: refusal.why.clone(),
            at_us: node.received_at_us,
            revision: Some(node.revision),
        };
        row(&node.description.key, &problem)
    };
    node.refused.iter().map(problem).collect()
}

fn rival(key: &NodeKey, publisher: &Publisher) -> Option<Row> {
    let rival = publisher.rival.as_ref()?;
    let evidence = rival.instance.evidence();
    let message = format!(
        "instance {} on host {} ({}) asks for the name that {} has; stop one of them, give it another id, or let it take \
         the name with --take-over",
        rival.instance.id(),
        evidence.host,
        evidence.ip,
        publisher.described(),
    );
    Some(row(key, &Problem { kind: "two publishers", table: None, message, at_us: rival.last_us, revision: None }))
}
