//! The receiving side of what replicas say to each other. `frontend` hands it the wire's messages.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use unum_proto::model::ReplicaId;
use unum_proto::wire::{RaftMessage, SnapshotPiece};

use super::codec;
use super::error::InboundError;
use super::peers::Peers;
use crate::consensus::cancel_safe;
use crate::consensus::raft_snapshot::RaftSnapshot;
use crate::consensus::state_machine::Raft;
use crate::consensus::types::{SnapshotMeta, Vote};
use crate::storage::StoreId;

/// A raft snapshot that another replica may send: ten times the largest catalog that was measured.
const SNAPSHOT_BYTES_MAX: usize = 2 * 1024 * 1024 * 1024;

/// Hands messages to Raft.
#[derive(Clone)]
pub struct Inbound {
    cluster_id: u64,
    me: ReplicaId,
    raft: Raft,
    peers: Peers,
}

impl std::fmt::Debug for Inbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbound").field("me", &self.me).finish_non_exhaustive()
    }
}

impl Inbound {
    pub(in crate::consensus) fn new(cluster_id: u64, me: ReplicaId, raft: Raft, peers: Peers) -> Self {
        Self { cluster_id, me, raft, peers }
    }

    /// Refuses what comes from another cluster.
    pub fn check_cluster(&self, cluster_id: u64) -> Result<(), InboundError> {
        if cluster_id == self.cluster_id {
            return Ok(());
        }
        Err(InboundError::Misdirected(format!(
            "a message of cluster {cluster_id:016x} reached replica {} of cluster {:016x}; \
             check --initial-cluster and --cluster-name on both sides",
            self.me, self.cluster_id,
        )))
    }

    async fn open<T: DeserializeOwned>(&self, message: &RaftMessage) -> Result<T, InboundError> {
        self.check_cluster(message.cluster_id)?;
        if self.me != message.to.into() {
            return Err(InboundError::Misdirected(format!(
                "a message for replica {} reached replica {}; check the addresses in --initial-cluster",
                message.to, self.me,
            )));
        }
        self.peers.check_addressee(StoreId::from_u64(message.to_store))?;
        if let Some(from_store) = StoreId::from_u64(message.from_store) {
            self.peers.admit(message.from.into(), from_store).await?;
        }
        Ok(codec::decode(&message.body)?)
    }

    fn reply<T: Serialize, E: std::fmt::Display>(&self, result: Result<T, E>) -> Result<RaftMessage, InboundError> {
        let body = codec::encode(&result.map_err(|e| InboundError::Raft(e.to_string()))?);
        let (from, from_store) = (self.me, self.peers.own_store().get());
        Ok(RaftMessage { cluster_id: self.cluster_id, to: 0, body, from: from.into(), from_store, to_store: 0 })
    }

    /// Log entries or a heartbeat.
    pub async fn append_entries(&self, message: RaftMessage) -> Result<RaftMessage, InboundError> {
        let message = self.open(&message).await?;
        self.reply(cancel_safe::call(&self.raft, |raft| async move { raft.append_entries(message).await }).await)
    }

    /// A candidate's request.
    pub async fn vote(&self, message: RaftMessage) -> Result<RaftMessage, InboundError> {
        let message = self.open(&message).await?;
        self.reply(cancel_safe::call(&self.raft, |raft| async move { raft.vote(message).await }).await)
    }

    /// A candidate that asks before it stands.
    pub async fn pre_vote(&self, message: RaftMessage) -> Result<RaftMessage, InboundError> {
        let message = self.open(&message).await?;
        self.reply(cancel_safe::call(&self.raft, |raft| async move { raft.pre_vote(message).await }).await)
    }

    /// The leader asks this replica to take over, or to let another do so.
    pub async fn transfer_leader(&self, message: RaftMessage) -> Result<RaftMessage, InboundError> {
        let message = self.open(&message).await?;
        self.reply(
            cancel_safe::call(&self.raft, |raft| async move { raft.handle_transfer_leader(message).await }).await,
        )
    }

    /// A whole state, in pieces.
    pub async fn install_snapshot<E: std::fmt::Display>(
        &self,
        pieces: impl Stream<Item = Result<SnapshotPiece, E>>,
    ) -> Result<RaftMessage, InboundError> {
        let mut pieces = std::pin::pin!(pieces);
        let mut first: Option<(Vote, SnapshotMeta)> = None;
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|e| InboundError::Snapshot(e.to_string()))?;
            if let Some(message) = &piece.message {
                first = Some(self.open(message).await?);
                continue;
            }
            if crc32fast::hash(&piece.data) != piece.crc32 {
                return Err(InboundError::Snapshot(format!("the piece at byte {} is damaged", bytes.len())));
            }
            if bytes.len() + piece.data.len() > SNAPSHOT_BYTES_MAX {
                return Err(InboundError::Snapshot(format!("it is over {SNAPSHOT_BYTES_MAX} bytes")));
            }
            bytes.extend_from_slice(&piece.data);
        }
        let (vote, meta) = first.ok_or_else(|| InboundError::Snapshot("it has no message".into()))?;
        let snapshot = RaftSnapshot { meta, bytes: Arc::new(bytes) };
        let snapshot = snapshot.ship();
        let install = |raft: Raft| async move { raft.install_full_snapshot(vote, snapshot).await };
        self.reply(cancel_safe::call(&self.raft, install).await)
    }
}
