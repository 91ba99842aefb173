//! A result on its way to the caller: its head, its rows, its end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use unum_proto::model::{ReplicaId, ResultFooter, ResultHeader};

use super::Error;
use super::time_limit::{TimeLimit, error_of};
use crate::service::query_log::{End, QueryHandle};

/// Events that wait for a slow reader. More would be memory that no limit counts.
pub(super) const EVENTS_AHEAD_MAX: usize = 2;

/// What a result consists of after its head.
#[derive(Debug)]
pub enum Part {
    /// The next rows.
    Rows(RecordBatch),
    /// The end.
    End(ResultFooter),
}

/// What is known before the first row.
#[derive(Debug)]
pub struct Head {
    /// What the rows are of.
    pub header: ResultHeader,
    /// The columns.
    pub schema: SchemaRef,
}

/// What comes from a query that runs, in this order: perhaps `Begun`, then `Whole`, or `Head` and parts up to the end.
#[derive(Debug)]
pub(super) enum Event {
    /// It is certain that there will be a result, though it may take its time.
    Begun,
    Head(Head),
    Part(Part),
    /// All of a result that was made at once.
    Whole(Head, VecDeque<Part>),
}

/// A result that is being made. Dropping it ends the query.
#[derive(Debug)]
pub struct ResultStream {
    head: Option<Head>,
    ready: VecDeque<Part>,
    /// Where the rest comes from, if there is one.
    source: Option<EventSource>,
}

impl ResultStream {
    /// Comes back when it is certain that there will be a result.
    pub(super) async fn begun(mut source: EventSource) -> Result<Self, Error> {
        let (head, ready) = match source.next().await? {
            Event::Begun => (None, VecDeque::new()),
            Event::Head(head) => (Some(head), VecDeque::new()),
            Event::Whole(head, ready) => (Some(head), ready),
            Event::Part(_) => return Err(Error::internal("the result has no head")),
        };
        Ok(Self { head, ready, source: Some(source) })
    }

    /// A result that is there.
    pub(super) fn whole(head: Head, ready: VecDeque<Part>) -> Self {
        Self { head: Some(head), ready, source: None }
    }

    /// The time that the statement takes beyond what its caller gave it: WAIT.
    pub fn extra_time(&self) -> Duration {
        self.source.as_ref().map_or(Duration::ZERO, |source| source.limit.extra())
    }

    /// Whether all of it is there: nothing more is waited for.
    pub fn is_whole(&self) -> bool {
        self.head.is_some() && matches!(self.ready.back(), Some(Part::End(_)))
    }

    /// What is known before the first row, and then the rest of the result.
    pub async fn head(mut self) -> Result<(Head, Parts), Error> {
        let head = match self.head.take() {
            Some(head) => head,
            None => match self.event().await? {
                Event::Head(head) => head,
                Event::Whole(head, ready) => {
                    self.ready = ready;
                    head
                }
                Event::Begun | Event::Part(_) => return Err(Error::internal("the result has no head")),
            },
        };
        Ok((head, Parts(self)))
    }

    async fn event(&mut self) -> Result<Event, Error> {
        match &mut self.source {
            Some(source) => source.next().await,
            None => Err(Error::internal("the result is over")),
        }
    }
}

/// What comes after the head of a result.
#[derive(Debug)]
pub struct Parts(ResultStream);

impl Parts {
    /// Rows, then the end, or an error at any point. After the end there is nothing to ask for.
    pub async fn next(&mut self) -> Result<Part, Error> {
        if let Some(part) = self.ready() {
            return Ok(part);
        }
        match self.0.event().await? {
            Event::Part(part) => Ok(part),
            Event::Begun | Event::Head(_) | Event::Whole(..) => Err(Error::internal("the result has two heads")),
        }
    }

    /// The next part, if it is there already.
    pub fn ready(&mut self) -> Option<Part> {
        self.0.ready.pop_front()
    }

    /// Comes back when there will be no more, though the query is not at its end: it was killed, or its time is over.
    pub async fn cut_short(&self) -> Error {
        match &self.0.source {
            Some(source) => cut_short(&source.handle, &source.limit).await,
            None => std::future::pending().await,
        }
    }
}

/// A query that runs on the other runtime.
#[derive(Debug)]
pub(super) struct EventSource {
    pub(super) events: mpsc::Receiver<Result<Event, Error>>,
    pub(super) handle: Arc<QueryHandle>,
    pub(super) limit: Arc<TimeLimit>,
    pub(super) running: AbortOnDropHandle<()>,
    /// Where it runs.
    pub(super) replica: ReplicaId,
}

impl EventSource {
    async fn next(&mut self) -> Result<Event, Error> {
        tokio::select! {
            biased;
            event = self.events.recv() => match event {
                Some(event) => event,
                None => Err(self.ended_silently().await),
            },
            error = cut_short(&self.handle, &self.limit) => Err(error),
        }
    }

    /// Why nothing comes any more and no error came: a bug, or the threads of queries end with their replica.
    async fn ended_silently(&mut self) -> Error {
        let error = match (&mut self.running).await {
            Err(error) if error.is_cancelled() => Error::Stopping { replica: self.replica },
            Err(error) => Error::internal(format!("the query ended by a {error}")),
            Ok(()) => Error::internal("the query ended without saying why"),
        };
        said_of(&self.handle, error)
    }
}

/// Comes back when a query is not to go on: it was killed, or its time is over.
pub(super) async fn cut_short(handle: &QueryHandle, limit: &TimeLimit) -> Error {
    let end = tokio::select! {
        end = handle.end.cut_short() => end.clone(),
        () = limit.over() => {
            handle.set_stage("ending");
            // What has ended meanwhile is not read in its time.
            match handle.end.set(limit.end()) {
                End::Finished | End::Failed(_) | End::Panicked => limit.end(),
                end => end.clone(),
            }
        }
    };
    said_of(handle, error_of(&end, handle.id))
}

/// An error, as it is told of a query that may have changed something.
pub(super) fn said_of(handle: &QueryHandle, error: Error) -> Error {
    if handle.may_have_changed() { error.of_a_change() } else { error }
}

impl Drop for EventSource {
    fn drop(&mut self) {
        self.handle.end.set(End::CallerGone);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::query_log::{Options, QueryHandle, QueryLog, Request};
    use std::time::Duration;

    use tokio::time::Instant;
    use unum_proto::model::Query;

    use super::*;
    use crate::base::tunable::Tunable;

    #[tokio::test]
    async fn a_replica_that_stops_is_no_internal_error() {
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let log = QueryLog::new(3.into(), Tunable::new(Options { queries_max: 9, slow_threshold: Duration::ZERO }));
        let asked = || Request {
            user: "u".to_owned(),
            host: "h".to_owned(),
            schema: "unum".to_owned(),
            memory_bytes_max: 1000,
        };
        let source = |handle: &Arc<QueryHandle>, ended: fn()| {
            let (sender, events) = mpsc::channel(1);
            let running = AbortOnDropHandle::new(threads.spawn(async move {
                let _sender = sender;
                ended();
                std::future::pending().await
            }));
            let query = Query::new("SELECT 1".to_owned(), 60_000).unwrap();
            let limit = Arc::new(TimeLimit::new(Instant::now(), &query));
            EventSource { events, handle: Arc::clone(handle), limit, running, replica: 3.into() }
        };
        let (first, second) = (log.begin(asked()).unwrap(), log.begin(asked()).unwrap());
        let panicked = source(first.query(), || panic!("planted")).next().await.unwrap_err().to_string();
        assert!(
            panicked.contains("internal error: the query ended by a task") && panicked.contains("planted"),
            "{panicked}"
        );
        let mut stopped = source(second.query(), || ());
        threads.shutdown_background();
        assert!(matches!(stopped.next().await, Err(Error::Stopping { replica }) if u64::from(replica) == 3));
    }
}
