//! Connections to the replicas that are loaded.

use std::time::Duration;

use unum_client::{Client, Consistency, Error};

/// Clients that share a connection.
pub(super) const CLIENTS_PER_CONNECTION: usize = 8;

/// Publishers that share a connection: each has a stream of its own on it.
pub(super) const PUBLISHERS_PER_CONNECTION: usize = 256;

/// Makes connections to the replicas that are loaded.
pub(super) struct Clients<'a> {
    pub(super) endpoints: &'a [String],
    pub(super) timeout: Duration,
    pub(super) consistency: Consistency,
}

impl Clients<'_> {
    /// The connection of so many-th client or publisher, in turn over the endpoints.
    pub(super) fn connect(&self, number: usize) -> Result<Client, Error> {
        let mut endpoints = self.endpoints.to_vec();
        let turn = number % endpoints.len();
        endpoints.rotate_left(turn);
        Client::builder(endpoints).timeout(self.timeout).consistency(self.consistency).build()
    }

    /// `count` clients, some of which share a connection.
    pub(super) fn shared(&self, count: usize, per_connection: usize) -> Result<Vec<Client>, Error> {
        let connections =
            (0..count.div_ceil(per_connection)).map(|number| self.connect(number)).collect::<Result<Vec<_>, _>>()?;
        // A session of its own each: clones would share the newest revision that any of them saw.
        Ok((0..count).map(|number| connections[number / per_connection].clone()).collect())
    }
}
