//! The client.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use unum_proto::model::{Change, ChangeRequest, Consistency, NodeDescription, Query, ReplicaStatus, SqlSession, Value};

use crate::result::QueryResult;
use crate::retry::{Attempt, Repeat, Time};
use crate::session::Session;
use crate::transport::{self, Dialer, Endpoint, Endpoints};
use crate::{Error, Publisher, retry};

/// A connection to any replica of a cluster. Clones share it, and what USE and SET set.
#[derive(Debug, Clone)]
pub struct Client {
    endpoints: Endpoints,
    timeout: Duration,
    consistency: Consistency,
    user: String,
    session: Session,
    sql_session: Arc<Mutex<SqlSession>>,
}

impl Client {
    pub(crate) fn new(endpoints: Endpoints, timeout: Duration, consistency: Consistency, user: String) -> Self {
        Self { endpoints, timeout, consistency, user, session: Session::default(), sql_session: Arc::default() }
    }

    /// Makes an endpoint that somebody listens at the current one.
    pub(crate) async fn find_reachable(&self, dialer: &Dialer) -> Result<(), Error> {
        let mut last = String::new();
        for _ in 0..self.endpoints.len() {
            let endpoint = self.endpoints.current();
            match dialer.probe(&endpoint.addr).await {
                Ok(()) => return Ok(()),
                Err(why) => last = format!("{}: {why}", endpoint.addr),
            }
            self.endpoints.advance_from(&endpoint);
        }
        Err(Error::Unreachable { endpoints: self.endpoints.addresses(), last })
    }

    /// The same client with another time for each call, failovers included.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The same client, its queries at another level. At every level a client never sees an older state than it has
    /// seen before, its publishers' pushes included: failover does not go back in time.
    #[must_use]
    pub fn with_consistency(self, consistency: Consistency) -> Self {
        Self { consistency, ..self }
    }

    /// The same client, its queries shown under this name in `processlist` and `slow_query`. Nobody checks it.
    #[must_use]
    pub fn with_user(self, user: impl Into<String>) -> Self {
        Self { user: user.into(), ..self }
    }

    /// The next call asks the next endpoint first, and so do those of clones. A session goes with it.
    pub fn rotate(&self) {
        self.endpoints.advance_from(&self.endpoints.current());
    }

    /// The time for each call.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Runs one statement at any replica that answers, by default linearizably: everything acknowledged before the call
    /// is in the result.
    ///
    /// # Errors
    /// [`Error::Refused`] for a wrong statement, [`Error::Deadline`] when no replica can confirm with a majority,
    /// [`Error::OutcomeUnknown`] when no replica that was asked has said what it did.
    pub async fn query(&self, sql: &str) -> Result<QueryResult, Error> {
        self.query_with(sql, []).await
    }

    /// The same with a value for each `?` of the statement, in order. A value is never read as SQL.
    ///
    /// # Errors
    /// As of [`Client::query`]; and [`Error::Refused`] when there are not as many values as `?`.
    pub async fn query_with(
        &self,
        sql: &str,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<QueryResult, Error> {
        let session = self.sql_session.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let result = self.execute(sql, parameters.into_iter().collect(), session.clone()).await?;
        // No replica remembers a session: what a statement changed of it goes with the next one.
        self.sql_session.lock().unwrap_or_else(PoisonError::into_inner).apply(&session, &result.footer);
        Ok(result.into())
    }

    /// Runs a statement that is none of the session's: it neither knows it nor changes it.
    pub(crate) async fn query_aside(&self, sql: &str) -> Result<QueryResult, Error> {
        Ok(self.execute(sql, Vec::new(), SqlSession::default()).await?.into())
    }

    async fn execute(
        &self,
        sql: &str,
        parameters: Vec<Value>,
        session: SqlSession,
    ) -> Result<transport::RawResult, Error> {
        let query = &Query {
            // Only a replica knows whether the statement changes something. If it does, it is done once for this key, however
            // often it is sent.
            change_key: format!("{:032x}", rand::random::<u128>()),
            consistency: self.consistency,
            min_revision: self.session.revision(),
            session,
            user: self.user.clone(),
            parameters,
            ..Query::new(sql.to_owned(), 0)?
        };
        let attempt = |endpoint: Endpoint, time: Time| async move { transport::execute(&endpoint, query, time).await };
        let result = retry::over_endpoints(&self.endpoints, self.timeout, Repeat::Idempotent, attempt).await?;
        self.session.saw(result.header.revision);
        Ok(result)
    }

    /// How the first replica that answers sees the group. Needs no majority.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when none answers.
    pub async fn status(&self) -> Result<ReplicaStatus, Error> {
        let attempt = |endpoint: Endpoint, time: Time| async move { transport::status(&endpoint, time.share).await };
        retry::over_endpoints(&self.endpoints, self.timeout, Repeat::Read, attempt).await
    }

    /// How each endpoint sees the group, in the order in which they were named; all are asked at once, each only once.
    pub async fn statuses(&self) -> Vec<(String, Result<ReplicaStatus, String>)> {
        let ask = async |endpoint: &Endpoint| {
            let status = transport::status(endpoint, self.timeout).await.map_err(|attempt| match attempt {
                Attempt::Final(error) | Attempt::Certain(error) => error.to_string(),
                Attempt::NotReached(why)
                | Attempt::Retry(why)
                | Attempt::Unknown(why)
                | Attempt::Ended(why)
                | Attempt::Busy { why, .. } => why,
            });
            (endpoint.addr.clone(), status)
        };
        futures::future::join_all(self.endpoints.all().iter().map(ask)).await
    }

    /// Makes a change of the group or the catalog; says what was done. Any replica takes it to the leader.
    ///
    /// # Errors
    /// [`Error::Refused`] when it cannot be made, [`Error::Deadline`] when there is no leader, and
    /// [`Error::OutcomeUnknown`] when it may have been made: look before you ask again.
    pub async fn change(&self, change: Change) -> Result<String, Error> {
        let request = &ChangeRequest { change, forwarded: false };
        let attempt =
            |endpoint: Endpoint, time: Time| async move { transport::change(&endpoint, request, time.share).await };
        retry::over_endpoints(&self.endpoints, self.timeout, Repeat::Once, attempt).await
    }

    /// A publisher for one node. Its first push takes the node's name.
    pub fn publisher(&self, node: NodeDescription) -> Publisher {
        Publisher::new(self.endpoints.clone(), self.session.clone(), node, self.timeout)
    }
}
