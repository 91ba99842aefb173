//! `unum.replicas`: the members of the Raft group, as the answering replica knows them.

use unum_proto::model::{DataType, Row};

use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, ReplicaRow, SystemTable, View};

/// One row a member, by id. How far another one is comes from its last report to the leader, a second old at most.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "replicas",
    comment: "the members of the Raft group, as the answering replica knows them",
    columns: &[
        ("id", DataType::UInt64, "the replica"),
        ("addr", DataType::Text, "its gRPC address"),
        ("role", DataType::Text, "leader, follower or learner"),
        ("term", DataType::UInt64, "the term of the answering replica"),
        ("last_log", DataType::UInt64, "the last entry of its log, as last reported"),
        ("applied", DataType::UInt64, "the revision of its state, as last reported"),
        ("lag", DataType::UInt64, "entries that the leader has and it does not, as last reported"),
        ("state_hash", DataType::Text, "the hash of its state at revision applied: equal on all at equal revision"),
    ],
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let row = |replica: &ReplicaRow| {
        vec![
            replica.id.into(),
            replica.addr.as_str().into(),
            replica.role.into(),
            replica.term.into(),
            replica.last_log.into(),
            replica.applied.into(),
            replica.lag.into(),
            replica.state_hash.map(|hash| format!("{hash:016x}")).into(),
        ]
    };
    view.live.replicas().iter().map(row).collect()
}
