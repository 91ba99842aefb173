//! A query: barrier, state, SQL. It runs on a runtime of its own, so no query can starve Raft.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use unum_proto::model::{Consistency, NodeKey, Query, ResultFooter, ResultHeader};

use crate::consensus::{BarrierError, Group};
use crate::sql;

/// Batches that wait for a slow reader. More would be memory that no limit counts.
const BATCHES_AHEAD_MAX: usize = 2;

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
    #[error("the query did not finish within {} ms; narrow it, or give it more time", .0.as_millis())]
    Deadline(Duration),
}

/// What a result consists of after its header.
#[derive(Debug)]
pub enum Part {
    /// The next rows.
    Rows(RecordBatch),
    /// The end.
    End(ResultFooter),
}

/// A result that is being made. Dropping it ends the query.
#[derive(Debug)]
pub struct Answer {
    /// What is known before the first row.
    pub header: ResultHeader,
    /// The columns.
    pub schema: SchemaRef,
    /// Rows, then the end, or an error at any point.
    pub parts: mpsc::Receiver<Result<Part, Error>>,
    _running: AbortOnDropHandle<()>,
}

/// Answers queries on one replica. Clones share the runtime.
#[derive(Debug, Clone)]
pub struct QueryService {
    group: Group,
    own: NodeKey,
    engine: sql::Engine,
    runtime: tokio::runtime::Handle,
}

impl QueryService {
    /// A service that runs its queries on `runtime`. `own` is the replica as a node.
    pub fn new(group: Group, own: NodeKey, limits: sql::Limits, runtime: tokio::runtime::Handle) -> Self {
        Self { group, own, engine: sql::Engine::new(limits), runtime }
    }

    /// Answers as fresh as the query asks: linearizably, everything that was acknowledged anywhere before the call is
    /// in the answer.
    pub async fn execute(&self, query: Query) -> Result<Answer, Error> {
        let started = Instant::now();
        let deadline = started + query.timeout;
        let result = self.begin(&query, started, deadline).await;
        let labels = [("outcome", if result.is_ok() { "started" } else { "failed" })];
        metrics::counter!("unum_queries_total", &labels).increment(1);
        result
    }

    async fn begin(&self, query: &Query, started: Instant, deadline: Instant) -> Result<Answer, Error> {
        let state = match query.consistency {
            Consistency::Linearizable => self.group.read_barrier(deadline).await?,
            Consistency::Bounded(staleness) => self.group.read_bounded(staleness, deadline).await?,
            Consistency::Stale => self.group.state_reader().newest(),
        };
        let state = match state.revision >= query.min_revision {
            true => state,
            false => self.group.wait_for_revision(query.min_revision, deadline).await?,
        };
        metrics::histogram!("unum_read_barrier_seconds").record(started.elapsed().as_secs_f64());
        let revision = state.revision;
        let view = Arc::new(sql::View { state, own: self.own.clone(), replicas: self.replicas() });
        let (engine, text, timeout) = (self.engine.clone(), query.sql.clone(), query.timeout);
        let planned = self.runtime.spawn(async move { engine.start(view, &text).await });
        let mut output = tokio::time::timeout_at(deadline, AbortOnDropHandle::new(planned))
            .await
            .map_err(|_| Error::Deadline(timeout))?
            .map_err(|e| sql::Error::Internal(format!("planning failed: {e}")))??;
        let header = ResultHeader {
            revision,
            replica: self.group.replica(),
            nodes_up: output.nodes.0,
            nodes_total: output.nodes.1,
        };
        let schema = Arc::clone(&output.schema);
        let (sender, parts) = mpsc::channel(BATCHES_AHEAD_MAX);
        let running = self.runtime.spawn(async move {
            loop {
                let next = tokio::time::timeout_at(deadline, output.next()).await;
                let part = match next {
                    Ok(Ok(Some(batch))) => Ok(Part::Rows(batch)),
                    Ok(Ok(None)) => {
                        Ok(Part::End(ResultFooter { rows: output.rows() as u64, elapsed: started.elapsed() }))
                    }
                    Ok(Err(error)) => Err(error.into()),
                    Err(_) => Err(Error::Deadline(timeout)),
                };
                let last = !matches!(part, Ok(Part::Rows(_)));
                // A reader that has gone ends the query.
                if sender.send(part).await.is_err() || last {
                    return;
                }
            }
        });
        Ok(Answer { header, schema, parts, _running: AbortOnDropHandle::new(running) })
    }

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

    /// Whether a linearizable read can be answered within `timeout`.
    pub async fn ready(&self, timeout: Duration) -> Result<(), BarrierError> {
        self.group.read_barrier(Instant::now() + timeout).await.map(drop)
    }
}
