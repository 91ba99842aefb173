//! One publish stream to one endpoint.

use std::time::Duration;

use futures::FutureExt as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};
use unum_proto::model::limits::MESSAGE_BYTES_MAX;
use unum_proto::model::{NodeKey, Push, PushOutcome, Registered, Registration, RetryReason, SchemasSent};
use unum_proto::wire;
use unum_proto::wire::ingest_client::IngestClient;

use super::Endpoint;
use super::status::to_attempt;
use crate::Error;
use crate::retry::Attempt;

fn client(endpoint: &Endpoint) -> IngestClient<Channel> {
    IngestClient::new(endpoint.channel.clone())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}

/// Asks the replica there for a name.
pub(crate) async fn register(
    endpoint: &Endpoint,
    registration: &Registration,
    time: Duration,
) -> Result<Registered, Attempt> {
    let mut client = client(endpoint);
    let reply = answered(endpoint, time, client.register(wire::RegisterRequest::from(registration))).await?;
    reply.into_registered().map_err(|invalid| Attempt::Final(Error::Protocol(invalid.to_string())))
}

/// Gives a name back; says whether it still was the epoch's.
pub(crate) async fn release(endpoint: &Endpoint, node: &NodeKey, epoch: u64, time: Duration) -> Result<bool, Attempt> {
    let mut client = client(endpoint);
    let request = wire::ReleaseRequest { node: Some(node.into()), epoch };
    answered(endpoint, time, client.release(request)).await.map(|reply| reply.released)
}

async fn answered<T>(
    endpoint: &Endpoint,
    time: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Attempt> {
    let late = || Attempt::Unknown(format!("{}: no answer within {} ms", endpoint.addr, time.as_millis()));
    let reply = tokio::time::timeout(time, call).await.map_err(|_| late())?;
    reply.map(Response::into_inner).map_err(|status| to_attempt(&endpoint.addr, &status))
}

/// An open stream. After any error it is of no use any more.
#[derive(Debug)]
pub(crate) struct PublishStream {
    pub(crate) addr: String,
    pushes: mpsc::Sender<wire::Push>,
    replies: Streaming<wire::PushReply>,
    schemas: SchemasSent,
}

impl PublishStream {
    /// Opens a stream. Nothing of any push is sent by it, so no failure of it leaves one in doubt.
    pub(crate) async fn open(endpoint: &Endpoint) -> Result<Self, Attempt> {
        let (pushes, outgoing) = mpsc::channel(1);
        let replies = client(endpoint)
            .publish(ReceiverStream::new(outgoing))
            .await
            .map_err(|status| match to_attempt(&endpoint.addr, &status) {
                Attempt::Unknown(why) => Attempt::Retry(why),
                other => other,
            })?
            .into_inner();
        Ok(Self { addr: endpoint.addr.clone(), pushes, replies, schemas: SchemasSent::default() })
    }

    /// The stream, unless the replica has ended it or the connection is gone: every reply was read with its push, so
    /// whatever is there before the next one is such an end.
    pub(crate) fn still_open(mut self) -> Option<Self> {
        let ended = self.pushes.is_closed() || self.replies.message().now_or_never().is_some();
        (!ended).then_some(self)
    }

    /// Sends one push and reads its reply.
    pub(crate) async fn push(&mut self, push: &Push) -> Result<PushOutcome, Attempt> {
        let addr = &self.addr;
        let sent = self.pushes.send(self.schemas.push(push)).await;
        sent.map_err(|_| Attempt::Retry(format!("{addr}: the stream had ended before the push")))?;
        let reply = self.replies.message().await.map_err(|status| to_attempt(addr, &status))?;
        let reply = reply.ok_or_else(|| Attempt::Unknown(format!("{addr}: the stream broke off")))?;
        if reply.sequence != push.sequence {
            let what = format!("{}: a reply to push {} instead of {}", self.addr, reply.sequence, push.sequence);
            return Err(Attempt::Final(Error::Protocol(what)));
        }
        match reply.into_result().map_err(|invalid| Attempt::Final(Error::Protocol(invalid.to_string())))? {
            Ok(outcome) => Ok(outcome),
            Err(retry) => {
                let why = format!("{}: {}", self.addr, retry.message);
                Err(match retry.reason {
                    RetryReason::OutcomeUnknown => Attempt::Unknown(why),
                    RetryReason::NotWritten | RetryReason::ResourceExhausted => {
                        Attempt::Busy { why, retry_after: Duration::from_millis(retry.retry_after_ms.into()) }
                    }
                })
            }
        }
    }
}
