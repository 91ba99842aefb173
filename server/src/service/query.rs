//! A query: barrier, state, SQL. All of it runs on a runtime of its own, so no query can starve Raft.
//!
//! A caller that goes away ends its query, and so do KILL and the deadline, also while the caller reads nothing. The
//! caller is told at once; the operators end where they next yield, ask for memory or hand over rows.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use unum_proto::model::{Consistency, NodeKey, Query, ResultFooter, ResultHeader, Row, SqlSession};

use super::activity::{self, Activity, Request, Running, TooMany, Tracked};
use super::configure::{self, Changed};
use crate::base::tunable::Tunable;
use crate::catalog::State;
use crate::consensus::transport::LinkError;
use crate::consensus::{BarrierError, Group};
use crate::sql::{self, Caller, Live, Statement};

/// Batches that wait for a slow reader. More would be memory that no limit counts.
const BATCHES_AHEAD_MAX: usize = 2;

/// Queries that may hold a thread for long ([`sql::Output::yields`]) and do so at a time, each on a thread of its own.
const APART_MAX: usize = 4;

/// What waits for the same deadline inside says better what it waited for: it goes first.
const DEADLINE_GRACE: Duration = Duration::from_millis(50);

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

/// What a result consists of after its header.
#[derive(Debug)]
pub enum Part {
    /// The next rows.
    Rows(RecordBatch),
    /// The end.
    End(ResultFooter),
}

/// What is known before the first row.
#[derive(Debug)]
struct Head {
    header: ResultHeader,
    schema: SchemaRef,
}

#[derive(Debug)]
enum Made {
    /// It is certain that there will be a result, though it may take its time.
    Begun,
    Head(Head),
    Part(Part),
}

/// A result that is being made. Dropping it ends the query.
#[derive(Debug)]
pub struct Answer {
    head: Option<Head>,
    making: Making,
}

impl Answer {
    /// What is known before the first row, and the columns. To be asked once, and first.
    pub async fn head(&mut self) -> Result<(ResultHeader, SchemaRef), Error> {
        let head = match self.head.take() {
            Some(head) => head,
            None => match self.making.next().await? {
                Made::Head(head) => head,
                Made::Begun | Made::Part(_) => return Err(internal("the result has no head")),
            },
        };
        Ok((head.header, head.schema))
    }

    /// Rows, then the end, or an error at any point. After the end there is nothing to ask for.
    pub async fn next(&mut self) -> Result<Part, Error> {
        match self.making.next().await? {
            Made::Part(part) => Ok(part),
            Made::Begun | Made::Head(_) => Err(internal("the result has two heads")),
        }
    }

    /// Comes back when there will be no more, though the query is not at its end: it was killed, or its time is over.
    pub async fn ended(&self) -> Error {
        self.making.ended().await
    }
}

fn internal(what: &str) -> Error {
    Error::Sql(sql::Error::Internal(what.to_owned()))
}

/// A query that runs on the other runtime.
#[derive(Debug)]
struct Making {
    made: mpsc::Receiver<Result<Made, Error>>,
    query: Arc<Running>,
    time: TimeLimit,
    _running: AbortOnDropHandle<()>,
}

/// When a query has to be over, and why.
#[derive(Debug, Clone, Copy)]
struct TimeLimit {
    deadline: Instant,
    time: Duration,
    error: fn(Duration) -> Error,
}

impl Making {
    async fn next(&mut self) -> Result<Made, Error> {
        tokio::select! {
            biased;
            made = self.made.recv() => made.unwrap_or_else(|| Err(internal("the query ended without saying why"))),
            error = ended(&self.query, &self.time) => Err(error),
        }
    }

    async fn ended(&self) -> Error {
        ended(&self.query, &self.time).await
    }
}

async fn ended(query: &Running, limit: &TimeLimit) -> Error {
    tokio::select! {
        () = query.killed.cancelled() => Error::Killed(query.id),
        () = tokio::time::sleep_until(limit.deadline + DEADLINE_GRACE) => {
            let error = (limit.error)(limit.time);
            query.end_by(&error.to_string());
            error
        }
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        self.query.end();
    }
}

/// Answers queries on one replica. Clones share the runtime.
#[derive(Debug, Clone)]
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
    ) -> Self {
        let apart = Arc::new(Semaphore::new(APART_MAX));
        Self { group, own, engine: sql::Engine::new(limits), activity, runtime, apart }
    }

    /// Answers as fresh as the query asks: linearizably, everything that was acknowledged anywhere before the call is
    /// in the answer. `host` is the caller's address.
    pub async fn execute(&self, query: Query, host: String) -> Result<Answer, Error> {
        let result = self.begin(query, host).await;
        let labels = [("outcome", if result.is_ok() { "started" } else { "failed" })];
        metrics::counter!("unum_queries_total", &labels).increment(1);
        result
    }

    async fn begin(&self, query: Query, host: String) -> Result<Answer, Error> {
        let started = Instant::now();
        let set = |name: &str| query.session.variables.get(name);
        let execution = set(sql::MAX_EXECUTION_TIME).and_then(|ms| ms.parse().ok()).filter(|ms| *ms > 0);
        let time = match execution.map(Duration::from_millis) {
            Some(own) if own < query.timeout => {
                TimeLimit { deadline: started + own, error: Error::Interrupted, time: own }
            }
            _ => TimeLimit { deadline: started + query.timeout, error: Error::Deadline, time: query.timeout },
        };
        let deadline = time.deadline;
        let tracked = self.activity.begin(Request {
            user: query.user.clone(),
            host: host.clone(),
            schema: sql::current_schema(&query.session).to_owned(),
            sql: query.sql.clone(),
            memory_bytes_max: self.engine.limits(&query.session).memory_bytes,
        })?;
        let (sender, made) = mpsc::channel(BATCHES_AHEAD_MAX);
        let run = Run { service: self.clone(), query, host, started, deadline, sender };
        let running = Arc::clone(tracked.query());
        let task = AbortOnDropHandle::new(self.runtime.spawn(run.all(tracked)));
        let mut making = Making { made, query: running, time, _running: task };
        match making.next().await? {
            Made::Begun => Ok(Answer { head: None, making }),
            Made::Head(head) => Ok(Answer { head: Some(head), making }),
            Made::Part(_) => Err(internal("the result has no head")),
        }
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

/// What is read.
pub(super) enum Reading {
    New(sql::Read),
    Planned(sql::Planned),
}

/// One query on its way, on the query runtime.
pub(super) struct Run {
    pub(super) service: QueryService,
    pub(super) query: Query,
    pub(super) host: String,
    started: Instant,
    pub(super) deadline: Instant,
    sender: mpsc::Sender<Result<Made, Error>>,
}

impl Run {
    async fn all(self, tracked: Tracked) {
        tracked.query().digest();
        match self.statement(tracked.query()).await {
            Ok(()) => tracked.finish(),
            Err(error) => {
                let query = tracked.query();
                let error = if query.killed.is_cancelled() { Error::Killed(query.id) } else { error };
                query.end_by(&error.to_string());
                // Over before its caller hears of it: who asks next does not find it in processlist.
                drop(tracked);
                let _ = self.sender.send(Err(error)).await;
            }
        }
    }

    async fn statement(&self, running: &Arc<Running>) -> Result<(), Error> {
        let Self { service, query, .. } = self;
        let own = service.own.to_string();
        let caller = Caller { session: &query.session, own: &own, user: &query.user, query_id: running.id };
        let statement = service.engine.parse(&query.sql, &caller)?;
        if !matches!(statement, Statement::Configure(_)) {
            running.shows(&query.sql);
        }
        match statement {
            Statement::Read(read) => self.read(Reading::New(*read), running).await,
            Statement::Planned(planned) => self.read(Reading::Planned(*planned), running).await,
            Statement::Session(session) => self.done(Some(session)).await,
            Statement::Kill { query } => {
                service.kill(query).await?;
                self.done(None).await
            }
            Statement::Configure(configure) => self.configure(&configure, running).await,
        }
    }

    /// A statement that has no rows is done.
    async fn done(&self, session: Option<SqlSession>) -> Result<(), Error> {
        let group = &self.service.group;
        let revision = group.state_reader().newest().revision;
        let header = ResultHeader { revision, replica: group.replica(), nodes_up: 0, nodes_total: 0 };
        self.send(Made::Head(Head { header, schema: Arc::new(Schema::empty()) })).await?;
        self.end(0, Vec::new(), session).await
    }

    /// Makes a change, and tells what came of it so far.
    async fn configure(&self, configure: &sql::Configure, running: &Arc<Running>) -> Result<(), Error> {
        running.shows(&configure.masked);
        running.enters("changing configuration");
        let Changed { state, revision, change, mut warnings } = configure::make(self, configure, running).await?;
        let read = sql::configure::outcome_read(change, configure.options.dry_run)?;
        let mut output = self.start(state, Reading::New(read), running).await?;
        output.warnings.append(&mut warnings);
        self.rows(output, revision, running).await
    }

    async fn read(&self, read: Reading, running: &Arc<Running>) -> Result<(), Error> {
        let Self { service, query, started, deadline, .. } = self;
        let state = service.state(query, *deadline).await?;
        running.waited(started.elapsed());
        metrics::histogram!("unum_read_barrier_seconds").record(started.elapsed().as_secs_f64());
        let revision = state.revision;
        let output = self.start(state, read, running).await?;
        self.rows(output, revision, running).await
    }

    /// Plans a read over one state, and starts it.
    pub(super) async fn start(
        &self,
        state: Arc<State>,
        read: Reading,
        running: &Arc<Running>,
    ) -> Result<sql::Output, Error> {
        let Self { service, query, .. } = self;
        running.enters("planning");
        let view = Arc::new(sql::View {
            state,
            own: service.own.clone(),
            live: Arc::new(LiveReplica { group: service.group.clone(), activity: service.activity.clone() }),
            session: query.session.clone(),
            user: query.user.clone(),
            query_id: running.id,
            limits: service.engine.limits(&query.session),
        });
        let planning = Instant::now();
        let output = match read {
            Reading::New(read) => service.engine.start(view, read, &running.memory).await?,
            Reading::Planned(planned) => service.engine.run(view, planned, &running.memory).await?,
        };
        running.planned(planning.elapsed());
        Ok(output)
    }

    /// Sends what was started.
    async fn rows(&self, mut output: sql::Output, revision: u64, running: &Running) -> Result<(), Error> {
        running.enters("sending rows");
        let header = ResultHeader {
            revision,
            replica: self.service.group.replica(),
            nodes_up: output.nodes.0,
            nodes_total: output.nodes.1,
        };
        self.send(Made::Head(Head { header, schema: Arc::clone(&output.schema) })).await?;
        while let Some(batch) = self.next(&mut output, running).await? {
            running.made(batch.num_rows());
            self.send(Made::Part(Part::Rows(batch))).await?;
        }
        self.end(output.rows() as u64, output.warnings, None).await
    }

    /// The next rows. What may hold the thread for long gets one of its own for it, so that the others have theirs.
    pub(super) async fn next(&self, output: &mut sql::Output, running: &Running) -> Result<Option<RecordBatch>, Error> {
        if output.yields {
            return Ok(output.next().await?);
        }
        let _permit = self.service.apart.acquire().await.map_err(|_| internal("the semaphore is closed"))?;
        let next = async {
            tokio::select! {
                next = output.next() => Ok(next?),
                () = running.ended.cancelled() => Err(Error::Gone),
            }
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(next))
    }

    /// The caller need not ask elsewhere: this replica does it.
    pub(super) async fn begun(&self) -> Result<(), Error> {
        self.send(Made::Begun).await
    }

    async fn end(&self, rows: u64, warnings: Vec<String>, session: Option<SqlSession>) -> Result<(), Error> {
        let footer = ResultFooter { rows, elapsed: self.started.elapsed(), warnings, session };
        self.send(Made::Part(Part::End(footer))).await
    }

    async fn send(&self, made: Made) -> Result<(), Error> {
        self.sender.send(Ok(made)).await.map_err(|_| Error::Gone)
    }
}

/// What tables show of this replica at this moment.
#[derive(Clone)]
struct LiveReplica {
    group: Group,
    activity: Activity,
}

impl fmt::Debug for LiveReplica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveReplica").field("replica", &self.group.replica()).finish_non_exhaustive()
    }
}

impl Live for LiveReplica {
    fn replicas(&self) -> Vec<sql::ReplicaRow> {
        let members = self.group.members();
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
        self.activity.running()
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
        status.extend(self.activity.status());
        status
    }
}
