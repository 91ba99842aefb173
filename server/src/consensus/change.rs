//! Changes of the group by hand: who is in it, and who leads.

use std::collections::BTreeSet;
use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use openraft::errors::{ChangeMembershipError, ClientWriteError, RaftError};
use openraft::{BasicNode, ChangeMembers};
use unum_proto::model::ReplicaId;

use super::cancel_safe;
use super::error::ProposeError;
use super::group::Group;
use super::membership::Role;
use super::types::{Metrics, TypeConfig};

/// A learner that lacks more entries than this would hold up the group as a voter.
const PROMOTE_LAG_MAX: u64 = 1_000;

/// How long a transfer of the lead may take before it is called off: a few elections.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(2);

type WriteError = RaftError<TypeConfig, ClientWriteError<TypeConfig>>;

impl Group {
    /// Adds a replica that follows without a vote.
    pub async fn add_learner(&self, id: ReplicaId, addr: String) -> Result<(), ProposeError> {
        self.must_lead()?;
        let members = self.members();
        if let Some(member) = members.members.iter().find(|member| member.id == id) {
            if member.addr == addr {
                return Ok(());
            }
            return Err(refused(format!(
                "replica {id} is in the group already, at {}; an address does not change: join under a new id",
                member.addr,
            )));
        }
        if let Some(member) = members.members.iter().find(|member| member.addr == addr) {
            return Err(refused(format!("{addr} is the address of replica {} already; use another one", member.id)));
        }
        if self.peers.knows(id) {
            return Err(refused(format!("the id {id} was used before; take one that never was")));
        }
        let node = BasicNode { addr };
        let added = cancel_safe::call(&self.raft, |raft| async move { raft.add_learner(id, node, false).await }).await;
        self.written(added.map(drop))
    }

    /// Gives a learner a vote.
    pub async fn promote(&self, id: ReplicaId) -> Result<(), ProposeError> {
        self.must_lead()?;
        let members = self.members();
        let member = members.members.iter().find(|member| member.id == id);
        let member = member.ok_or_else(|| not_a_member(id))?;
        // A change that was interrupted between its two steps is finished by asking again.
        if member.role != Role::Learner && !self.membership_is_joint() {
            return Ok(());
        }
        // Without a word from it, it lacks everything.
        let lag = member.lag.filter(|_| member.last_log.is_some()).unwrap_or(u64::MAX);
        if lag > PROMOTE_LAG_MAX {
            let lacks =
                if lag == u64::MAX { "has not been heard of".to_owned() } else { format!("lacks {lag} entries") };
            return Err(refused(format!(
                "replica {id} {lacks} and would hold up the group as a voter; the limit is {PROMOTE_LAG_MAX}: try again \
                 when it has caught up (SELECT id, lag FROM replicas)",
            )));
        }
        self.change_membership(ChangeMembers::AddVoterIds(BTreeSet::from([id]))).await
    }

    /// Takes a replica out of the group. The leader takes itself out, too, and another one is elected.
    pub async fn remove(&self, id: ReplicaId) -> Result<(), ProposeError> {
        self.must_lead()?;
        let members = self.members();
        let member = members.members.iter().find(|member| member.id == id).ok_or_else(|| not_a_member(id))?;
        let change = match member.role {
            Role::Learner => ChangeMembers::RemoveNodes(BTreeSet::from([id])),
            Role::Leader | Role::Follower => {
                if members.members.iter().filter(|member| member.role != Role::Learner).count() == 1 {
                    return Err(refused(format!("replica {id} is the last voter; promote another one first")));
                }
                ChangeMembers::RemoveVoters(BTreeSet::from([id]))
            }
        };
        self.change_membership(change).await
    }

    /// Lets another voter lead; returns which one does.
    pub async fn transfer_leader(&self, to: Option<ReplicaId>) -> Result<ReplicaId, ProposeError> {
        self.must_lead()?;
        let me = self.replica();
        let members = self.members();
        let voter =
            |id: ReplicaId| members.members.iter().any(|member| member.id == id && member.role != Role::Learner);
        let to = match to {
            Some(to) if to == me => return Ok(me),
            Some(to) if voter(to) => to,
            Some(to) => return Err(refused(format!("replica {to} is no voter of the group; SELECT * FROM replicas"))),
            None => {
                let others = members.members.iter().filter(|member| member.role == Role::Follower && member.id != me);
                others
                    .max_by_key(|member| member.last_log)
                    .map(|member| member.id)
                    .ok_or_else(|| refused("there is no other voter to lead".into()))?
            }
        };
        let unknown = |e: &dyn std::fmt::Display| ProposeError::OutcomeUnknown(e.to_string());
        cancel_safe::call(&self.raft, |raft| async move { raft.trigger().transfer_leader(to).await })
            .await
            .map_err(|e| unknown(&e))?;
        self.wait_for(TRANSFER_TIMEOUT, |metrics| metrics.current_leader.filter(|leader| *leader != me))
            .await
            .ok_or_else(|| unknown(&format!("no transfer within {} ms", TRANSFER_TIMEOUT.as_millis())))
    }

    /// Hands the lead to another voter, and waits until what was proposed here is decided: the new leader's first entry
    /// comes after all of it.
    pub async fn hand_over(&self) -> Result<ReplicaId, ProposeError> {
        let leader = self.transfer_leader(None).await?;
        let applied_in_term =
            |metrics: &Metrics| metrics.last_applied.filter(|applied| applied.leader_id.term == metrics.current_term);
        self.wait_for(TRANSFER_TIMEOUT, applied_in_term)
            .await
            .ok_or_else(|| ProposeError::OutcomeUnknown(format!("no entry of leader {leader} came in time")))?;
        Ok(leader)
    }

    /// Both steps of the change run on a task of their own: a caller that goes away does not leave the group between
    /// them.
    async fn change_membership(&self, change: ChangeMembers<ReplicaId, BasicNode>) -> Result<(), ProposeError> {
        let raft = self.raft.clone();
        let changing = tokio::spawn(async move { raft.change_membership(change, false).await.map(drop) });
        let changed = changing.await.map_err(|e| ProposeError::OutcomeUnknown(e.to_string()))?;
        self.written(changed)
    }

    fn membership_is_joint(&self) -> bool {
        self.raft.metrics().borrow_watched().membership_config.membership().get_joint_config().len() > 1
    }

    fn written(&self, result: Result<(), WriteError>) -> Result<(), ProposeError> {
        result.map_err(|error| match error {
            RaftError::APIError(ClientWriteError::ChangeMembershipError(error)) => match error {
                ChangeMembershipError::InProgress(_) | ChangeMembershipError::UncommittedLeaderLog(_) => {
                    ProposeError::Unavailable(format!("another change is under way: {error}"))
                }
                error => refused(error.to_string()),
            },
            other => self.propose_error(other),
        })
    }
}

fn refused(why: String) -> ProposeError {
    ProposeError::Refused(why)
}

fn not_a_member(id: ReplicaId) -> ProposeError {
    refused(format!("replica {id} is not in the group; SELECT * FROM replicas shows who is"))
}
