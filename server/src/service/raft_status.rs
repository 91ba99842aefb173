//! `raft_status`: how one replica sees the Raft group.

use unum_client::Table;
use unum_proto::model::{Invalid, TableSnapshot};
use unum_proto::typed_rows;

use crate::consensus::{Group, Role};

typed_rows! {
    /// One row.
    pub const COLUMNS;
    fn row(group: &Group) {
        let members = group.members();
        let own = members.members.iter().find(|member| member.id == group.replica());
        let learners = members.members.iter().filter(|member| member.role == Role::Learner).count();
    }
    "replica": UInt64, "the replica" => group.replica();
    "addr": Text, "its gRPC address" => own.map(|own| own.addr.as_str());
    "role": Text, "leader, follower or learner" => own.map(|own| own.role.as_str());
    "term": UInt64, "the term that it is in" => members.term;
    "leader": UInt64, "who leads, as far as it knows" => members.leader;
    "last_log": UInt64, "the last entry of its log" => own.and_then(|own| own.last_log);
    "applied": UInt64, "the revision of its state" => own.and_then(|own| own.applied);
    "state_hash": Text, "the hash of that state" => own.and_then(|own| own.state_hash).map(|hash| format!("{hash:016x}"));
    "log_bytes": UInt64, "bytes of the log entries that it keeps, roughly" => group.log_bytes();
    "voters": UInt64, "members that vote" => (members.members.len() - learners) as u64;
    "learners": UInt64, "members that do not" => learners as u64;
}

/// The table as of now.
pub fn table(group: &Group) -> Result<TableSnapshot, Invalid> {
    Ok(Table::new("raft_status", COLUMNS)?.row(row(group)).snapshot())
}
