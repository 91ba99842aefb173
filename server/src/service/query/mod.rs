//! A query: barrier, state, SQL. All of it runs on a runtime of its own, so no query can starve Raft; but for what only
//! looks up a few rows ([`lookup`]).
//!
//! A caller that goes away ends its query, and so do KILL and the deadline, also while the caller reads nothing. The
//! caller is told at once; the operators end where they next yield, ask for memory or hand over rows.

mod answer;
mod lookup;
mod run;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use unum_proto::model::{Consistency, NodeKey, Query, ResultHeader, Row};

pub use self::answer::{Answer, Head, Part};
use self::answer::{Making, TimeLimit};
use self::lookup::Tried;
use self::run::Known;
pub use self::run::{Reading, Run};
use super::activity::{self, Activity, Request, Running, TooMany};
use crate::base::tunable::Tunable;
use crate::catalog::State;
use crate::consensus::transport::LinkError;
use crate::consensus::{BarrierError, Group};
use crate::sql::{self, Live};

/// Batches that wait for a slow reader. More would be memory that no limit counts.
const BATCHES_AHEAD_MAX: usize = 2;

/// Queries that may hold a thread for long ([`sql::Output::yields`]) and do so at a time, each on a thread of its own.
const APART_MAX: usize = 4;

/// How long the replica that runs a query may take to say that it is killed.
const KILL_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No fresh state in time.
    #[error(transparent)]
    Barrier(#[from] BarrierError),
    /// The statement.
    #[error(transparent)]
    Sql(#[from] sql::Error),
    /// A fresh state, but no time left.
    #[error(
        "the query did not finish within {} ms; narrow it, or give it more time (--timeout, max_execution_time)",
        .0.as_millis()
    )]
    Deadline(Duration),
    /// Its session gave it less time than its caller has.
    #[error("the query did not finish within its max_execution_time of {} ms; narrow it, or SET another one", .0.as_millis())]
    Interrupted(Duration),
    /// KILL.
    #[error("the query {0} was killed")]
    Killed(u64),
    /// Nobody waits for the answer.
    #[error("the caller has gone")]
    Gone,
    /// A change of configuration that may have been made.
    #[error(
        "{0}; whether the change was made is not known: SELECT * FROM config_changes, or try again with the same change key"
    )]
    ChangeUnknown(String),
    /// The replica went down before the answer was made.
    #[error("replica {replica} is stopping and left the statement where it was; ask another replica")]
    Stopping {
        /// Where it ran.
        replica: u64,
    },
    /// This replica runs enough of them.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The replica that runs the query to be killed did not answer.
    #[error("the query {query} runs at replica {replica}, which does not answer: {why}")]
    KillFailed {
        /// The query.
        query: u64,
        /// Where it runs.
        replica: u64,
        /// What came instead of an answer.
        why: String,
    },
}

/// Answers queries on one replica.
#[derive(Debug)]
pub struct QueryService {
    pub(super) group: Group,
    own: NodeKey,
    engine: sql::Engine,
    activity: Activity,
    runtime: tokio::runtime::Handle,
    apart: Arc<Semaphore>,
}

impl QueryService {
    /// A service that runs its queries on `runtime`. `own` is the replica as a node.
    pub fn new(
        group: Group,
        own: NodeKey,
        limits: Tunable<sql::Limits>,
        activity: Activity,
        runtime: tokio::runtime::Handle,
    ) -> Arc<Self> {
        let apart = Arc::new(Semaphore::new(APART_MAX));
        Arc::new(Self { group, own, engine: sql::Engine::new(limits), activity, runtime, apart })
    }

    /// Answers as fresh as the query asks: linearizably, everything that was acknowledged anywhere before the call is
    /// in the answer. `host` is the caller's address.
    pub async fn execute(self: &Arc<Self>, query: Query, host: String) -> Result<Answer, Error> {
        let result = self.begin(query, host).await;
        let labels = [("outcome", if result.is_ok() { "started" } else { "failed" })];
        metrics::counter!("unum_queries_total", &labels).increment(1);
        result
    }

    async fn begin(self: &Arc<Self>, query: Query, host: String) -> Result<Answer, Error> {
        let started = Instant::now();
        let set = |name: &str| query.session.variables.get(name);
        let execution = set(sql::MAX_EXECUTION_TIME).and_then(|ms| ms.parse().ok()).filter(|ms| *ms > 0);
        let time = match execution.map(Duration::from_millis) {
            Some(own) if own < query.timeout => {
                TimeLimit { deadline: started + own, error: Error::Interrupted, time: own }
            }
            _ => TimeLimit { deadline: started + query.timeout, error: Error::Deadline, time: query.timeout },
        };
        let tracked = self.activity.begin(Request {
            user: query.user.clone(),
            host: host.clone(),
            schema: sql::current_schema(&query.session).to_owned(),
            sql: query.sql.clone(),
            memory_bytes_max: self.engine.limits(&query.session).memory_bytes,
        })?;
        let known = match self.look_up(&query, tracked.query(), started, &time).await {
            Ok(Tried::Answered(head, parts)) => {
                tracked.finish();
                return Ok(Answer::whole(head, parts));
            }
            Ok(Tried::ToRun(known)) => known,
            Err(error) => {
                tracked.query().end_by(&error.to_string());
                return Err(error);
            }
        };
        let (sender, made) = mpsc::channel(BATCHES_AHEAD_MAX);
        let run = Run { service: Arc::clone(self), query, host, started, deadline: time.deadline, sender };
        let running = Arc::clone(tracked.query());
        let task = AbortOnDropHandle::new(self.runtime.spawn(run.all(tracked, known)));
        let replica = self.group.replica();
        Answer::begun(Making { made, query: running, time, running: task, replica }).await
    }

    /// The state that a query reads; notes how long it waited for it.
    async fn fresh_state(
        &self,
        query: &Query,
        running: &Running,
        started: Instant,
        deadline: Instant,
    ) -> Result<Arc<State>, Error> {
        let state = self.state(query, deadline).await?;
        running.waited(started.elapsed());
        metrics::histogram!("unum_read_barrier_seconds").record(started.elapsed().as_secs_f64());
        Ok(state)
    }

    /// What a statement reads.
    fn view(self: &Arc<Self>, state: Arc<State>, query: &Query, query_id: u64) -> sql::View {
        sql::View {
            state,
            own: self.own.clone(),
            live: Arc::new(LiveReplica(Arc::clone(self))),
            session: query.session.clone(),
            user: query.user.clone(),
            query_id,
            limits: self.engine.limits(&query.session),
        }
    }

    fn header(&self, revision: u64, (nodes_up, nodes_total): (u32, u32)) -> ResultHeader {
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
        let of = activity::replica_of(query);
        let unknown = || {
            let what = format!("there is no running query {query}; SELECT id FROM cluster_processlist lists them");
            Error::Sql(sql::Error::Invalid(what))
        };
        let member = self.group.members().members.into_iter().find(|member| activity::is_replica(member.id, of));
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
        self.activity.kill(query)
    }

    /// Whether a linearizable read can be answered within `timeout`.
    pub async fn ready(&self, timeout: Duration) -> Result<(), BarrierError> {
        self.group.read_barrier(Instant::now() + timeout).await.map(drop)
    }
}

/// What tables show of this replica at this moment.
#[derive(Clone)]
struct LiveReplica(Arc<QueryService>);

impl fmt::Debug for LiveReplica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveReplica").field("replica", &self.0.group.replica()).finish_non_exhaustive()
    }
}

impl Live for LiveReplica {
    fn replicas(&self) -> Vec<sql::ReplicaRow> {
        let members = self.0.group.members();
        let row = |member: crate::consensus::Member| sql::ReplicaRow {
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
        self.0.activity.running()
    }

    fn status(&self) -> Vec<(&'static str, String)> {
        let members = self.0.group.members();
        let state = self.0.group.state_reader().newest();
        let mut status = vec![
            ("Unum_leader", members.leader.map_or_else(String::new, |leader| leader.to_string())),
            ("Unum_replica", self.0.group.replica().to_string()),
            ("Unum_revision", state.revision.to_string()),
            ("Unum_term", members.term.to_string()),
            ("Unum_nodes", state.nodes.len().to_string()),
            ("Unum_tables", state.tables.len().to_string()),
        ];
        status.extend(self.0.activity.status());
        status
    }
}
