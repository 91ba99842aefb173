//! `raft_status`: how one replica sees the Raft group.

use unum_client::Table;
use unum_proto::model::{DataType, Invalid, TableSnapshot, Value};

use crate::consensus::{Group, Role};

/// One row.
pub const COLUMNS: &[(&str, DataType, &str)] = &[
    ("replica", DataType::UInt64, "the replica"),
    ("addr", DataType::Text, "its gRPC address"),
    ("role", DataType::Text, "leader, follower or learner"),
    ("term", DataType::UInt64, "the term that it is in"),
    ("leader", DataType::UInt64, "who leads, as far as it knows"),
    ("last_log", DataType::UInt64, "the last entry of its log"),
    ("applied", DataType::UInt64, "the revision of its state"),
    ("state_hash", DataType::Text, "the hash of that state"),
    ("log_bytes", DataType::UInt64, "bytes of the log entries that it keeps, roughly"),
    ("voters", DataType::UInt64, "members that vote"),
    ("learners", DataType::UInt64, "members that do not"),
];

/// The table as of now.
pub fn table(group: &Group) -> Result<TableSnapshot, Invalid> {
    let members = group.members();
    let own = members.members.iter().find(|member| member.id == group.replica());
    let learners = members.members.iter().filter(|member| member.role == Role::Learner).count();
    let row: [Value; COLUMNS.len()] = [
        group.replica().into(),
        own.map(|own| own.addr.as_str()).into(),
        own.map(|own| own.role.as_str()).into(),
        members.term.into(),
        members.leader.into(),
        own.and_then(|own| own.last_log).into(),
        own.and_then(|own| own.applied).into(),
        own.and_then(|own| own.state_hash).map(|hash| format!("{hash:016x}")).into(),
        group.log_bytes().into(),
        ((members.members.len() - learners) as u64).into(),
        (learners as u64).into(),
    ];
    Ok(Table::new("raft_status", COLUMNS)?.row(row).snapshot())
}
