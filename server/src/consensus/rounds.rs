//! ReadIndex rounds of one replica: it asks itself when it leads, else the leader over the link.
//!
//! A round is over when the leader or the term changes: what it would still say is of no use.

use openraft::async_runtime::WatchReceiver;
use openraft::{ReadPolicy, ServerState};
use unum_proto::model::ReplicaId;

use super::log_store::StoredVote;
use super::read_barrier::{RoundError, RoundSource};
use super::state_machine::Raft;
use super::transport::PeerClient;
use super::types::Metrics;
use super::{asker_quorum, cancel_safe};
use crate::base::planted::{Bug, planted};

/// Who leads, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    /// The replica.
    pub replica: ReplicaId,
    /// Where the others reach it.
    pub addr: String,
}

/// Where the leader is, from one replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// This replica leads.
    Here,
    /// Another one does.
    To(Leader),
    /// No leader is known.
    Nowhere,
}

/// Who leads, as far as that replica knows.
pub fn leader(metrics: &Metrics) -> Option<Leader> {
    let replica = metrics.current_leader?;
    let node = metrics.membership_config.membership().get_node(&replica)?;
    Some(Leader { replica, addr: node.addr.clone() })
}

/// Rounds of one replica.
pub struct Rounds {
    /// For when this replica leads.
    pub raft: Raft,
    /// For when another one does.
    pub peer_client: PeerClient,
    /// What this replica vouches for when it asks.
    pub stored_vote: StoredVote,
}

impl RoundSource for Rounds {
    async fn round(&mut self, id: u64) -> Result<u64, RoundError> {
        let mut metrics = self.raft.metrics();
        let before = view(&metrics.borrow_and_update());
        let changed = async {
            while metrics.changed().await.is_ok() {
                let now = view(&metrics.borrow_and_update());
                if now != before {
                    return;
                }
            }
        };
        tokio::select! {
            result = self.ask(id, &before) => result,
            () = changed => Err("the leader or the term changed during the round".into()),
        }
    }
}

impl Rounds {
    async fn ask(&self, id: u64, view: &View) -> Result<u64, RoundError> {
        match &view.leader {
            None => Err(format!("no leader is known in term {}", view.term)),
            Some(_) if view.leads && planted(Bug::TrustOwnLead) => {
                Ok(self.raft.metrics().borrow_watched().last_applied.map_or(0, |applied| applied.index))
            }
            Some(_) if view.leads => {
                let linearizer = cancel_safe::call(&self.raft, |raft| async move {
                    raft.get_read_linearizer(ReadPolicy::ReadIndex).await
                });
                let linearizer = linearizer.await.map_err(|e| e.to_string())?;
                Ok(linearizer.read_log_id().index())
            }
            Some(Leader { replica, addr }) => {
                let term = asker_quorum::own_term(&self.stored_vote);
                self.peer_client.read_index(addr, id, term).await.map_err(|error| format!("leader {replica}: {error}"))
            }
        }
    }
}

/// What a round depends on: when it changes, the round is over.
#[derive(Debug, PartialEq, Eq)]
struct View {
    term: u64,
    leads: bool,
    leader: Option<Leader>,
}

fn view(metrics: &Metrics) -> View {
    View { term: metrics.current_term, leads: metrics.state == ServerState::Leader, leader: leader(metrics) }
}
