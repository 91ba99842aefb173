//! `unum.v1.Config`.

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use unum_proto::model::{ConfigReports, NodeKey};
use unum_proto::wire;

use super::status::{from_invalid, from_propose};
use crate::service::configure::{ConfigService, WatchCursor};

/// The handler.
#[derive(Debug)]
pub struct ConfigApi {
    /// What nodes hear and say.
    pub service: ConfigService,
    /// Ends the streams, which are as long as their nodes live.
    pub stop: CancellationToken,
}

#[tonic::async_trait]
impl wire::config_server::Config for ConfigApi {
    type WatchStream = BoxStream<'static, Result<wire::ConfigDesired, Status>>;

    async fn watch(&self, request: Request<wire::ConfigWatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let node =
            request.into_inner().node.ok_or_else(|| Status::invalid_argument("the request has no node; set it"))?;
        let node = NodeKey::try_from(node).map_err(from_invalid)?;
        let service = self.service.clone();
        let desired =
            stream::unfold((service, node, WatchCursor::default()), |(service, node, mut cursor)| async move {
                let (revision, values) = service.next(&node, &mut cursor).await;
                let desired = wire::ConfigDesired { revision, values: values.into_iter().map(Into::into).collect() };
                Some((Ok(desired), (service, node, cursor)))
            });
        Ok(Response::new(Box::pin(desired.take_until(self.stop.clone().cancelled_owned()))))
    }

    async fn report(
        &self,
        request: Request<wire::ConfigReportRequest>,
    ) -> Result<Response<wire::ConfigReportReply>, Status> {
        let reports = ConfigReports::try_from(request.into_inner()).map_err(from_invalid)?;
        self.service.report(reports).await.map_err(from_propose)?;
        Ok(Response::new(wire::ConfigReportReply {}))
    }
}
