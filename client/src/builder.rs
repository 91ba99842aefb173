//! A client, put together: [`Client::connect`] and [`Client::builder`].

use std::time::Duration;

use unum_proto::model::Consistency;
use unum_proto::model::limits::QUERY_TIMEOUT_MS_DEFAULT;

use crate::transport::{Dialer, Endpoints};
use crate::{Client, Error};

impl Client {
    /// A client of the replicas at `host:port` addresses, one of which has to be reachable, and all else as it is by
    /// default.
    ///
    /// # Errors
    /// [`Error::Refused`] for something that is no address, [`Error::Unreachable`] when no replica answers.
    pub async fn connect<S: Into<String>>(endpoints: impl IntoIterator<Item = S>) -> Result<Self, Error> {
        Self::builder(endpoints).connect().await
    }

    /// Puts a client of the replicas at `host:port` addresses together.
    pub fn builder<S: Into<String>>(endpoints: impl IntoIterator<Item = S>) -> ClientBuilder {
        ClientBuilder::new(endpoints.into_iter().map(Into::into).collect())
    }
}

/// What a [`Client`] is made of. Made by [`Client::builder`].
#[derive(Debug, Clone)]
pub struct ClientBuilder {
    endpoints: Vec<String>,
    dialer: Dialer,
    timeout: Duration,
    consistency: Consistency,
    user: String,
}

impl ClientBuilder {
    pub(crate) fn new(endpoints: Vec<String>) -> Self {
        Self {
            endpoints,
            dialer: Dialer::default(),
            timeout: Duration::from_millis(QUERY_TIMEOUT_MS_DEFAULT.into()),
            consistency: Consistency::Linearizable,
            user: String::new(),
        }
    }

    /// The time for each call, failovers included; 10 seconds by default.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// How long one connection may take to be made, before the next endpoint is tried; 2 seconds by default.
    #[must_use]
    pub fn connect_timeout(mut self, connect_timeout: Duration) -> Self {
        self.dialer.connect_timeout = connect_timeout;
        self
    }

    /// How fresh answers are; linearizable by default. See [`Client::with_consistency`].
    #[must_use]
    pub fn consistency(self, consistency: Consistency) -> Self {
        Self { consistency, ..self }
    }

    /// Who asks, as `processlist` and `slow_query` show it. Nobody checks it.
    #[must_use]
    pub fn user(self, user: impl Into<String>) -> Self {
        Self { user: user.into(), ..self }
    }

    /// A client that connects when it is first used: for agents, which may start before the replicas.
    ///
    /// # Errors
    /// [`Error::Refused`] for something that is no address, or none at all.
    pub fn build(self) -> Result<Client, Error> {
        let endpoints = Endpoints::parse(self.endpoints, &self.dialer)?;
        Ok(Client::new(endpoints, self.timeout, self.consistency, self.user))
    }

    /// A client of which one replica is reachable now.
    ///
    /// # Errors
    /// As of [`ClientBuilder::build`], and [`Error::Unreachable`] when no replica answers.
    pub async fn connect(self) -> Result<Client, Error> {
        let dialer = self.dialer.clone();
        let client = self.build()?;
        client.find_reachable(&dialer).await?;
        Ok(client)
    }
}
