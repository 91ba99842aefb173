//! The client.

use std::time::Duration;

use unum_proto::model::NodeDescription;
use unum_proto::model::limits::QUERY_TIMEOUT_MS_DEFAULT;

use crate::result::QueryResult;
use crate::transport::{self, Endpoints};
use crate::{Error, Publisher, retry};

/// How long [`Client::connect`] looks for a replica that answers.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A connection to any replica of a cluster. Clones share it.
#[derive(Debug, Clone)]
pub struct Client {
    endpoints: Endpoints,
    timeout: Duration,
}

impl Client {
    /// A client of the replicas at `host:port` addresses, one of which has to be reachable.
    ///
    /// # Errors
    /// [`Error::Refused`] for something that is no address, [`Error::Unreachable`] when no replica answers.
    pub async fn connect<S: Into<String>>(endpoints: impl IntoIterator<Item = S>) -> Result<Self, Error> {
        let client = Self::connect_lazy(endpoints)?;
        let probe = async |endpoint: transport::Endpoint| {
            tokio::time::timeout(CONNECT_TIMEOUT, tokio::net::TcpStream::connect(&endpoint.addr))
                .await
                .map_err(|_| "the connection timed out".to_owned())
                .and_then(|connected| connected.map_err(|e| e.to_string()))
        };
        let mut last = String::new();
        for _ in 0..client.endpoints.len() {
            let endpoint = client.endpoints.current();
            match probe(endpoint.clone()).await {
                Ok(_) => return Ok(client),
                Err(why) => last = format!("{}: {why}", endpoint.addr),
            }
            client.endpoints.advance_from(&endpoint);
        }
        Err(Error::Unreachable { endpoints: client.endpoints.addresses(), last })
    }

    /// A client that connects when it is first used: for agents, which may start before the replicas.
    pub fn connect_lazy<S: Into<String>>(endpoints: impl IntoIterator<Item = S>) -> Result<Self, Error> {
        let endpoints = Endpoints::parse(endpoints)?;
        Ok(Self { endpoints, timeout: Duration::from_millis(QUERY_TIMEOUT_MS_DEFAULT.into()) })
    }

    /// The same client with another time for each call, failovers included.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The time for each call.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Runs one statement at any replica that answers: everything acknowledged before the call is in the result.
    ///
    /// # Errors
    /// [`Error::Refused`] for a wrong statement, [`Error::Deadline`] when no replica can confirm with a majority.
    pub async fn query(&self, sql: &str) -> Result<QueryResult, Error> {
        let attempt =
            |endpoint: transport::Endpoint, time| async move { transport::execute(&endpoint, sql, time).await };
        Ok(retry::over_endpoints(&self.endpoints, self.timeout, attempt).await?.into())
    }

    /// A publisher for one node, with an epoch above that of any publisher made before on a sane clock.
    pub fn publisher(&self, node: NodeDescription) -> Publisher {
        Publisher::new(self.endpoints.clone(), node, self.timeout)
    }
}
