//! The handle of one replica's membership in the group.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use openraft::Instant as _;
use openraft::async_runtime::WatchReceiver;
use openraft::errors::{LinearizableReadError, RaftError};
use openraft::{BasicNode, ReadPolicy, ServerState, SnapshotPolicy};
use tokio::sync::watch;
use tokio::time::Instant;
use unum_proto::model::ReplicaId;

use super::compaction;
use super::error::{BarrierError, ProposeError, StartError};
use super::log_store::{LogStore, LogUsage};
use super::membership::Members;
use super::newest_state::NewestState;
use super::read_barrier::ReadBarrier;
use super::rounds::{self, Leader, Rounds, Route};
use super::state_machine::{Raft, StateMachine};
use super::transport::inbound::Inbound;
use super::transport::{Channels, Network, PeerClient, Peers};
use super::types::Metrics;
use super::{asker_quorum, cancel_safe};
use crate::base::planted::{Bug, planted};
use crate::base::tunable::Tunable;
use crate::catalog::State;
use crate::storage::{self, Store, StoreId};

/// How a replica takes part. The defaults stand in `config`.
#[derive(Debug, Clone)]
pub struct Options {
    /// The cluster, so that no message of another is taken.
    pub cluster_id: u64,
    /// This replica.
    pub replica: ReplicaId,
    /// The voters of a group that is made for the first time, with their addresses; none when this replica joins one.
    pub initial_members: BTreeMap<ReplicaId, String>,
    /// Its times.
    pub timing: Timing,
    /// When a raft snapshot is built, and how much log stays behind it.
    pub compaction: Tunable<compaction::Bounds>,
}

/// Raft's times. The same on all replicas.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Between two heartbeats of the leader.
    pub heartbeat_interval: Duration,
    /// A follower stands for election this long after its leader's lease at the earliest …
    pub election_timeout_min: Duration,
    /// … and this long at the latest. It is the length of the lease, too.
    pub election_timeout_max: Duration,
}

impl Options {
    fn raft_config(&self) -> Result<openraft::Config, StartError> {
        let ms = |duration: Duration| duration.as_millis() as u64;
        let config = openraft::Config {
            cluster_name: format!("{:016x}", self.cluster_id),
            heartbeat_interval: ms(self.timing.heartbeat_interval),
            election_timeout_min: ms(self.timing.election_timeout_min),
            election_timeout_max: ms(self.timing.election_timeout_max),
            // openraft's 200 ms would give up on any raft snapshot of size.
            install_snapshot_timeout: 60_000,
            replication_lag_threshold: self.compaction.get().kept_entries,
            // `compaction` asks for both.
            snapshot_policy: SnapshotPolicy::Never,
            max_in_snapshot_log_to_keep: u64::MAX,
            // Without pre-vote a replica that comes back from a partition deposes a healthy leader.
            enable_pre_vote: Some(true),
            // Without the probe a leader that lost its majority keeps the others from electing one. Lease and longest
            // election are the least that openraft allows.
            quorum_loss_probe_interval: Some(2 * ms(self.timing.election_timeout_max)),
            // A leader that led on after a restart could have acknowledged more than what it finds applied, and answer
            // reads without it: decision 0014.
            enable_leader_restore: Some(false),
            ..openraft::Config::default()
        };
        config.validate().map_err(|e| StartError::Options(e.to_string()))
    }
}

/// The loops that have to be run for a group, by name. Each runs as long as the replica.
pub type Tasks = Vec<(&'static str, futures::future::BoxFuture<'static, ()>)>;

/// Where readers find the newest state that this replica applied.
#[derive(Debug, Clone)]
pub struct StateReader(Arc<NewestState>);

impl StateReader {
    /// The newest state here; other replicas may be ahead.
    pub fn newest(&self) -> Arc<State> {
        self.0.state()
    }
}

/// One replica of the group. Clones are handles to the same replica.
#[derive(Clone)]
pub struct Group {
    replica: ReplicaId,
    /// A leader that no majority acknowledged for longer than this counts as one without a quorum.
    quorum_within: Duration,
    pub(super) raft: Raft,
    pub(super) peers: Peers,
    /// One past the log index of the newest membership that had this replica; 0 before the first.
    pub(super) member_at: Arc<AtomicU64>,
    pub(super) newest: Arc<NewestState>,
    barrier: ReadBarrier,
    log: LogUsage,
    pub(super) peer_client: PeerClient,
    inbound: Inbound,
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").field("replica", &self.replica).finish_non_exhaustive()
    }
}

impl Group {
    /// Starts the replica from what its store holds.
    pub async fn start(options: &Options, store_id: StoreId, store: Store) -> Result<(Self, Tasks), StartError> {
        let (log_store, state_machine, peers) = open(options.replica, store_id, store).await?;
        let (newest, newest_snapshot) = (state_machine.newest(), state_machine.newest_snapshot());
        let (usage, stored_vote) = (log_store.usage(), log_store.stored_vote());
        let channels = Channels::on(tokio::runtime::Handle::current());
        let network = Network::new(options.cluster_id, options.replica, channels.clone(), peers.clone());
        let config = Arc::new(options.raft_config()?);
        let raft = Raft::new(options.replica, config, network, log_store, state_machine)
            .await
            .map_err(|e| StartError::Raft(e.to_string()))?;
        if !options.initial_members.is_empty() {
            initialize(&raft, &options.initial_members).await?;
        }
        let peer_client = PeerClient::new(options.cluster_id, options.replica, channels);
        let rounds = Rounds { raft: raft.clone(), peer_client: peer_client.clone(), stored_vote };
        let (barrier, run_barrier) = ReadBarrier::new(options.replica, rounds);
        let inbound = Inbound::new(options.cluster_id, options.replica, raft.clone(), peers.clone());
        let compaction = compaction::run(raft.clone(), usage.clone(), newest_snapshot, options.compaction.clone());
        let group = Self {
            replica: options.replica,
            quorum_within: 2 * options.timing.election_timeout_max,
            raft,
            peers,
            member_at: Arc::default(),
            newest,
            barrier,
            log: usage,
            peer_client,
            inbound,
        };
        let tasks: Tasks = vec![
            ("read barrier", Box::pin(run_barrier)),
            ("compaction", Box::pin(compaction)),
            ("progress reports", Box::pin(group.clone().report_progress())),
        ];
        Ok((group, tasks))
    }

    /// This replica's id.
    pub fn replica(&self) -> ReplicaId {
        self.replica
    }

    /// The receiving side of messages from other replicas.
    pub fn inbound(&self) -> &Inbound {
        &self.inbound
    }

    /// The link to other replicas, whoever leads first of all.
    pub fn peer_client(&self) -> &PeerClient {
        &self.peer_client
    }

    /// Bytes of the log entries that are kept, roughly.
    pub fn log_bytes(&self) -> u64 {
        self.log.bytes()
    }

    /// The newest state of this replica, without a barrier.
    pub fn state_reader(&self) -> StateReader {
        StateReader(Arc::clone(&self.newest))
    }

    /// The group as this replica knows it.
    pub fn members(&self) -> Members {
        let mut progress = self.newest.progress().all();
        progress.retain(|progress| progress.replica != self.replica);
        progress.push(self.own_progress());
        Members::new(&self.raft.metrics().borrow_watched(), &progress)
    }

    /// Whether this replica leads, as far as it knows.
    pub fn leads(&self) -> bool {
        self.raft.metrics().borrow_watched().state == ServerState::Leader
    }

    /// An error for what only the leader does, if this replica does not lead.
    pub fn must_lead(&self) -> Result<(), ProposeError> {
        match self.leads() {
            true => Ok(()),
            false => Err(self.not_leader()),
        }
    }

    /// What a replica that does not lead says to what only the leader does.
    pub fn not_leader(&self) -> ProposeError {
        ProposeError::NotLeader { replica: self.replica, leader: self.leader().map(|leader| leader.replica) }
    }

    /// Waits until `look` finds something in Raft's metrics; none when the time is over, or Raft has ended.
    pub(super) async fn wait_for<T>(&self, time: Duration, look: impl Fn(&Metrics) -> Option<T>) -> Option<T> {
        let mut metrics = self.raft.metrics();
        let found = async {
            loop {
                let found = look(&metrics.borrow_and_update());
                if found.is_some() || metrics.changed().await.is_err() {
                    return found;
                }
            }
        };
        tokio::time::timeout(time, found).await.ok().flatten()
    }

    /// Returns when this replica knows a leader other than that one. It may not: whoever waits has a deadline.
    pub async fn another_leads(&self, than: ReplicaId) {
        let mut leaders = self.raft.server_metrics();
        while leaders.borrow_and_update().current_leader.is_none_or(|leader| leader == than) {
            if leaders.changed().await.is_err() {
                // Raft has ended: nobody leads any more.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Who leads and where, as far as this replica knows.
    pub fn leader(&self) -> Option<Leader> {
        rounds::leader(&self.raft.metrics().borrow_watched())
    }

    /// Where what only the leader does has to go. Asked once for one decision: who leads can change between two looks, and
    /// a replica must not hand something on to itself.
    pub fn route(&self) -> Route {
        match self.leader() {
            Some(leader) if leader.replica == self.replica => Route::Here,
            Some(leader) => Route::To(leader),
            None => Route::Nowhere,
        }
    }

    /// The state that a linearizable read beginning now may use: everything acknowledged before is in it.
    pub async fn read_barrier(&self, deadline: Instant) -> Result<Arc<State>, BarrierError> {
        if planted(Bug::SkipBarrier) {
            return Ok(self.newest.state());
        }
        let index = self.barrier.read_index(deadline).await?;
        self.wait_for_revision(index, deadline).await
    }

    /// A state that has everything that was acknowledged longer than `staleness` ago: one that a recent round vouches
    /// for, or one behind a new round.
    pub async fn read_bounded(&self, staleness: Duration, deadline: Instant) -> Result<Arc<State>, BarrierError> {
        let state = self.newest.state();
        match self.barrier.last_round() {
            Some(round) if round.started.elapsed() <= staleness && state.revision >= round.index => Ok(state),
            _ => self.read_barrier(deadline).await,
        }
    }

    /// The state of this replica at that revision or a later one.
    pub async fn wait_for_revision(&self, revision: u64, deadline: Instant) -> Result<Arc<State>, BarrierError> {
        let started = Instant::now();
        let state = tokio::time::timeout_at(deadline, self.newest.wait_for(revision)).await;
        state.map_err(|_| BarrierError::NoQuorum {
            replica: self.replica,
            waited: started.elapsed(),
            last: format!("entry {revision} is not applied here yet"),
        })
    }

    /// Changes whenever something else is wanted of the configuration of some node.
    pub fn config_updates(&self) -> watch::Receiver<()> {
        self.newest.config_updates()
    }

    /// On the leader: the index that a reader at replica `asker`, whose stored vote was of `term` when it asked, must have
    /// applied. A majority confirms it.
    pub async fn read_index_for(&self, asker: ReplicaId, term: Option<u64>) -> Result<u64, ProposeError> {
        let confirmed = match term {
            Some(term) => asker_quorum::read_index(&self.raft, self.replica, asker, term).await,
            None => None,
        };
        let by = if confirmed.is_some() { "asker" } else { "majority" };
        metrics::counter!("unum_read_indexes_total", "confirmed_by" => by).increment(1);
        match confirmed {
            Some(index) => Ok(index),
            None => self.confirm_read_index().await,
        }
    }

    /// On the leader: the index that a reader elsewhere must have applied, confirmed with a majority.
    pub async fn confirm_read_index(&self) -> Result<u64, ProposeError> {
        let linearizer =
            cancel_safe::call(&self.raft, |raft| async move { raft.get_read_linearizer(ReadPolicy::ReadIndex).await });
        let linearizer = linearizer.await.map_err(|e| match e {
            RaftError::APIError(LinearizableReadError::ForwardToLeader(to)) => {
                ProposeError::NotLeader { replica: self.replica, leader: to.leader_id }
            }
            other => ProposeError::Unavailable(other.to_string()),
        })?;
        Ok(linearizer.read_log_id().index())
    }

    /// Whether this replica leads and a majority has said so within the longest election.
    pub fn leads_with_majority(&self) -> bool {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let acked = metrics.last_quorum_acked.as_ref();
        metrics.state == ServerState::Leader && acked.is_some_and(|acked| acked.elapsed() < self.quorum_within)
    }

    /// Returns when Raft has stopped by itself, or the group does not want this replica, with why: the process must
    /// not go on.
    pub async fn failed(&self) -> String {
        tokio::select! {
            why = self.raft_stopped() => format!("raft has stopped: {why}"),
            stop = self.peers.stopped() => stop.to_string(),
        }
    }

    async fn raft_stopped(&self) -> String {
        // These change with the leader only, where the others do at each message; all end with Raft's task.
        let mut leaders = self.raft.server_metrics();
        while leaders.changed().await.is_ok() {}
        match &self.raft.metrics().borrow_watched().running_state {
            Err(fatal) => fatal.to_string(),
            Ok(()) => "its task is gone".into(),
        }
    }

    /// Stops Raft. Nothing is sent or written after.
    pub async fn shutdown(&self) {
        if let Err(error) = self.raft.shutdown().await {
            tracing::error!(%error, "raft did not stop in order");
        }
    }
}

/// Opens what the store holds, on a thread of its own: it reads everything, and sled may panic over a broken file.
pub(super) async fn open(
    me: ReplicaId,
    own_store: StoreId,
    store: Store,
) -> Result<(LogStore, StateMachine, Peers), StartError> {
    let open = move || -> Result<_, storage::Error> {
        let log_store = LogStore::open(store.clone())?;
        let state_machine = StateMachine::open(me, store.clone())?;
        let (purged, applied) = (log_store.purged(), state_machine.applied());
        if applied < purged {
            return Err(storage::Error::Corrupt(format!(
                "the catalog is at {applied:?} and the log begins after {purged:?}: entries between are gone"
            )));
        }
        Ok((log_store, state_machine, Peers::open(me, own_store, store)?))
    };
    let opened = tokio::task::spawn_blocking(open).await;
    Ok(opened.map_err(|e| storage::Error::Corrupt(format!("reading it failed: {e}")))??)
}

/// Makes the group on the first start. All first voters do it with the same membership, which is safe.
async fn initialize(raft: &Raft, members: &BTreeMap<ReplicaId, String>) -> Result<(), StartError> {
    let started_before = raft.is_initialized().await.map_err(|e| StartError::Raft(e.to_string()))?;
    if started_before {
        return Ok(());
    }
    let nodes: BTreeMap<ReplicaId, BasicNode> =
        members.iter().map(|(id, addr)| (*id, BasicNode { addr: addr.clone() })).collect();
    match raft.initialize(nodes).await {
        Ok(()) => Ok(()),
        // Another replica's vote or log came first: the group exists.
        Err(RaftError::APIError(openraft::errors::InitializeError::NotAllowed(_))) => Ok(()),
        Err(error) => Err(StartError::Raft(error.to_string())),
    }
}
