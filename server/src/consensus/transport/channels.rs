//! The connections to other replicas. Made once, kept, reconnected by tonic when they break.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tonic::transport::{Channel, Endpoint};
use unum_proto::wire::replica_client::ReplicaClient;

use super::REPLICA_MESSAGE_BYTES_MAX;

/// What a connection is for. Traffic of one kind never waits behind another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Heartbeats, votes and leader transfers: small and urgent.
    Heartbeat,
    /// Log entries.
    Log,
    /// Raft snapshots.
    Snapshot,
    /// ReadIndex and relayed pushes.
    Leader,
}

/// A dead address must not hold up an election.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// Without keepalive a half-open connection hangs until TCP gives up, minutes later.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(2);

/// All connections of one replica to the others. Clones share them.
#[derive(Debug, Clone)]
pub struct Channels {
    channels: Arc<Mutex<HashMap<(String, Purpose), Channel>>>,
    /// Where all connections run, whoever asks first. A query does, on a runtime that has no sockets and that hostile
    /// queries may hold up: a connection made there was dead for good.
    runtime: Handle,
}

impl Channels {
    /// No connections yet. They will run on that runtime.
    pub fn on(runtime: Handle) -> Self {
        Self { channels: Arc::default(), runtime }
    }

    /// A client on the connection for that purpose. Does not wait for the connection.
    pub fn client(&self, addr: &str, purpose: Purpose) -> Result<ReplicaClient<Channel>, tonic::transport::Error> {
        Ok(ReplicaClient::new(self.channel(addr, purpose)?)
            .max_decoding_message_size(REPLICA_MESSAGE_BYTES_MAX)
            .max_encoding_message_size(REPLICA_MESSAGE_BYTES_MAX))
    }

    /// The connection for that purpose. Does not wait for it.
    pub fn channel(&self, addr: &str, purpose: Purpose) -> Result<Channel, tonic::transport::Error> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(&(addr.to_owned(), purpose)) {
            return Ok(channel.clone());
        }
        let _on_our_runtime = self.runtime.enter();
        let channel = Endpoint::from_shared(format!("http://{addr}"))?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .connect_lazy();
        channels.insert((addr.to_owned(), purpose), channel.clone());
        Ok(channel)
    }
}
