//! What queries have of their replica: its state, as fresh as they ask, its engine, its log, and KILL.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use unum_proto::model::{Consistency, NodeKey, Query, QueryId, ResultHeader};

use super::Error;
use super::live::LiveReplica;
use super::time_limit::TimeLimit;
use crate::base::tunable::Tunable;
use crate::catalog::State;
use crate::consensus::Group;
use crate::consensus::transport::PeerError;
use crate::service::query_log::{QueryHandle, QueryLog};
use crate::sql::{self, Coverage};

/// Queries that may hold a thread for long ([`sql::RowStream::is_cooperative`]) and do so at a time, each on a thread of its
/// own.
const APART_MAX: usize = 4;

/// How long the replica that runs a query may take to say that it is killed.
const KILL_TIMEOUT: Duration = Duration::from_secs(2);

/// The replica that answers.
#[derive(Debug)]
pub(super) struct Replica {
    pub(super) group: Group,
    pub(super) own: NodeKey,
    pub(super) engine: sql::Engine,
    pub(super) log: QueryLog,
    /// Places of queries on threads of their own.
    pub(super) apart: Semaphore,
}

impl Replica {
    pub(super) fn new(group: Group, own: NodeKey, limits: Tunable<sql::Limits>, log: QueryLog) -> Self {
        Self { group, own, engine: sql::Engine::new(limits), log, apart: Semaphore::new(APART_MAX) }
    }

    /// The state that a query reads; notes how long it waited for it.
    pub(super) async fn fresh_state(
        &self,
        query: &Query,
        handle: &QueryHandle,
        limit: &TimeLimit,
    ) -> Result<Arc<State>, Error> {
        handle.set_stage("waiting for the read barrier");
        let state = self.state(query, limit.deadline()).await?;
        let waited = limit.started().elapsed();
        handle.set_barrier_time(waited);
        metrics::histogram!("unum_read_barrier_seconds").record(waited.as_secs_f64());
        Ok(state)
    }

    /// What a statement reads.
    pub(super) fn view(&self, state: Arc<State>, query: &Query, query_id: QueryId) -> sql::View {
        sql::View {
            system_tables: sql::SYSTEM_TABLES,
            state,
            own: self.own.clone(),
            live: Arc::new(LiveReplica { group: self.group.clone(), log: self.log.clone() }),
            session: query.session.clone(),
            user: query.user.clone(),
            query_id,
            limits: self.engine.limits(&query.session),
        }
    }

    pub(super) fn header(&self, revision: u64, coverage: &Coverage) -> ResultHeader {
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
    pub(super) async fn kill(&self, query: QueryId) -> Result<(), Error> {
        let unknown = || {
            Error::refused(format!("there is no running query {query}; SELECT id FROM cluster_processlist lists them"))
        };
        let member = self.group.members().members.into_iter().find(|member| query.is_of(member.id));
        let Some(member) = member else { return Err(unknown()) };
        let killed = match member.id == self.group.replica() {
            true => self.log.kill(query),
            false => {
                let asked = self.group.peer_client().kill(&member.addr, query, KILL_TIMEOUT).await;
                asked.map_err(|error| {
                    let (PeerError::NotReached(why) | PeerError::Refused(why) | PeerError::NoAnswer(why)) = error;
                    Error::KillFailed { query, replica: member.id, why }
                })?
            }
        };
        if killed { Ok(()) } else { Err(unknown()) }
    }
}
