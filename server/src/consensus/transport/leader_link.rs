//! What a follower asks the leader: the read index, and to take in pushes.

use std::time::Duration;

use tonic::transport::Channel;
use unum_proto::model::{Push, PushOutcome, PushRetry};
use unum_proto::wire::{self, replica_client::ReplicaClient};

use super::channels::{Channels, Purpose};

/// Why the leader did not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LinkError {
    /// The request did not reach a leader.
    #[error("{0}")]
    NotReached(String),
    /// It may have reached the leader, whose answer did not come.
    #[error("{0}")]
    NoAnswer(String),
}

/// A replica's link to whoever leads.
#[derive(Debug, Clone)]
pub struct LeaderLink {
    cluster_id: u64,
    me: u64,
    channels: Channels,
}

impl LeaderLink {
    /// Links of replica `me` of that cluster.
    pub fn new(cluster_id: u64, me: u64, channels: Channels) -> Self {
        Self { cluster_id, me, channels }
    }

    fn client(&self, addr: &str) -> Result<ReplicaClient<Channel>, LinkError> {
        self.channels.client(addr, Purpose::Leader).map_err(|e| LinkError::NotReached(format!("{addr}: {e}")))
    }

    /// The index that a read must have applied, as the leader at `addr` confirms it with a majority.
    pub async fn read_index(&self, addr: &str, round: u64) -> Result<u64, LinkError> {
        let request = wire::ReadIndexRequest { cluster_id: self.cluster_id, from: self.me, round };
        let reply = self.client(addr)?.read_index(request).await.map_err(|e| from_status(addr, &e))?.into_inner();
        if reply.round != round {
            return Err(LinkError::NoAnswer(format!("{addr} answered round {} instead of {round}", reply.round)));
        }
        Ok(reply.index)
    }

    /// Hands pushes to the leader at `addr`; one result per push, in order.
    pub async fn relay(
        &self,
        addr: &str,
        pushes: &[Push],
        timeout: Duration,
    ) -> Result<Vec<Result<PushOutcome, PushRetry>>, LinkError> {
        let pushes_sent = pushes.len();
        let request = wire::RelayRequest {
            cluster_id: self.cluster_id,
            from: self.me,
            pushes: pushes.iter().map(Into::into).collect(),
        };
        let mut client = self.client(addr)?;
        let replies = tokio::time::timeout(timeout, client.relay(request))
            .await
            .map_err(|_| LinkError::NoAnswer(format!("{addr} did not answer within {} ms", timeout.as_millis())))?
            .map_err(|e| from_status(addr, &e))?
            .into_inner()
            .replies;
        if replies.len() != pushes_sent {
            return Err(LinkError::NoAnswer(format!("{addr} answered {} of {pushes_sent} pushes", replies.len())));
        }
        let results = replies.into_iter().map(wire::PushReply::into_result);
        results.collect::<Result<_, _>>().map_err(|e| LinkError::NoAnswer(format!("{addr}: {e}")))
    }
}

fn from_status(addr: &str, status: &tonic::Status) -> LinkError {
    let what = format!("{addr}: {}", status.message());
    match status.code() {
        tonic::Code::FailedPrecondition => LinkError::NotReached(what),
        _ => LinkError::NoAnswer(what),
    }
}
