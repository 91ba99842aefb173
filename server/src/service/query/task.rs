//! One query on its way, on the query runtime.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use unum_proto::model::limits::SESSION_WARNINGS_MAX;
use unum_proto::model::{Query, ResultFooter, SqlSession};

use super::Error;
use super::lookup::Known;
use super::replica::Replica;
use super::result::{Event, Head, Part, said_of};
use super::time_limit::{TimeLimit, error_of};
use crate::catalog::State;
use crate::catalog::change::CatalogChange;
use crate::service::change::config::ReadState;
use crate::service::change::{Author, Tries};
use crate::service::change::{catalog, config};
use crate::service::query_log::{End, QueryHandle, Tracked};
use crate::sql::configure::{Configure, outcome_read};
use crate::sql::{self, Action, Command, Coverage, Execution, Prepared, Read, RowStream, Rows};

/// How long a result is waited for before its head goes ahead: in this time most results are there, and go as one.
const WHOLE_WAIT: Duration = Duration::from_millis(10);

/// Bytes of a result that goes as one, about.
const WHOLE_BYTES_MAX: usize = 1024 * 1024;

/// One query on its way.
pub(super) struct QueryTask {
    pub(super) replica: Arc<Replica>,
    pub(super) query: Query,
    pub(super) host: String,
    pub(super) limit: Arc<TimeLimit>,
    pub(super) handle: Arc<QueryHandle>,
    pub(super) sender: mpsc::Sender<Result<Event, Error>>,
}

impl QueryTask {
    /// Runs it to its end, from what is known of it.
    pub(super) async fn run(self, tracked: Tracked, known: Known) {
        let ran = sql::warnings::scope(async {
            match known {
                Known::Nothing => match self.prepare() {
                    Ok(prepared) => self.act(prepared).await,
                    Err(error) => Err(error),
                },
                Known::Prepared(prepared) => self.act(prepared).await,
                Known::At(state, prepared) => match &prepared.action {
                    Action::Read(read) => self.read_at(state, read).await,
                    Action::Command(_) => self.act(prepared).await,
                },
            }
        });
        let ran = ran.await;
        if let Err(error) = ran {
            // An operator that gets no more memory does not know why.
            let error = match self.handle.end.get() {
                Some(end @ (End::Killed | End::Deadline(_) | End::Interrupted(_))) => error_of(end, self.handle.id),
                _ => error,
            };
            let error = said_of(&self.handle, error);
            self.handle.set_stage("ending");
            self.handle.end.set(End::Failed(error.to_string()));
            // Over before its caller hears of it: who asks next does not find it in processlist.
            drop(tracked);
            let _ = self.sender.send(Err(error)).await;
        }
    }

    fn prepare(&self) -> Result<Prepared, Error> {
        let Self { replica, query, handle, .. } = self;
        let own = replica.own.to_string();
        let prepared = replica.engine.prepare(&sql::Request {
            sql: &query.sql,
            parameters: &query.parameters,
            session: &query.session,
            own: &own,
            user: &query.user,
            query_id: handle.id,
        })?;
        handle.set_statement(&prepared);
        Ok(prepared)
    }

    async fn act(&self, prepared: Prepared) -> Result<(), Error> {
        match prepared.action {
            Action::Read(read) => {
                let state = self.replica.fresh_state(&self.query, &self.handle, &self.limit).await?;
                self.read_at(state, &read).await
            }
            Action::Command(Command::SetSession(session)) => self.done(Some(session)).await,
            Action::Command(Command::Kill { query }) => {
                self.replica.kill(query).await?;
                self.done(None).await
            }
            Action::Command(Command::Configure(configure)) => self.configure(&configure).await,
            Action::Command(Command::Change { change, change_key }) => {
                self.change(&change, change_key.as_deref()).await
            }
        }
    }

    /// A statement that has no rows is done.
    async fn done(&self, session: Option<SqlSession>) -> Result<(), Error> {
        self.done_at(self.replica.group.state_reader().newest().revision, session).await
    }

    async fn done_at(&self, revision: u64, session: Option<SqlSession>) -> Result<(), Error> {
        let header = self.replica.header(revision, &Coverage::default());
        let head = Head { header, schema: Arc::new(Schema::empty()) };
        self.whole(head, VecDeque::new(), self.footer(0, Vec::new(), session)).await
    }

    fn author(&self) -> Author<'_> {
        let Self { replica, query, host, limit, handle, .. } = self;
        Author { group: &replica.group, query, host, tries: Tries::of(handle), deadline: limit.deadline() }
    }

    /// Changes the catalog.
    async fn change(&self, change: &CatalogChange, change_key: Option<&str>) -> Result<(), Error> {
        self.handle.set_stage("changing the catalog");
        let changed = catalog::make(&self.author(), change, change_key).await?;
        self.done_at(changed.revision, None).await
    }

    /// Makes a change of configuration, and tells what came of it so far.
    async fn configure(&self, configure: &Configure) -> Result<(), Error> {
        self.handle.set_stage("changing configuration");
        let author = self.author();
        let mut made = config::make(&author, configure, self).await?;
        if let Some(wait) = configure.options.wait {
            // The change is made in the caller's own time; only the nodes have more.
            self.limit.extend(wait);
            // The caller need not ask elsewhere: this replica does it.
            self.send(Event::Begun).await?;
            config::wait_for_nodes(&author, &mut made, Instant::now() + wait).await;
        }
        let read = Read::from(outcome_read(made.change, configure.options.dry_run)?);
        let mut execution = self.execute(made.state, &read).await?;
        execution.head.coverage.warnings.append(&mut made.warnings);
        self.send_rows(execution, made.revision).await
    }

    async fn read_at(&self, state: Arc<State>, read: &Read) -> Result<(), Error> {
        let revision = state.revision;
        let execution = self.execute(state, read).await?;
        self.send_rows(execution, revision).await
    }

    /// Plans a read over one state, and starts it.
    async fn execute(&self, state: Arc<State>, read: &Read) -> Result<Execution, Error> {
        let Self { replica, query, handle, .. } = self;
        handle.set_stage("planning");
        let view = Arc::new(replica.view(state, query, handle.id));
        let planning = Instant::now();
        let execution = replica.engine.execute(read, view, &handle.memory).await?;
        handle.set_plan_time(planning.elapsed());
        Ok(execution)
    }

    /// Sends the rows of what is being executed: as one, if they are there in no time.
    async fn send_rows(&self, execution: Execution, revision: u64) -> Result<(), Error> {
        self.handle.set_stage("sending rows");
        let header = self.replica.header(revision, &execution.head.coverage);
        let (head, warnings) = (Head { header, schema: execution.head.schema }, execution.head.coverage.warnings);
        let mut stream = match execution.rows {
            Rows::Stream(stream) => stream,
            Rows::Ready(batches) => {
                let rows = batches.iter().map(RecordBatch::num_rows).sum();
                self.handle.add_rows(rows);
                let footer = self.footer(rows as u64, warnings, None);
                return self.whole(head, batches.into_iter().map(Part::Rows).collect(), footer).await;
            }
        };
        let mut ready = VecDeque::new();
        let is_whole = match stream.is_cooperative {
            true => timeout(WHOLE_WAIT, self.gather(&mut stream, &mut ready)).await.unwrap_or(Ok(false)),
            false => Ok(false),
        };
        if is_whole? {
            return self.whole(head, ready, self.footer(stream.rows() as u64, warnings, None)).await;
        }
        self.send(Event::Head(head)).await?;
        for part in ready {
            self.send(Event::Part(part)).await?;
        }
        while let Some(batch) = self.next(&mut stream).await? {
            self.handle.add_rows(batch.num_rows());
            self.send(Event::Part(Part::Rows(batch))).await?;
        }
        let footer = self.footer(stream.rows() as u64, warnings, None);
        self.send_last(Event::Part(Part::End(footer))).await
    }

    /// Takes rows until there are no more, or enough. What it took stays taken when it is dropped.
    async fn gather(&self, stream: &mut RowStream, ready: &mut VecDeque<Part>) -> Result<bool, Error> {
        while stream.bytes() <= WHOLE_BYTES_MAX {
            let Some(batch) = self.next(stream).await? else { return Ok(true) };
            self.handle.add_rows(batch.num_rows());
            ready.push_back(Part::Rows(batch));
        }
        Ok(false)
    }

    /// The next rows. What may hold the thread for long gets one of its own for it, so that the others have theirs.
    async fn next(&self, stream: &mut RowStream) -> Result<Option<RecordBatch>, Error> {
        if stream.is_cooperative {
            return Ok(stream.next().await?);
        }
        let _permit = self.replica.apart.acquire().await.map_err(|_| Error::internal("the semaphore is closed"))?;
        let next = async {
            tokio::select! {
                next = stream.next() => Ok(next?),
                () = self.handle.end.token().cancelled() => Err(Error::Gone),
            }
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(next))
    }

    /// A whole result.
    async fn whole(&self, head: Head, mut parts: VecDeque<Part>, footer: ResultFooter) -> Result<(), Error> {
        parts.push_back(Part::End(footer));
        self.send_last(Event::Whole(head, parts)).await
    }

    fn footer(&self, rows: u64, mut warnings: Vec<String>, session: Option<SqlSession>) -> ResultFooter {
        warnings.extend(sql::warnings::taken());
        warnings.truncate(SESSION_WARNINGS_MAX);
        ResultFooter { rows, elapsed: self.limit.started().elapsed(), warnings, session }
    }

    /// The query has finished when there is room for its last event: until then it can be killed, and after that it is over
    /// before its caller hears of it.
    async fn send_last(&self, event: Event) -> Result<(), Error> {
        let room = self.sender.reserve().await.map_err(|_| Error::Gone)?;
        self.handle.end.set(End::Finished);
        room.send(Ok(event));
        Ok(())
    }

    async fn send(&self, event: Event) -> Result<(), Error> {
        self.sender.send(Ok(event)).await.map_err(|_| Error::Gone)
    }
}

impl ReadState for QueryTask {
    async fn read_all(&self, state: Arc<State>, read: Read) -> Result<Vec<RecordBatch>, Error> {
        let mut stream = match self.execute(state, &read).await?.rows {
            Rows::Ready(batches) => return Ok(batches),
            Rows::Stream(stream) => stream,
        };
        let mut batches = Vec::new();
        while let Some(batch) = self.next(&mut stream).await? {
            batches.push(batch);
        }
        Ok(batches)
    }
}
