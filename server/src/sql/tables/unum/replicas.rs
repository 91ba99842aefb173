//! `unum.replicas`: the members of the Raft group, as the answering replica knows them.

use unum_proto::model::Row;
use unum_proto::typed_rows;

use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, ReplicaRow, SystemTable, View};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(replica: &ReplicaRow) {}
    "id": UInt64, "the replica" => replica.id;
    "addr": Text, "its gRPC address" => replica.addr.as_str();
    "role": Text, "leader, follower or learner" => replica.role;
    "term": UInt64, "the term of the answering replica" => replica.term;
    "last_log": UInt64, "the last entry of its log, as last reported" => replica.last_log;
    "applied": UInt64, "the revision of its state, as last reported" => replica.applied;
    "lag": UInt64, "entries that the leader has and it does not, as last reported" => replica.lag;
    "state_hash": Text, "the hash of its state at revision applied: equal on all at equal revision" => replica.state_hash.map(|hash| format!("{hash:016x}"));
}

/// One row a member, by id. How far another one is comes from its last report to the leader, a second old at most.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "replicas",
    comment: "the members of the Raft group, as the answering replica knows them",
    columns: COLUMNS,
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    view.live.replicas().iter().map(row).collect()
}
