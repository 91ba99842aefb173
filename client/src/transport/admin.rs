//! One request of an administrator at one endpoint.

use std::time::Duration;

use tonic::transport::Channel;
use unum_proto::model::{ChangeRequest, ReplicaStatus};
use unum_proto::wire;
use unum_proto::wire::admin_client::AdminClient;

use super::Endpoint;
use super::status::to_attempt;
use crate::retry::Attempt;

fn client(endpoint: &Endpoint) -> AdminClient<Channel> {
    AdminClient::new(endpoint.channel.clone())
}

fn late(endpoint: &Endpoint, time: Duration) -> Attempt {
    Attempt::Unknown(format!("{}: no answer within {} ms", endpoint.addr, time.as_millis()))
}

/// How the replica there sees the group.
pub(crate) async fn status(endpoint: &Endpoint, time: Duration) -> Result<ReplicaStatus, Attempt> {
    let mut client = client(endpoint);
    let reply = tokio::time::timeout(time, client.status(wire::StatusRequest {})).await;
    let reply = reply.map_err(|_| late(endpoint, time))?.map_err(|status| to_attempt(&endpoint.addr, &status))?;
    Ok(reply.into_inner().into())
}

/// Asks the replica there for a change; returns what was done.
pub(crate) async fn change(endpoint: &Endpoint, request: &ChangeRequest, time: Duration) -> Result<String, Attempt> {
    let mut client = client(endpoint);
    let reply = tokio::time::timeout(time, client.change(wire::ChangeRequest::from(request))).await;
    let reply = reply.map_err(|_| late(endpoint, time))?.map_err(|status| to_attempt(&endpoint.addr, &status))?;
    Ok(reply.into_inner().done)
}
