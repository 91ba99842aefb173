//! Who is in the group, as one replica knows it.

use openraft::ServerState;
use unum_proto::model::ReplicaId;

use super::replica_progress::Progress;
use super::types::Metrics;

/// What a member does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Takes the writes.
    Leader,
    /// Votes and follows.
    Follower,
    /// Follows without a vote.
    Learner,
}

impl Role {
    /// As SQL shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Follower => "follower",
            Self::Learner => "learner",
        }
    }
}

/// A member. How far another one is, is known from its last report to the leader; none before the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The replica's id.
    pub id: ReplicaId,
    /// Its gRPC address.
    pub addr: String,
    /// What it does, as far as is known here.
    pub role: Role,
    /// The last entry in its log.
    pub last_log: Option<u64>,
    /// The last entry it applied.
    pub applied: Option<u64>,
    /// Entries that the leader has and it does not.
    pub lag: Option<u64>,
    /// The hash of its state at `applied`.
    pub state_hash: Option<u64>,
}

/// The group as one replica knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    /// The term that this replica is in.
    pub term: u64,
    /// Who leads, as far as is known here.
    pub leader: Option<ReplicaId>,
    /// All members by id.
    pub members: Vec<Member>,
}

impl Members {
    pub(super) fn new(metrics: &Metrics, reports: &[Progress]) -> Self {
        let membership = metrics.membership_config.membership();
        let voters: Vec<ReplicaId> = membership.voter_ids().collect();
        let leads_here = metrics.state == ServerState::Leader;
        let leader_log = reports.iter().find(|report| Some(report.replica) == metrics.current_leader);
        let member = |(&id, node): (&ReplicaId, &openraft::BasicNode)| {
            let own = id == metrics.id;
            let report = reports.iter().find(|report| report.replica == id);
            let matched = || metrics.replication.as_ref()?.get(&id)?.map(|log_id| log_id.index);
            let last_log = match () {
                () if own => metrics.last_log_index,
                () if leads_here => matched(),
                () => report.map(|report| report.last_log),
            };
            let end = if leads_here { metrics.last_log_index } else { leader_log.map(|leader| leader.last_log) };
            let role = match () {
                () if metrics.current_leader == Some(id) => Role::Leader,
                () if voters.contains(&id) => Role::Follower,
                () => Role::Learner,
            };
            Member {
                id,
                addr: node.addr.clone(),
                role,
                last_log,
                applied: report.map(|report| report.revision),
                lag: end.map(|end| end.saturating_sub(last_log.unwrap_or(0))),
                state_hash: report.map(|report| report.state_hash),
            }
        };
        Self {
            term: metrics.current_term,
            leader: metrics.current_leader,
            members: membership.nodes().map(member).collect(),
        }
    }
}
