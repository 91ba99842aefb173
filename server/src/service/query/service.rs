//! The use case: a query begins, and its result comes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use unum_proto::model::{NodeKey, Query, QueryId};

use super::Error;
use super::lookup::Tried;
use super::replica::Replica;
use super::result::{EVENTS_AHEAD_MAX, EventSource, ResultStream};
use super::task::QueryTask;
use super::time_limit::TimeLimit;
use crate::base::tunable::Tunable;
use crate::consensus::{BarrierError, Group};
use crate::service::query_log::{End, QueryLog, Request};
use crate::sql;

/// Answers queries on one replica.
#[derive(Debug)]
pub struct QueryService {
    replica: Arc<Replica>,
    runtime: tokio::runtime::Handle,
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
        Arc::new(Self { replica: Arc::new(Replica::new(group, own, limits, log)), runtime })
    }

    /// Answers as fresh as the query asks: linearizably, everything that was acknowledged anywhere before the call is
    /// in the answer. `host` is the caller's address.
    pub async fn execute(&self, query: Query, host: String) -> Result<ResultStream, Error> {
        let result = self.begin(query, host).await;
        let labels = [("outcome", if result.is_ok() { "started" } else { "failed" })];
        metrics::counter!("unum_queries_total", &labels).increment(1);
        result
    }

    async fn begin(&self, query: Query, host: String) -> Result<ResultStream, Error> {
        let (started, replica) = (Instant::now(), &self.replica);
        let limit = Arc::new(TimeLimit::new(started, &query));
        let tracked = replica.log.begin(Request {
            user: query.user.clone(),
            host: host.clone(),
            schema: sql::current_schema(&query.session).to_owned(),
            memory_bytes_max: replica.engine.limits(&query.session).memory_bytes,
        })?;
        let handle = Arc::clone(tracked.query());
        let known = match replica.look_up(&query, &handle, &limit).await {
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
        let task = QueryTask { replica: Arc::clone(replica), query, host, limit: Arc::clone(&limit), handle, sender };
        let handle = Arc::clone(tracked.query());
        let running = AbortOnDropHandle::new(self.runtime.spawn(task.run(tracked, known)));
        ResultStream::begun(EventSource { events, handle, limit, running, replica: replica.group.replica() }).await
    }

    /// Ends a query that runs here; says whether there was one.
    pub fn kill_here(&self, query: QueryId) -> bool {
        self.replica.log.kill(query)
    }

    /// Whether a linearizable read can be answered within `timeout`.
    pub async fn ready(&self, timeout: Duration) -> Result<(), BarrierError> {
        self.replica.group.read_barrier(Instant::now() + timeout).await.map(drop)
    }
}
