//! openraft's client side.

use std::future::Future;
use std::time::Duration;

use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Timeout, Unreachable};
use openraft::network::RPCOption;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest, VoteRequest, VoteResponse,
};
use openraft::{BasicNode, RPCTypes, RaftNetworkFactory, RaftNetworkV2};
use serde::{Serialize, de::DeserializeOwned};
use tonic::transport::Channel;
use unum_proto::model::ReplicaId;
use unum_proto::wire::{RaftMessage, SnapshotPiece, replica_client::ReplicaClient};

use super::channels::{Channels, Purpose};
use super::peers::Peers;
use super::{codec, stop};
use crate::consensus::raft_snapshot::{RaftSnapshot, Shipped};
use crate::consensus::types::{TypeConfig, Vote};
use crate::storage::StoreId;

type RpcError = RPCError<TypeConfig>;

/// How long a follower may take to write one message's entries: some disk stalls of 100 ms in a row.
const APPEND_TIMEOUT: Duration = Duration::from_secs(2);

/// How long one raft snapshot may take to be sent and installed.
const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(60);

/// Data of one piece of a raft snapshot.
const SNAPSHOT_PIECE_BYTES: usize = 256 * 1024;

/// Makes the clients to other replicas.
#[derive(Debug, Clone)]
pub struct Network {
    cluster_id: u64,
    me: ReplicaId,
    channels: Channels,
    peers: Peers,
}

impl Network {
    /// Clients of replica `me` of that cluster.
    pub fn new(cluster_id: u64, me: ReplicaId, channels: Channels, peers: Peers) -> Self {
        Self { cluster_id, me, channels, peers }
    }

    fn peer(&self, target: ReplicaId, node: &BasicNode, purpose: Purpose) -> Peer {
        let client = self.channels.client(&node.addr, purpose).map_err(|e| format!("{}: {e}", node.addr));
        Peer { cluster_id: self.cluster_id, me: self.me, target, purpose, client, peers: self.peers.clone() }
    }
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Peer;

    async fn new_client(&mut self, target: ReplicaId, node: &BasicNode) -> Peer {
        self.peer(target, node, Purpose::Log)
    }

    async fn new_heartbeat_client(&mut self, target: ReplicaId, node: &BasicNode) -> Peer {
        self.peer(target, node, Purpose::Heartbeat)
    }

    async fn new_snapshot_client(&mut self, target: ReplicaId, node: &BasicNode) -> Peer {
        self.peer(target, node, Purpose::Snapshot)
    }
}

/// A client to one replica for one purpose.
#[derive(Debug)]
pub struct Peer {
    cluster_id: u64,
    me: ReplicaId,
    target: ReplicaId,
    purpose: Purpose,
    client: Result<ReplicaClient<Channel>, String>,
    peers: Peers,
}

impl Peer {
    fn message<T: Serialize>(&self, body: &T) -> RaftMessage {
        RaftMessage {
            cluster_id: self.cluster_id,
            to: self.target.into(),
            body: codec::encode(body),
            from: self.me.into(),
            from_store: self.peers.own_store().get(),
            to_store: self.peers.store_of(self.target).map_or(0, StoreId::get),
        }
    }

    fn client(&self) -> Result<ReplicaClient<Channel>, RpcError> {
        self.client.clone().map_err(|why| Unreachable::from_string(why).into())
    }

    /// Sends one message within `timeout` and reads the answer.
    async fn call<Q: Serialize, A: DeserializeOwned, F>(
        &self,
        action: RPCTypes,
        timeout: Duration,
        request: &Q,
        send: impl FnOnce(ReplicaClient<Channel>, RaftMessage) -> F,
    ) -> Result<A, RpcError>
    where
        F: Future<Output = Result<tonic::Response<RaftMessage>, tonic::Status>>,
    {
        let sent = send(self.client()?, self.message(request));
        let reply = tokio::time::timeout(timeout, sent)
            .await
            .map_err(|_| Timeout { action, id: self.me, target: self.target, timeout })?
            .map_err(|status| self.failed(status))?;
        self.decode(reply.into_inner()).await
    }

    async fn decode<A: DeserializeOwned>(&self, reply: RaftMessage) -> Result<A, RpcError> {
        // An answer of a wiped replica counts for nothing.
        if let Some(from_store) = StoreId::from_u64(reply.from_store) {
            self.peers.admit(self.target, from_store).await.map_err(Unreachable::from_string)?;
        }
        codec::decode(&reply.body).map_err(|e| NetworkError::from_string(e).into())
    }

    fn failed(&self, status: tonic::Status) -> RpcError {
        // The receiver says so of this replica, or of itself.
        if let Some(stop) = stop::from_status(&status).filter(|stop| stop.replica == self.me) {
            self.peers.stop(stop);
        }
        from_status(status)
    }
}

fn from_status(status: tonic::Status) -> RpcError {
    match status.code() {
        tonic::Code::Unavailable => Unreachable::from_string(status).into(),
        _ => NetworkError::from_string(status).into(),
    }
}

impl RaftNetworkV2<TypeConfig> for Peer {
    type SnapshotData = RaftSnapshot;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RpcError> {
        // openraft offers a heartbeat interval for everything; a disk that stalls is not a dead replica.
        let timeout = match self.purpose {
            Purpose::Heartbeat => option.hard_ttl(),
            _ => APPEND_TIMEOUT,
        };
        self.call(RPCTypes::AppendEntries, timeout, &request, |mut client, message| async move {
            client.append_entries(message).await
        })
        .await
    }

    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        self.call(RPCTypes::Vote, option.hard_ttl(), &request, |mut client, message| async move {
            client.vote(message).await
        })
        .await
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        self.call(RPCTypes::Vote, option.hard_ttl(), &request, |mut client, message| async move {
            client.pre_vote(message).await
        })
        .await
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Shipped,
        cancel: impl Future<Output = ReplicationClosed> + openraft::OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let mut client = self.client()?;
        let pieces = pieces(self.message(&(vote, snapshot.meta)), snapshot.snapshot.bytes);
        let sent = client.install_snapshot(pieces);
        let timed_out =
            Timeout { action: RPCTypes::InstallSnapshot, id: self.me, target: self.target, timeout: SNAPSHOT_TIMEOUT };
        let reply = tokio::select! {
            closed = cancel => return Err(closed.into()),
            () = tokio::time::sleep(SNAPSHOT_TIMEOUT) => return Err(timed_out.into()),
            reply = sent => reply.map_err(|status| self.failed(status))?,
        };
        Ok(self.decode(reply.into_inner()).await?)
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<openraft::raft::TransferLeaderResponse<TypeConfig>, RpcError> {
        self.call(RPCTypes::TransferLeader, option.hard_ttl(), &request, |mut client, message| async move {
            client.transfer_leader(message).await
        })
        .await
    }
}

/// The message, then the data in pieces with their checksums.
fn pieces(
    message: RaftMessage,
    bytes: std::sync::Arc<Vec<u8>>,
) -> impl futures::Stream<Item = SnapshotPiece> + Send + 'static {
    let count = bytes.len().div_ceil(SNAPSHOT_PIECE_BYTES);
    let data = (0..count).map(move |piece| {
        let start = piece * SNAPSHOT_PIECE_BYTES;
        let data = bytes[start..bytes.len().min(start + SNAPSHOT_PIECE_BYTES)].to_vec();
        SnapshotPiece { message: None, crc32: crc32fast::hash(&data), data }
    });
    let first = SnapshotPiece { message: Some(message), data: Vec::new(), crc32: 0 };
    futures::stream::iter(std::iter::once(first).chain(data))
}
