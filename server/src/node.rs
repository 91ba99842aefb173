//! One replica: builds the floors, starts the tasks, stops in order. It only wires.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use metrics_exporter_prometheus::PrometheusHandle;
use unum_client::Program;

use crate::base::disk::DiskSpace;
use crate::base::tasks::TaskGroup;
use crate::config::settings::{Settings, apply_setting};
use crate::config::{Entry, Options};
use crate::consensus::{self, Group};
use crate::frontend::grpc::{self, Services};
use crate::frontend::http::{self, Probes};
use crate::frontend::listener::Listener;
use crate::join;
use crate::publish::{self, OwnTables};
use crate::service::admin::AdminService;
use crate::service::configure::ConfigService;
use crate::service::ingest::IngestService;
use crate::service::liveness;
use crate::service::query::QueryService;
use crate::service::query_log::QueryLog;
use crate::service::sweep;
use crate::storage::DataDir;

/// Threads for queries. As many as most replicas have cores; planning and running are pure CPU.
const QUERY_THREADS: usize = 2;

/// The stack of such a thread: a statement of the most operators is a tree as deep, and a build for tests has large
/// frames. What is not used costs nothing.
const QUERY_STACK_BYTES: usize = 128 * 1024 * 1024;

/// How long a replica that cannot go on waits for what still runs.
const ABANDON_TIMEOUT: Duration = Duration::from_secs(3);

/// The sockets of a replica, bound before anything else so that an address in use stops the start early.
#[derive(Debug)]
pub struct Listeners {
    grpc: Listener,
    http: Listener,
}

impl Listeners {
    /// Binds both; port 0 picks one.
    pub async fn bind(grpc: SocketAddr, http: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self { grpc: Listener::bind("--listen", grpc).await?, http: Listener::bind("--http-listen", http).await? })
    }

    /// Where gRPC will be served.
    pub fn grpc_addr(&self) -> SocketAddr {
        self.grpc.addr()
    }
}

/// A running replica.
#[derive(Debug)]
pub struct Replica {
    group: Group,
    tasks: TaskGroup,
    data_dir: DataDir,
    _query_runtime: QueryRuntime,
}

/// The threads of queries. They may end whenever they like: nothing waits for a query that nobody waits for.
#[derive(Debug)]
struct QueryRuntime(Option<tokio::runtime::Runtime>);

impl Drop for QueryRuntime {
    fn drop(&mut self) {
        // Dropping it as it is would wait, which no asynchronous code may do.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// What SQL set of this replica goes before its file.
async fn with_desired(mut options: Options, data_dir: &DataDir) -> anyhow::Result<Options> {
    let (own, store) = (options.own_node(), data_dir.store.clone());
    let desired = tokio::task::spawn_blocking(move || consensus::desired_values(&store, &own)).await??;
    for (key, value) in desired {
        match apply_setting(&options, &key, &value) {
            Ok(changed) => options = changed,
            // It was legal once: a replica that does not start helps nobody.
            Err(error) => tracing::warn!(%error, key, "a setting that SQL made is left out"),
        }
    }
    Ok(options)
}

impl Replica {
    /// Starts a replica; returns when it serves. It may not know a leader yet.
    pub async fn start(
        options: Options,
        listeners: Listeners,
        metrics: PrometheusHandle,
        program: &Program,
    ) -> anyhow::Result<Self> {
        let (grpc_addr, http_addr) = (listeners.grpc.addr(), listeners.http.addr());
        let mut data_dir = DataDir::open(&options.data_dir).await?;
        let mut consensus = options.consensus.clone();
        if let Entry::Joiner { endpoint, .. } = &options.entry {
            consensus.cluster_id = match data_dir.identity() {
                Some(identity) => identity.cluster_id,
                None => join::cluster_id(endpoint).await?,
            };
        }
        let store_id = data_dir.claim(consensus.cluster_id, consensus.replica).await?.store_id;
        let options = with_desired(options, &data_dir).await?;
        consensus.timing = options.consensus.timing;
        let (group, group_tasks) = Group::start(&consensus, store_id, data_dir.store.clone()).await?;
        let disk = DiskSpace::new(&options.data_dir, options.tunables.disk_reserve_bytes.clone());
        let query_runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(QUERY_THREADS)
            .thread_name("unum-query")
            .thread_stack_size(QUERY_STACK_BYTES)
            .enable_time()
            .build()
            .context("cannot start the threads for queries")?;

        let tasks = TaskGroup::default();
        for (name, task) in group_tasks {
            tasks.spawn(name, task);
        }
        tasks.spawn("disk space", disk.clone().watch());
        tasks.spawn("liveness", liveness::run(group.clone(), disk.clone()));
        tasks.spawn("sweep", sweep::run(group.clone(), disk.clone(), options.tunables.unused_kept.clone()));
        let (ingest, run_ingest) = IngestService::new(group.clone(), disk.clone(), options.tunables.limits.clone());
        tasks.spawn("ingest", run_ingest);
        let log = QueryLog::new(consensus.replica, options.tunables.query_log.clone());
        let (own, threads) = (options.own_node(), query_runtime.handle().clone());
        let query = QueryService::new(group.clone(), own, options.tunables.sql.clone(), log.clone(), threads);

        let admin = AdminService::new(group.clone(), consensus.cluster_id);
        let config = ConfigService::new(group.clone());
        let services = Services { group: group.clone(), ingest, query: query.clone(), admin, config };
        let (listener, stop) = (listeners.grpc, tasks.stopping());
        tasks.spawn_graceful("gRPC", async move {
            if let Err(error) = grpc::serve(listener, services, stop).await {
                tracing::error!(%error, "the gRPC server failed");
            }
        });
        let (listener, stop) = (listeners.http, tasks.stopping());
        let probes = Probes { group: group.clone(), query, disk, metrics };
        tasks.spawn_graceful("HTTP", async move {
            if let Err(error) = http::serve(listener, probes, stop).await {
                tracing::error!(%error, "the HTTP server failed");
            }
        });
        let own_tables = OwnTables::new(group.clone(), store_id, log, Settings::new(options.clone()));
        tasks.spawn("own publisher", publish::run(options.clone(), grpc_addr, own_tables, program.clone()));
        tracing::info!(
            replica = u64::from(consensus.replica),
            cluster = format!("{:016x}", consensus.cluster_id),
            %grpc_addr,
            %http_addr,
            data_dir = %options.data_dir.display(),
            "replica started"
        );
        let replica = Self { group, tasks, data_dir, _query_runtime: QueryRuntime(Some(query_runtime)) };
        if let Entry::Joiner { endpoint, advertise } = &options.entry {
            join::join(&replica.group, endpoint, advertise).await?;
        }
        Ok(replica)
    }

    /// Returns when the replica cannot go on, with why. The process must end: half a replica is worse than none.
    pub async fn failed(&self) -> String {
        tokio::select! {
            why = self.group.failed() => why,
            why = self.tasks.died() => why,
        }
    }

    /// Stops in order: the lead goes to another replica, no new requests, then Raft, then the store with all that was
    /// written.
    pub async fn stop(self) -> anyhow::Result<()> {
        let replica = self.group.replica();
        self.hand_over().await;
        self.tasks.stop().await;
        self.group.shutdown().await;
        self.data_dir.close().await?;
        tracing::info!(replica = u64::from(replica), "replica stopped");
        Ok(())
    }
}

impl Replica {
    /// Ends a replica that cannot go on: what still runs is stopped, as far as it lets itself be, and nothing is
    /// handed over.
    pub async fn abandon(self) {
        let ended = async {
            self.tasks.stop().await;
            self.group.shutdown().await;
        };
        if tokio::time::timeout(ABANDON_TIMEOUT, ended).await.is_err() {
            tracing::warn!("what still runs does not end; the process ends without it");
        }
    }

    /// A leader that stops lets another one lead first: nobody waits for an election.
    async fn hand_over(&self) {
        if !self.group.leads() {
            return;
        }
        match self.group.hand_over().await {
            Ok(leader) => tracing::info!(leader = u64::from(leader), "the lead is handed over"),
            Err(error) => tracing::warn!(%error, "the lead is not handed over; the others elect a leader"),
        }
    }
}
