//! An answer that is being made: its header, its rows, its end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use unum_proto::model::{ResultFooter, ResultHeader};

use super::super::activity::Running;
use super::Error;
use crate::sql;

/// What waits for the same deadline inside says better what it waited for: it goes first.
const DEADLINE_GRACE: Duration = Duration::from_millis(50);

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
pub struct Head {
    /// What the rows are of.
    pub header: ResultHeader,
    /// The columns.
    pub schema: SchemaRef,
    /// A place for the schema as it is sent: results of one plan share it.
    pub encoded_schema: sql::EncodedSchema,
}

#[derive(Debug)]
pub(super) enum Made {
    /// It is certain that there will be a result, though it may take its time.
    Begun,
    Head(Head),
    Part(Part),
    /// All of a result that was made at once.
    Whole(Head, VecDeque<Part>),
}

/// A result that is being made. Dropping it ends the query.
#[derive(Debug)]
pub struct Answer {
    head: Option<Head>,
    ready: VecDeque<Part>,
    /// Where the rest comes from, if there is one.
    making: Option<Making>,
}

impl Answer {
    /// Comes back when it is certain that there will be a result.
    pub(super) async fn begun(mut making: Making) -> Result<Self, Error> {
        let (head, ready) = match making.next().await? {
            Made::Begun => (None, VecDeque::new()),
            Made::Head(head) => (Some(head), VecDeque::new()),
            Made::Whole(head, ready) => (Some(head), ready),
            Made::Part(_) => return Err(internal("the result has no head")),
        };
        Ok(Self { head, ready, making: Some(making) })
    }

    /// An answer that is there.
    pub(super) fn whole(head: Head, ready: VecDeque<Part>) -> Self {
        Self { head: Some(head), ready, making: None }
    }

    async fn made(&mut self) -> Result<Made, Error> {
        match &mut self.making {
            Some(making) => making.next().await,
            None => Err(internal("the result is over")),
        }
    }

    /// What is known before the first row. To be asked once, and first.
    pub async fn head(&mut self) -> Result<Head, Error> {
        match self.head.take() {
            Some(head) => Ok(head),
            None => match self.made().await? {
                Made::Head(head) => Ok(head),
                Made::Whole(head, ready) => {
                    self.ready = ready;
                    Ok(head)
                }
                Made::Begun | Made::Part(_) => Err(internal("the result has no head")),
            },
        }
    }

    /// Rows, then the end, or an error at any point. After the end there is nothing to ask for.
    pub async fn next(&mut self) -> Result<Part, Error> {
        if let Some(part) = self.ready.pop_front() {
            return Ok(part);
        }
        match self.made().await? {
            Made::Part(part) => Ok(part),
            Made::Begun | Made::Head(_) | Made::Whole(..) => Err(internal("the result has two heads")),
        }
    }

    /// The next part, if it is there already.
    pub fn ready(&mut self) -> Option<Part> {
        self.ready.pop_front()
    }

    /// Whether all of the rest is there already.
    pub fn is_whole(&self) -> bool {
        matches!(self.ready.back(), Some(Part::End(_)))
    }

    /// Comes back when there will be no more, though the query is not at its end: it was killed, or its time is over.
    pub async fn ended(&self) -> Error {
        match &self.making {
            Some(making) => making.ended().await,
            None => std::future::pending().await,
        }
    }
}

pub(super) fn internal(what: &str) -> Error {
    Error::Sql(sql::Error::Internal(what.to_owned()))
}

/// A query that runs on the other runtime.
#[derive(Debug)]
pub(super) struct Making {
    pub(super) made: mpsc::Receiver<Result<Made, Error>>,
    pub(super) query: Arc<Running>,
    pub(super) time: TimeLimit,
    pub(super) running: AbortOnDropHandle<()>,
    /// Where it runs.
    pub(super) replica: u64,
}

/// When a query has to be over, and why.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimit {
    pub(super) deadline: Instant,
    pub(super) time: Duration,
    pub(super) error: fn(Duration) -> Error,
}

impl Making {
    async fn next(&mut self) -> Result<Made, Error> {
        tokio::select! {
            biased;
            made = self.made.recv() => match made {
                Some(made) => made,
                None => Err(self.ended_silently().await),
            },
            error = ended(&self.query, &self.time) => Err(error),
        }
    }

    /// Why nothing comes any more and no error came: a bug, or the threads of queries end with their replica.
    async fn ended_silently(&mut self) -> Error {
        match (&mut self.running).await {
            Err(error) if error.is_cancelled() => Error::Stopping { replica: self.replica },
            Err(error) => internal(&format!("the query ended by a {error}")),
            Ok(()) => internal("the query ended without saying why"),
        }
    }

    async fn ended(&self) -> Error {
        ended(&self.query, &self.time).await
    }
}

/// Comes back when a query is not to go on: it was killed, or its time is over.
pub(super) async fn ended(query: &Running, limit: &TimeLimit) -> Error {
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

#[cfg(test)]
mod tests {
    use super::super::super::activity::{Activity, Options, Request};
    use super::*;
    use crate::base::tunable::Tunable;

    #[tokio::test]
    async fn a_replica_that_stops_is_no_internal_error() {
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let activity = Activity::new(3, Tunable::new(Options { queries_max: 9, slow_threshold: Duration::ZERO }));
        let asked = || Request {
            user: "u".to_owned(),
            host: "h".to_owned(),
            schema: "unum".to_owned(),
            sql: "SELECT 1".to_owned(),
            memory_bytes_max: 1000,
        };
        let making = |query: &Arc<Running>, ended: fn()| {
            let (sender, made) = mpsc::channel(1);
            let running = AbortOnDropHandle::new(threads.spawn(async move {
                let _sender = sender;
                ended();
                std::future::pending().await
            }));
            let time = Duration::from_secs(60);
            let limit = TimeLimit { deadline: Instant::now() + time, time, error: Error::Deadline };
            Making { made, query: Arc::clone(query), time: limit, running, replica: 3 }
        };
        let (first, second) = (activity.begin(asked()).unwrap(), activity.begin(asked()).unwrap());
        let panicked = making(first.query(), || panic!("planted")).next().await.unwrap_err().to_string();
        assert!(
            panicked.contains("internal error: the query ended by a task") && panicked.contains("planted"),
            "{panicked}"
        );
        let mut stopped = making(second.query(), || ());
        threads.shutdown_background();
        assert!(matches!(stopped.next().await, Err(Error::Stopping { replica: 3 })));
    }
}
