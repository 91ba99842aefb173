//! What tables show of this replica at this moment.

use std::fmt;

use unum_proto::model::Row;

use crate::consensus::{Group, Member};
use crate::service::query_log::QueryLog;
use crate::sql::{Live, ReplicaRow};

/// The replica that answers.
#[derive(Clone)]
pub(super) struct LiveReplica {
    pub(super) group: Group,
    pub(super) log: QueryLog,
}

impl fmt::Debug for LiveReplica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveReplica").field("replica", &self.group.replica()).finish_non_exhaustive()
    }
}

impl Live for LiveReplica {
    fn replicas(&self) -> Vec<ReplicaRow> {
        let members = self.group.members();
        let row = |member: Member| ReplicaRow {
            id: member.id,
            addr: member.addr,
            role: member.role.as_str(),
            term: members.term,
            last_log: member.last_log,
            applied: member.applied,
            lag: member.lag,
            state_hash: member.state_hash,
        };
        members.members.into_iter().map(row).collect()
    }

    fn queries(&self) -> Vec<Row> {
        self.log.running()
    }

    fn status(&self) -> Vec<(&'static str, String)> {
        let members = self.group.members();
        let state = self.group.state_reader().newest();
        let mut status = vec![
            ("Unum_leader", members.leader.map_or_else(String::new, |leader| leader.to_string())),
            ("Unum_replica", self.group.replica().to_string()),
            ("Unum_revision", state.revision.to_string()),
            ("Unum_term", members.term.to_string()),
            ("Unum_nodes", state.nodes.len().to_string()),
            ("Unum_tables", state.tables.len().to_string()),
        ];
        status.extend(self.log.status());
        status
    }
}
