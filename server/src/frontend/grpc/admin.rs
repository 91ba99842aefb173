//! `unum.v1.Admin`.

use tonic::{Request, Response, Status};
use unum_proto::model::ChangeRequest;
use unum_proto::wire;

use super::status::{from_invalid, from_propose};
use crate::service::admin::AdminService;

/// The handler.
#[derive(Debug)]
pub struct AdminApi(pub AdminService);

#[tonic::async_trait]
impl wire::admin_server::Admin for AdminApi {
    async fn status(&self, _: Request<wire::StatusRequest>) -> Result<Response<wire::StatusReply>, Status> {
        Ok(Response::new((&self.0.status()).into()))
    }

    async fn change(&self, request: Request<wire::ChangeRequest>) -> Result<Response<wire::ChangeReply>, Status> {
        let request = ChangeRequest::try_from(request.into_inner()).map_err(from_invalid)?;
        let done = self.0.change(request).await.map_err(from_propose)?;
        Ok(Response::new(wire::ChangeReply { done }))
    }
}
