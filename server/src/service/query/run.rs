//! One query on its way, on the query runtime.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use unum_proto::model::{Query, ResultFooter, SqlSession};

use super::super::activity::{Running, Tracked};
use super::super::configure::{self, Changed};
use super::answer::{Head, Made, Part, internal};
use super::{Error, QueryService};
use crate::catalog::State;
use crate::sql::{self, Caller, Statement};

/// How long a result is waited for before its head goes ahead: in this time most results are there, and go as one.
const WHOLE_WAIT: Duration = Duration::from_millis(10);

/// Bytes of a result that goes as one, about.
const WHOLE_BYTES_MAX: usize = 1024 * 1024;

/// What is known of a statement before it is run.
pub(super) enum Known {
    /// It is to be parsed.
    Nothing,
    /// It has a plan.
    Plan(Box<sql::Planned>),
    /// It has a plan, and the state that it reads.
    State(Arc<State>, Box<sql::Planned>),
}

/// What is read.
pub enum Reading {
    /// It has no plan yet.
    New(Box<sql::Read>),
    /// It has a plan.
    Planned(Box<sql::Planned>),
}

/// One query on its way.
pub struct Run {
    pub(in super::super) service: Arc<QueryService>,
    pub(in super::super) query: Query,
    pub(in super::super) host: String,
    pub(super) started: Instant,
    pub(in super::super) deadline: Instant,
    pub(super) sender: mpsc::Sender<Result<Made, Error>>,
}

impl Run {
    /// Runs it all, from what is known of it.
    pub(super) async fn all(self, tracked: Tracked, known: Known) {
        let running = tracked.query();
        let ran = match known {
            Known::Nothing => self.statement(running).await,
            Known::Plan(planned) => self.read(Reading::Planned(planned), running).await,
            Known::State(state, planned) => self.read_at(state, Reading::Planned(planned), running).await,
        };
        match ran {
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
        let statement = service.engine.parse(&query.sql, &caller);
        match &statement {
            Ok(Statement::Planned(planned)) => running.has_digest(planned.digest()),
            // Here, and not where somebody looks at it.
            _ => drop(running.digest()),
        }
        let statement = statement?;
        if !matches!(statement, Statement::Configure(_)) {
            running.shows(&query.sql);
        }
        match statement {
            Statement::Read(read) => self.read(Reading::New(read), running).await,
            Statement::Planned(planned) => self.read(Reading::Planned(planned), running).await,
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
        let header = self.service.header(revision, (0, 0));
        let head = Head { header, schema: Arc::new(Schema::empty()), encoded_schema: Arc::default() };
        let end = Part::End(self.footer(0, Vec::new(), session));
        self.send(Made::Whole(head, VecDeque::from([end]))).await
    }

    /// Makes a change, and tells what came of it so far.
    async fn configure(&self, configure: &sql::Configure, running: &Arc<Running>) -> Result<(), Error> {
        running.shows(&configure.masked);
        running.enters("changing configuration");
        let Changed { state, revision, change, mut warnings } = configure::make(self, configure, running).await?;
        let read = sql::configure::outcome_read(change, configure.options.dry_run)?;
        let mut output = self.start(state, Reading::New(Box::new(read)), running).await?;
        output.warnings.append(&mut warnings);
        self.rows(output, revision, running).await
    }

    async fn read(&self, read: Reading, running: &Arc<Running>) -> Result<(), Error> {
        let Self { service, query, started, deadline, .. } = self;
        let state = service.fresh_state(query, running, *started, *deadline).await?;
        self.read_at(state, read, running).await
    }

    async fn read_at(&self, state: Arc<State>, read: Reading, running: &Arc<Running>) -> Result<(), Error> {
        let revision = state.revision;
        let output = self.start(state, read, running).await?;
        self.rows(output, revision, running).await
    }

    /// Plans a read over one state, and starts it.
    pub(in super::super) async fn start(
        &self,
        state: Arc<State>,
        read: Reading,
        running: &Arc<Running>,
    ) -> Result<sql::Output, Error> {
        let Self { service, query, .. } = self;
        running.enters("planning");
        let view = Arc::new(service.view(state, query, running.id));
        let planning = Instant::now();
        let output = match read {
            Reading::New(read) => service.engine.start(view, *read, &running.memory).await?,
            Reading::Planned(planned) => service.engine.run(view, *planned, &running.memory).await?,
        };
        running.planned(planning.elapsed());
        Ok(output)
    }

    /// Sends what was started: as one, if it is there in no time.
    async fn rows(&self, mut output: sql::Output, revision: u64, running: &Running) -> Result<(), Error> {
        running.enters("sending rows");
        let header = self.service.header(revision, output.nodes);
        let schema = Arc::clone(&output.schema);
        let head = Head { header, schema, encoded_schema: Arc::clone(&output.encoded_schema) };
        let mut ready = VecDeque::new();
        let gathered = match output.yields {
            true => timeout(WHOLE_WAIT, self.gather(&mut output, &mut ready, running)).await.unwrap_or(Ok(false)),
            false => Ok(false),
        };
        if gathered? {
            ready.push_back(Part::End(self.footer(output.rows() as u64, output.warnings, None)));
            return self.send(Made::Whole(head, ready)).await;
        }
        self.send(Made::Head(head)).await?;
        for part in ready {
            self.send(Made::Part(part)).await?;
        }
        while let Some(batch) = self.next(&mut output, running).await? {
            running.made(batch.num_rows());
            self.send(Made::Part(Part::Rows(batch))).await?;
        }
        self.end(output.rows() as u64, output.warnings, None).await
    }

    /// Takes rows until there are no more, or enough. What it took stays taken when it is dropped.
    async fn gather(
        &self,
        output: &mut sql::Output,
        ready: &mut VecDeque<Part>,
        running: &Running,
    ) -> Result<bool, Error> {
        while output.bytes() <= WHOLE_BYTES_MAX {
            let Some(batch) = self.next(output, running).await? else { return Ok(true) };
            running.made(batch.num_rows());
            ready.push_back(Part::Rows(batch));
        }
        Ok(false)
    }

    /// The next rows. What may hold the thread for long gets one of its own for it, so that the others have theirs.
    pub(in super::super) async fn next(
        &self,
        output: &mut sql::Output,
        running: &Running,
    ) -> Result<Option<RecordBatch>, Error> {
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
    pub(in super::super) async fn begun(&self) -> Result<(), Error> {
        self.send(Made::Begun).await
    }

    async fn end(&self, rows: u64, warnings: Vec<String>, session: Option<SqlSession>) -> Result<(), Error> {
        self.send(Made::Part(Part::End(self.footer(rows, warnings, session)))).await
    }

    fn footer(&self, rows: u64, warnings: Vec<String>, session: Option<SqlSession>) -> ResultFooter {
        ResultFooter { rows, elapsed: self.started.elapsed(), warnings, session }
    }

    async fn send(&self, made: Made) -> Result<(), Error> {
        self.sender.send(Ok(made)).await.map_err(|_| Error::Gone)
    }
}
