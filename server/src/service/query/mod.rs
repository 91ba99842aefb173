//! A query: barrier, state, SQL. All of it runs on a runtime of its own, so no query can starve Raft; but for what only
//! looks up a few rows ([`lookup`]).
//!
//! A caller that goes away ends its query, and so do KILL and the deadline, also while the caller reads nothing. The
//! caller is told at once; the operators end where they next yield, ask for memory or hand over rows.

mod error;
mod live;
mod lookup;
mod result;
mod task;
mod time_limit;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use unum_proto::model::{Consistency, NodeKey, Query, ResultHeader};

pub use self::error::Error;
use self::live::LiveReplica;
use self::lookup::Tried;
use self::result::{EVENTS_AHEAD_MAX, EventSource};
pub use self::result::{Head, Part, Parts, ResultStream};
use self::task::QueryTask;
use self::time_limit::TimeLimit;
use super::query_log::{self, End, QueryHandle, QueryLog, Request};
use crate::base::tunable::Tunable;
use crate::catalog::State;
use crate::consensus::transport::LinkError;
use crate::consensus::{BarrierError, Group};
use crate::sql::{self, Coverage};

/// Queries that may hold a thread for long ([`sql::RowStream::is_cooperative`]) and do so at a time, each on a thread of its
/// own.
const APART_MAX: usize = 4;

/// How long the replica that runs a query may take to say that it is killed.
const KILL_TIMEOUT: Duration = Duration::from_secs(2);

/// Answers queries on one replica.
#[derive(Debug)]
pub struct QueryService {
    pub(super) group: Group,
    own: NodeKey,
    engine: sql::Engine,
    log: QueryLog,
    runtime: tokio::runtime::Handle,
    apart: Arc<Semaphore>,
}

impl QueryService {
    /// A service that runs its queries on `runtime`. `own` is the replica as a node.
    pub fn new(
        group: Group,
        own: NodeKey,
        limits: Tunable<sql::Limits>,
        log: QueryLog,
        runtime: tokio::runtime::Handle,
    ) -> Arc<Self> {
        let apart = Arc::new(Semaphore::new(APART_MAX));
        Arc::new(Self { group, own, engine: sql::Engine::new(limits), log, runtime, apart })
    }

    /// Answers as fresh as the query asks: linearizably, everything that was acknowledged anywhere before the call is
    /// in the answer. `host` is the caller's address.
    pub async fn execute(self: &Arc<Self>, query: Query, host: String) -> Result<ResultStream, Error> {
        let result = self.begin(query, host).await;
        let labels = [("outcome", if result.is_ok() { "started" } else { "failed" })];
        metrics::counter!("unum_queries_total", &labels).increment(1);
        result
    }

    async fn begin(self: &Arc<Self>, query: Query, host: String) -> Result<ResultStream, Error> {
        let started = Instant::now();
        let limit = Arc::new(TimeLimit::new(started, &query));
        let tracked = self.log.begin(Request {
            user: query.user.clone(),
            host: host.clone(),
            schema: sql::current_schema(&query.session).to_owned(),
            memory_bytes_max: self.engine.limits(&query.session).memory_bytes,
        })?;
        let handle = Arc::clone(tracked.query());
        let known = match self.look_up(&query, &handle, &limit).await {
            Ok(Tried::Answered(head, parts)) => {
                tracked.finish();
                return Ok(ResultStream::whole(head, parts));
            }
            Ok(Tried::ToRun(known)) => known,
            Err(error) => {
                handle.end.set(End::Failed(error.to_string()));
                return Err(error);
            }
        };
        let (sender, events) = mpsc::channel(EVENTS_AHEAD_MAX);
        let task = QueryTask { service: Arc::clone(self), query, host, limit: Arc::clone(&limit), handle, sender };
        let handle = Arc::clone(tracked.query());
        let running = AbortOnDropHandle::new(self.runtime.spawn(task.run(tracked, known)));
        ResultStream::begun(EventSource { events, handle, limit, running, replica: self.group.replica() }).await
    }

    /// The state that a query reads; notes how long it waited for it.
    async fn fresh_state(&self, query: &Query, handle: &QueryHandle, limit: &TimeLimit) -> Result<Arc<State>, Error> {
        handle.set_stage("waiting for the read barrier");
        let state = self.state(query, limit.deadline()).await?;
        let waited = limit.started().elapsed();
        handle.set_barrier_time(waited);
        metrics::histogram!("unum_read_barrier_seconds").record(waited.as_secs_f64());
        Ok(state)
    }

    /// What a statement reads.
    fn view(self: &Arc<Self>, state: Arc<State>, query: &Query, query_id: u64) -> sql::View {
        sql::View {
            system_tables: sql::SYSTEM_TABLES,
            state,
            own: self.own.clone(),
            live: Arc::new(LiveReplica(Arc::clone(self))),
            session: query.session.clone(),
            user: query.user.clone(),
            query_id,
            limits: self.engine.limits(&query.session),
        }
    }

    fn header(&self, revision: u64, coverage: &Coverage) -> ResultHeader {
        let Coverage { nodes_up, nodes_total, .. } = *coverage;
        ResultHeader { revision, replica: self.group.replica(), nodes_up, nodes_total }
    }

    async fn state(&self, query: &Query, deadline: Instant) -> Result<Arc<State>, Error> {
        // What the session SET goes before what the client was started with.
        let set = query.session.variables.get(sql::CONSISTENCY).and_then(|level| level.parse().ok());
        let state = match set.unwrap_or(query.consistency) {
            Consistency::Linearizable => self.group.read_barrier(deadline).await?,
            Consistency::Bounded(staleness) => self.group.read_bounded(staleness, deadline).await?,
            Consistency::Stale => self.group.state_reader().newest(),
        };
        match state.revision >= query.min_revision {
            true => Ok(state),
            false => Ok(self.group.wait_for_revision(query.min_revision, deadline).await?),
        }
    }

    /// Ends a query wherever it runs.
    pub async fn kill(&self, query: u64) -> Result<(), Error> {
        let of = query_log::replica_of(query);
        let unknown = || {
            Error::refused(format!("there is no running query {query}; SELECT id FROM cluster_processlist lists them"))
        };
        let member = self.group.members().members.into_iter().find(|member| query_log::is_replica(member.id, of));
        let Some(member) = member else { return Err(unknown()) };
        let killed = match member.id == self.group.replica() {
            true => self.kill_here(query),
            false => {
                let asked = self.group.leader_link().kill(&member.addr, query, KILL_TIMEOUT).await;
                asked.map_err(|error| {
                    let (LinkError::NotReached(why) | LinkError::Refused(why) | LinkError::NoAnswer(why)) = error;
                    Error::KillFailed { query, replica: member.id, why }
                })?
            }
        };
        if killed { Ok(()) } else { Err(unknown()) }
    }

    /// Ends a query that runs here; says whether there was one.
    pub fn kill_here(&self, query: u64) -> bool {
        self.log.kill(query)
    }

    /// Whether a linearizable read can be answered within `timeout`.
    pub async fn ready(&self, timeout: Duration) -> Result<(), BarrierError> {
        self.group.read_barrier(Instant::now() + timeout).await.map(drop)
    }
}
