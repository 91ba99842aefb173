//! The connections to other replicas. Made once, kept, reconnected by tonic when they break.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tonic::transport::Channel;
use unum_proto::wire::replica_client::ReplicaClient;

use super::REPLICA_MESSAGE_BYTES_MAX;
use super::dialer::Dialer;

/// What a connection is for. Traffic of one kind never waits behind another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Heartbeats, votes and leader transfers: small and urgent.
    Heartbeat,
    /// Log entries.
    Log,
    /// Raft snapshots.
    Snapshot,
    /// What replicas ask each other besides: ReadIndex, relayed pushes and proposals, progress, KILL.
    Leader,
}

/// All connections of one replica to the others. Clones share them.
#[derive(Debug, Clone)]
pub struct Channels {
    channels: Arc<Mutex<HashMap<(String, Purpose), Channel>>>,
    dialer: Dialer,
    /// Where all connections run, whoever asks first. A query does, on a runtime that has no sockets and that hostile
    /// queries may hold up: a connection made there was dead for good.
    runtime: Handle,
}

impl Channels {
    /// No connections yet. They will run on that runtime.
    pub fn on(runtime: Handle) -> Self {
        Self { channels: Arc::default(), dialer: Dialer, runtime }
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
        let channel = self.dialer.channel(addr)?;
        channels.insert((addr.to_owned(), purpose), channel.clone());
        Ok(channel)
    }
}
