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
    making: Making,
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
        Ok(Self { head, ready, making })
    }

    /// What is known before the first row. To be asked once, and first.
    pub async fn head(&mut self) -> Result<Head, Error> {
        match self.head.take() {
            Some(head) => Ok(head),
            None => match self.making.next().await? {
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
        match self.making.next().await? {
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
        self.making.ended().await
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
    pub(super) _running: AbortOnDropHandle<()>,
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
