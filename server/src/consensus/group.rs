//! The handle of one replica's membership in the group.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use openraft::errors::{ClientWriteError, ForwardReason, LinearizableReadError, RaftError};
use openraft::{BasicNode, ReadPolicy, ServerState, SnapshotPolicy};
use tokio::time::Instant;
use unum_proto::model::PushOutcome;

use super::error::{BarrierError, ProposeError, StartError};
use super::log_store::LogStore;
use super::membership::Members;
use super::read_barrier::{ReadBarrier, RoundError, RoundSource};
use super::state_machine::{Published, Raft, StateMachine};
use super::transport::inbound::Inbound;
use super::transport::{Channels, LeaderLink, LinkError, Network};
use super::types::{CommandBytes, Metrics};
use crate::catalog::{Command, State};
use crate::storage::Store;

/// How a replica takes part. The defaults stand in `config`.
#[derive(Debug, Clone)]
pub struct Options {
    /// The cluster, so that no message of another is taken.
    pub cluster_id: u64,
    /// This replica.
    pub replica: u64,
    /// The voters of a group that is made for the first time, with their addresses.
    pub initial_members: BTreeMap<u64, String>,
    /// Between two heartbeats of the leader.
    pub heartbeat_interval: Duration,
    /// A follower stands for election this long after its leader's lease at the earliest …
    pub election_timeout_min: Duration,
    /// … and this long at the latest. It is the length of the lease, too.
    pub election_timeout_max: Duration,
    /// A raft snapshot is built after this many entries.
    pub raft_snapshot_entries: u64,
    /// Entries that stay in the log behind a raft snapshot, for followers that are a little late.
    pub raft_log_entries_kept: u64,
}

impl Options {
    fn raft_config(&self) -> Result<openraft::Config, StartError> {
        let ms = |duration: Duration| duration.as_millis() as u64;
        let config = openraft::Config {
            cluster_name: format!("{:016x}", self.cluster_id),
            heartbeat_interval: ms(self.heartbeat_interval),
            election_timeout_min: ms(self.election_timeout_min),
            election_timeout_max: ms(self.election_timeout_max),
            // openraft's 200 ms would give up on any raft snapshot of size.
            install_snapshot_timeout: 60_000,
            replication_lag_threshold: self.raft_log_entries_kept,
            snapshot_policy: SnapshotPolicy::LogsSinceLast(self.raft_snapshot_entries),
            max_in_snapshot_log_to_keep: self.raft_log_entries_kept,
            // Without pre-vote a replica that comes back from a partition deposes a healthy leader.
            enable_pre_vote: Some(true),
            // Without the probe a leader that lost its majority keeps the others from electing one. Lease and longest
            // election are the least that openraft allows.
            quorum_loss_probe_interval: Some(2 * ms(self.election_timeout_max)),
            ..openraft::Config::default()
        };
        config.validate().map_err(|e| StartError::Options(e.to_string()))
    }
}

/// Where readers find the newest state that this replica applied.
#[derive(Debug, Clone)]
pub struct StateReader(Arc<Published>);

impl StateReader {
    /// The newest state here; other replicas may be ahead.
    pub fn newest(&self) -> Arc<State> {
        self.0.state()
    }
}

/// One replica of the group. Clones are handles to the same replica.
#[derive(Clone)]
pub struct Group {
    replica: u64,
    raft: Raft,
    published: Arc<Published>,
    barrier: ReadBarrier,
    link: LeaderLink,
    inbound: Inbound,
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").field("replica", &self.replica).finish_non_exhaustive()
    }
}

impl Group {
    /// Starts the replica from what its store holds. The returned future is the read barrier's loop: run it.
    pub async fn start(
        options: &Options,
        store: Store,
    ) -> Result<(Self, impl Future<Output = ()> + Send + use<>), StartError> {
        let log_store = LogStore::open(store.clone())?;
        let state_machine = StateMachine::open(store)?;
        let published = state_machine.published();
        let channels = Channels::default();
        let network = Network::new(options.cluster_id, options.replica, channels.clone());
        let config = Arc::new(options.raft_config()?);
        let raft = Raft::new(options.replica, config, network, log_store, state_machine)
            .await
            .map_err(|e| StartError::Raft(e.to_string()))?;
        initialize(&raft, &options.initial_members).await?;
        let link = LeaderLink::new(options.cluster_id, options.replica, channels);
        let (barrier, run_barrier) =
            ReadBarrier::new(options.replica, Rounds { raft: raft.clone(), link: link.clone() });
        let inbound = Inbound::new(options.cluster_id, options.replica, raft.clone());
        Ok((Self { replica: options.replica, raft, published, barrier, link, inbound }, run_barrier))
    }

    /// This replica's id.
    pub fn replica(&self) -> u64 {
        self.replica
    }

    /// The receiving side of messages from other replicas.
    pub fn inbound(&self) -> &Inbound {
        &self.inbound
    }

    /// The link to whoever leads.
    pub fn leader_link(&self) -> &LeaderLink {
        &self.link
    }

    /// The newest state of this replica, without a barrier.
    pub fn state_reader(&self) -> StateReader {
        StateReader(Arc::clone(&self.published))
    }

    /// The group as this replica knows it.
    pub fn members(&self) -> Members {
        Members::from_metrics(&self.raft.metrics().borrow_watched())
    }

    /// Whether this replica leads, as far as it knows.
    pub fn leads(&self) -> bool {
        self.raft.metrics().borrow_watched().state == ServerState::Leader
    }

    /// Who leads and where, as far as this replica knows.
    pub fn leader(&self) -> Option<(u64, String)> {
        leader(&self.raft.metrics().borrow_watched())
    }

    /// The state that a linearizable read beginning now may use: everything acknowledged before is in it.
    pub async fn read_barrier(&self, deadline: Instant) -> Result<Arc<State>, BarrierError> {
        let started = Instant::now();
        let index = self.barrier.read_index(deadline).await?;
        tokio::time::timeout_at(deadline, self.published.wait_for(index)).await.map_err(|_| BarrierError::NoQuorum {
            replica: self.replica,
            waited: started.elapsed(),
            last: format!("entry {index} is not applied here yet"),
        })
    }

    /// On the leader: term and index that a reader elsewhere must have applied, confirmed with a majority.
    pub async fn confirm_read_index(&self) -> Result<(u64, u64), ProposeError> {
        let linearizer = self.raft.get_read_linearizer(ReadPolicy::ReadIndex).await.map_err(|e| match e {
            RaftError::APIError(LinearizableReadError::ForwardToLeader(to)) => {
                ProposeError::NotLeader { replica: self.replica, leader: to.leader_id }
            }
            other => ProposeError::Unavailable(other.to_string()),
        })?;
        let read = linearizer.read_log_id();
        Ok((read.committed_leader_id().term, read.index()))
    }

    /// On the leader: writes the command to the log; returns when it is applied here.
    pub async fn propose(&self, command: &Command) -> Result<Vec<PushOutcome>, ProposeError> {
        let bytes = CommandBytes(command.encode().into());
        let not_leader = |leader| ProposeError::NotLeader { replica: self.replica, leader };
        match self.raft.client_write(bytes).await {
            Ok(written) => Ok(written.data.outcomes),
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(to))) => Err(match to.reason {
                ForwardReason::NotLeader => not_leader(to.leader_id),
                ForwardReason::LeadershipTransfer => ProposeError::Unavailable("leadership moves".into()),
                ForwardReason::LeaseExpired => ProposeError::Unavailable("the leader has no quorum yet".into()),
            }),
            Err(RaftError::APIError(error)) => Err(ProposeError::OutcomeUnknown(error.to_string())),
            Err(RaftError::Fatal(fatal)) => Err(ProposeError::OutcomeUnknown(fatal.to_string())),
        }
    }

    /// Returns when Raft has stopped by itself, with why: the process must not go on without it.
    pub async fn failed(&self) -> String {
        let mut metrics = self.raft.metrics();
        loop {
            if let Err(fatal) = &metrics.borrow_and_update().running_state {
                return fatal.to_string();
            }
            if metrics.changed().await.is_err() {
                return "its task is gone".into();
            }
        }
    }

    /// Stops Raft. Nothing is sent or written after.
    pub async fn shutdown(&self) {
        if let Err(error) = self.raft.shutdown().await {
            tracing::error!(%error, "raft did not stop in order");
        }
    }
}

/// Makes the group on the first start. All first voters do it with the same membership, which is safe.
async fn initialize(raft: &Raft, members: &BTreeMap<u64, String>) -> Result<(), StartError> {
    let started_before = raft.is_initialized().await.map_err(|e| StartError::Raft(e.to_string()))?;
    if started_before {
        return Ok(());
    }
    let nodes: BTreeMap<u64, BasicNode> =
        members.iter().map(|(id, addr)| (*id, BasicNode { addr: addr.clone() })).collect();
    match raft.initialize(nodes).await {
        Ok(()) => Ok(()),
        // Another replica's vote or log came first: the group exists.
        Err(RaftError::APIError(openraft::errors::InitializeError::NotAllowed(_))) => Ok(()),
        Err(error) => Err(StartError::Raft(error.to_string())),
    }
}

fn leader(metrics: &Metrics) -> Option<(u64, String)> {
    let id = metrics.current_leader?;
    let node = metrics.membership_config.membership().get_node(&id)?;
    Some((id, node.addr.clone()))
}

/// ReadIndex rounds of one replica: asks itself when it leads, else the leader over the link.
struct Rounds {
    raft: Raft,
    link: LeaderLink,
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
            Some(_) if view.leads => {
                let linearizer =
                    self.raft.get_read_linearizer(ReadPolicy::ReadIndex).await.map_err(|e| e.to_string())?;
                Ok(linearizer.read_log_id().index())
            }
            Some((leader, addr)) => {
                self.link.read_index(addr, id).await.map_err(
                    |(LinkError::NotReached(why) | LinkError::NoAnswer(why))| format!("leader {leader}: {why}"),
                )
            }
        }
    }
}

/// What a round depends on: when it changes, the round is over.
#[derive(Debug, PartialEq, Eq)]
struct View {
    term: u64,
    leads: bool,
    leader: Option<(u64, String)>,
}

fn view(metrics: &Metrics) -> View {
    View { term: metrics.current_term, leads: metrics.state == ServerState::Leader, leader: leader(metrics) }
}
