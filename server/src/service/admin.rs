//! What administrators ask of any replica: how it sees the group, and changes of the group and the catalog.
//!
//! A change is made by the leader. Another replica hands it on, one hop, and gives back what the leader said.

use std::time::Duration;

use unum_proto::model::{Change, ChangeRequest, MemberStatus, ReplicaStatus};

use crate::base::clock;
use crate::catalog::Proposal;
use crate::consensus::{Group, Leader, ProposeError, Route};

/// How long a change may take, on its way to the leader included.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves administrators on one replica.
#[derive(Debug, Clone)]
pub struct AdminService {
    group: Group,
    cluster_id: u64,
}

impl AdminService {
    /// A service of a replica of that cluster.
    pub fn new(group: Group, cluster_id: u64) -> Self {
        Self { group, cluster_id }
    }

    /// How this replica sees the group, without asking any other.
    pub fn status(&self) -> ReplicaStatus {
        let members = self.group.members();
        let state = self.group.state_reader().newest();
        let member = |member: crate::consensus::Member| MemberStatus {
            id: member.id,
            addr: member.addr,
            role: member.role.as_str().to_owned(),
        };
        ReplicaStatus {
            cluster_id: self.cluster_id,
            replica: self.group.replica(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            term: members.term,
            leader: members.leader,
            revision: state.revision,
            state_hash: state.hash,
            members: members.members.into_iter().map(member).collect(),
        }
    }

    /// Makes a change, here or at the leader; says what was done.
    pub async fn change(&self, request: ChangeRequest) -> Result<String, ProposeError> {
        let changed = tokio::time::timeout(CHANGE_TIMEOUT, self.change_at_leader(request)).await;
        changed.unwrap_or_else(|_| {
            Err(ProposeError::OutcomeUnknown(format!("not decided within {} ms", CHANGE_TIMEOUT.as_millis())))
        })
    }

    async fn change_at_leader(&self, request: ChangeRequest) -> Result<String, ProposeError> {
        match self.group.route() {
            Route::Here => self.change_here(request.change).await,
            Route::To(Leader { addr, .. }) if !request.forwarded => {
                let forwarded = ChangeRequest { forwarded: true, ..request };
                Ok(self.group.peer_client().change(&addr, &forwarded).await?)
            }
            Route::To(_) | Route::Nowhere => Err(self.group.not_leader()),
        }
    }

    async fn change_here(&self, change: Change) -> Result<String, ProposeError> {
        let done = match change {
            Change::AddMember { id, addr } => {
                self.group.add_learner(id, addr.clone()).await?;
                format!(
                    "replica {id} at {addr} is a learner; start it with --join, and promote it when it has caught up"
                )
            }
            Change::PromoteMember { id } => {
                self.group.promote(id).await?;
                format!("replica {id} is a voter")
            }
            Change::RemoveMember { id } => {
                self.group.remove(id).await?;
                format!("replica {id} is removed; its id must not be used again")
            }
            Change::TransferLeader { to } => {
                let leader = self.group.transfer_leader(to).await?;
                format!("replica {leader} leads")
            }
            Change::RemoveNode { node } => {
                let proposal = Proposal::remove_node(clock::now_us(), node.clone());
                match self.group.propose(&proposal).await? {
                    Ok(()) => format!("node {node} is removed; only a new epoch brings it back"),
                    Err(why) => return Err(ProposeError::Refused(why)),
                }
            }
        };
        tracing::info!(done, "changed by hand");
        Ok(done)
    }
}
