//! `unum.v1.Ingest`.

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use unum_proto::model::{Invalid, NodeKey, Push, PushOutcome, Registration, SchemasSeen};
use unum_proto::wire;

use super::status::{from_invalid, from_propose};
use crate::service::ingest::{IngestService, Outcome};
use crate::service::publishers::PublisherService;

/// Pushes of one stream that are being decided at a time. A node's pushes are applied in order, and two batches in
/// flight could swap them; more pushes of a stream wait in its flow-control window.
const WINDOW: usize = 1;

/// The handler.
#[derive(Debug)]
pub struct IngestApi {
    /// Takes the pushes in.
    pub service: IngestService,
    /// Gives names to publishers.
    pub publishers: PublisherService,
    /// Ends the streams, which are as long as their publishers live.
    pub stop: CancellationToken,
}

#[tonic::async_trait]
impl wire::ingest_server::Ingest for IngestApi {
    type PublishStream = BoxStream<'static, Result<wire::PushReply, Status>>;

    async fn publish(&self, request: Request<Streaming<wire::Push>>) -> Result<Response<Self::PublishStream>, Status> {
        let service = self.service.clone();
        let mut schemas = SchemasSeen::default();
        let replies = request
            .into_inner()
            .map_ok(move |push| {
                let service = service.clone();
                let sequence = push.sequence;
                // In the order of the stream, which numbers its schemas.
                let push = schemas.push(push);
                async move { Ok(wire::PushReply::new(sequence, push_once(&service, push).await)) }
            })
            .try_buffered(WINDOW)
            .take_until(self.stop.clone().cancelled_owned());
        Ok(Response::new(Box::pin(replies)))
    }

    async fn register(&self, request: Request<wire::RegisterRequest>) -> Result<Response<wire::RegisterReply>, Status> {
        let registration = Registration::try_from(request.into_inner()).map_err(from_invalid)?;
        let registered = self.publishers.register(registration).await.map_err(from_propose)?;
        Ok(Response::new(wire::RegisterReply::new(registered)))
    }

    async fn release(&self, request: Request<wire::ReleaseRequest>) -> Result<Response<wire::ReleaseReply>, Status> {
        let wire::ReleaseRequest { node, epoch } = request.into_inner();
        let node = node.ok_or_else(|| Status::invalid_argument("the message has no node key; set it"))?;
        let node = NodeKey::try_from(node).map_err(from_invalid)?;
        let released = self.publishers.release(node, epoch).await.map_err(from_propose)?;
        Ok(Response::new(wire::ReleaseReply { released }))
    }
}

async fn push_once(service: &IngestService, push: Result<Push, Invalid>) -> Outcome {
    match push {
        Ok(push) => service.push(push).await,
        Err(invalid) => Ok(PushOutcome::Refused { message: invalid.to_string() }),
    }
}
