//! What one replica asks another: of the leader the read index, to take in pushes, to make a change, to compare states; of
//! any other the end of a query.

use std::time::Duration;

use tonic::transport::Channel;
use unum_proto::model::{ChangeRequest, Push, PushOutcome, PushRetry, QueryId, ReplicaId, SchemasSent};
use unum_proto::wire::{self, admin_client::AdminClient, replica_client::ReplicaClient};

use super::channels::{Channels, Purpose};
use crate::consensus::error::ProposeError;
use crate::consensus::replica_progress::Progress;
use crate::consensus::stop::Stop;
use crate::storage::StoreId;

/// What a replica tells the leader of itself.
#[derive(Debug, Clone)]
pub struct Report {
    /// How far it is.
    pub progress: Progress,
    /// The data directory of each replica, as far as it knows.
    pub stores: Vec<(ReplicaId, StoreId)>,
}

/// What the leader answers.
#[derive(Debug, Clone)]
pub struct ReportAnswer {
    /// How far all are.
    pub all: Vec<Progress>,
    /// The data directory of each replica, as far as it knows.
    pub stores: Vec<(ReplicaId, StoreId)>,
}

/// Why the other replica did not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PeerError {
    /// The request did not reach it, or it does not lead: nothing was done.
    #[error("{0}")]
    NotReached(String),
    /// It says that the request is wrong.
    #[error("{0}")]
    Refused(String),
    /// It may have been reached, and no answer came.
    #[error("{0}")]
    NoAnswer(String),
}

impl From<PeerError> for ProposeError {
    fn from(error: PeerError) -> Self {
        match error {
            PeerError::Refused(why) => Self::Refused(why),
            PeerError::NotReached(why) => Self::Unavailable(why),
            PeerError::NoAnswer(why) => Self::OutcomeUnknown(why),
        }
    }
}

/// What one replica asks others, most of it whoever leads.
#[derive(Debug, Clone)]
pub struct PeerClient {
    cluster_id: u64,
    me: ReplicaId,
    channels: Channels,
}

impl PeerClient {
    /// Links of replica `me` of that cluster.
    pub fn new(cluster_id: u64, me: ReplicaId, channels: Channels) -> Self {
        Self { cluster_id, me, channels }
    }

    fn client(&self, addr: &str) -> Result<ReplicaClient<Channel>, PeerError> {
        self.channels.client(addr, Purpose::Leader).map_err(|e| PeerError::NotReached(format!("{addr}: {e}")))
    }

    /// The index that a read must have applied, as the leader at `addr` confirms it with a majority. The `term` is the
    /// one that this replica vouches for, read after all whom the round is for had come.
    pub async fn read_index(&self, addr: &str, round: u64, term: Option<u64>) -> Result<u64, PeerError> {
        let request = wire::ReadIndexRequest { cluster_id: self.cluster_id, from: self.me.into(), round, term };
        let reply = self.client(addr)?.read_index(request).await.map_err(|e| from_status(addr, &e))?.into_inner();
        if reply.round != round {
            return Err(PeerError::NoAnswer(format!("{addr} answered round {} instead of {round}", reply.round)));
        }
        Ok(reply.index)
    }

    /// Hands a change on to the leader at `addr`; returns what was done.
    pub async fn change(&self, addr: &str, request: &ChangeRequest) -> Result<String, PeerError> {
        let channel = self.channels.channel(addr, Purpose::Leader);
        let channel = channel.map_err(|e| PeerError::NotReached(format!("{addr}: {e}")))?;
        let reply = AdminClient::new(channel).change(wire::ChangeRequest::from(request)).await;
        Ok(reply.map_err(|e| from_status(addr, &e))?.into_inner().done)
    }

    /// Hands a command to the leader at `addr`; returns the bytes of its outcome.
    pub async fn propose(&self, addr: &str, command: Vec<u8>) -> Result<Vec<u8>, PeerError> {
        let request = wire::ProposeRequest { cluster_id: self.cluster_id, command };
        let reply = self.client(addr)?.propose(request).await;
        Ok(reply.map_err(|e| from_status(addr, &e))?.into_inner().outcome)
    }

    /// Ends a query that runs at the replica at `addr`, which need not lead; says whether there was one.
    pub async fn kill(&self, addr: &str, query_id: QueryId, timeout: Duration) -> Result<bool, PeerError> {
        let request = wire::KillRequest { cluster_id: self.cluster_id, query_id: query_id.into() };
        let mut client = self.client(addr)?;
        let reply = tokio::time::timeout(timeout, client.kill(request))
            .await
            .map_err(|_| PeerError::NoAnswer(format!("{addr} did not answer within {} ms", timeout.as_millis())))?
            .map_err(|e| from_status(addr, &e))?;
        Ok(reply.into_inner().killed)
    }

    /// Tells the leader at `addr` how far this replica is; returns how far all are, or why this one must not go on.
    pub async fn report(
        &self,
        addr: &str,
        report: Report,
        timeout: Duration,
    ) -> Result<Result<ReportAnswer, Stop>, PeerError> {
        let request = wire::ReportRequest {
            cluster_id: self.cluster_id,
            progress: Some(report.progress.into()),
            stores: stores_to_wire(report.stores),
        };
        let mut client = self.client(addr)?;
        let reply = tokio::time::timeout(timeout, client.report(request))
            .await
            .map_err(|_| PeerError::NoAnswer(format!("{addr} did not answer within {} ms", timeout.as_millis())))?
            .map_err(|e| from_status(addr, &e))?
            .into_inner();
        Ok(match reply.stop {
            None => Ok(ReportAnswer {
                all: reply.progress.into_iter().map(Into::into).collect(),
                stores: stores_from_wire(reply.stores),
            }),
            Some(stop) => Err(stop.into()),
        })
    }

    /// Hands pushes to the leader at `addr`; one result per push, in order.
    pub async fn relay<'a>(
        &self,
        addr: &str,
        pushes: impl ExactSizeIterator<Item = &'a Push>,
        timeout: Duration,
    ) -> Result<Vec<Result<PushOutcome, PushRetry>>, PeerError> {
        let pushes_sent = pushes.len();
        let mut schemas = SchemasSent::default();
        let pushes = pushes.map(|push| schemas.push(push)).collect();
        let request = wire::RelayRequest { cluster_id: self.cluster_id, from: self.me.into(), pushes };
        let mut client = self.client(addr)?;
        let replies = tokio::time::timeout(timeout, client.relay(request))
            .await
            .map_err(|_| PeerError::NoAnswer(format!("{addr} did not answer within {} ms", timeout.as_millis())))?
            .map_err(|e| from_status(addr, &e))?
            .into_inner()
            .replies;
        if replies.len() != pushes_sent {
            return Err(PeerError::NoAnswer(format!("{addr} answered {} of {pushes_sent} pushes", replies.len())));
        }
        let results = replies.into_iter().map(wire::PushReply::into_result);
        results.collect::<Result<_, _>>().map_err(|e| PeerError::NoAnswer(format!("{addr}: {e}")))
    }
}

/// Known data directories on their way.
pub fn stores_to_wire(stores: Vec<(ReplicaId, StoreId)>) -> Vec<wire::KnownStore> {
    stores
        .into_iter()
        .map(|(replica, store)| wire::KnownStore { replica: replica.into(), store: store.get() })
        .collect()
}

/// The inverse of [`stores_to_wire`].
pub fn stores_from_wire(stores: Vec<wire::KnownStore>) -> Vec<(ReplicaId, StoreId)> {
    stores.into_iter().filter_map(|known| Some((known.replica.into(), StoreId::from_u64(known.store)?))).collect()
}

impl From<Progress> for wire::Progress {
    fn from(progress: Progress) -> Self {
        let Progress { replica, last_log, revision, state_hash, member_at } = progress;
        Self { replica: replica.into(), last_log, revision, state_hash, member_at }
    }
}

impl From<wire::Progress> for Progress {
    fn from(wire: wire::Progress) -> Self {
        let wire::Progress { replica, last_log, revision, state_hash, member_at } = wire;
        Self { replica: replica.into(), last_log, revision, state_hash, member_at }
    }
}

fn from_status(addr: &str, status: &tonic::Status) -> PeerError {
    let what = format!("{addr}: {}", innermost(status));
    match status.code() {
        tonic::Code::FailedPrecondition => PeerError::NotReached(what),
        tonic::Code::Unavailable if was_not_sent(status) => PeerError::NotReached(what),
        tonic::Code::InvalidArgument => PeerError::Refused(status.message().to_owned()),
        _ => PeerError::NoAnswer(what),
    }
}

/// What broke a connection, which the status itself does not say; or the message of a status that was sent.
fn innermost(status: &tonic::Status) -> String {
    let mut source = std::error::Error::source(status);
    let mut message = status.message().to_owned();
    while let Some(error) = source {
        message = error.to_string();
        source = error.source();
    }
    message
}

/// Whether there was no connection to send on, or the receiver itself says that it took nothing in. Any other failure
/// of a connection may have come after the request.
fn was_not_sent(status: &tonic::Status) -> bool {
    let mut source = std::error::Error::source(status);
    if source.is_none() {
        return true;
    }
    while let Some(error) = source {
        if error.downcast_ref::<tonic::ConnectError>().is_some() {
            return true;
        }
        source = error.source();
    }
    false
}
