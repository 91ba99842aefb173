//! What a node hears and says of its configuration, at one endpoint.

use std::time::Duration;

use tonic::Streaming;
use unum_proto::model::limits::MESSAGE_BYTES_MAX;
use unum_proto::model::{ConfigReports, DesiredValue, NodeKey};
use unum_proto::wire;
use unum_proto::wire::config_client::ConfigClient;

use super::Endpoint;
use super::status::to_attempt;
use crate::Error;
use crate::retry::Attempt;

/// An open stream of what a node is to set.
#[derive(Debug)]
pub(crate) struct ConfigWatch {
    addr: String,
    desired: Streaming<wire::ConfigDesired>,
}

impl ConfigWatch {
    /// Opens one.
    pub(crate) async fn open(endpoint: &Endpoint, node: &NodeKey, time: Duration) -> Result<Self, Attempt> {
        let mut client = ConfigClient::new(endpoint.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX);
        let opened =
            tokio::time::timeout(time, client.watch(wire::ConfigWatchRequest { node: Some(node.into()) })).await;
        let opened = opened
            .map_err(|_| Attempt::Retry(format!("{}: no answer within {} ms", endpoint.addr, time.as_millis())))?
            .map_err(|status| to_attempt(&endpoint.addr, &status))?;
        Ok(Self { addr: endpoint.addr.clone(), desired: opened.into_inner() })
    }

    /// The next message: all that is to be set now.
    pub(crate) async fn next(&mut self) -> Result<Vec<DesiredValue>, Attempt> {
        let message = self.desired.message().await.map_err(|status| to_attempt(&self.addr, &status))?;
        let message = message.ok_or_else(|| Attempt::Retry(format!("{}: the stream ended", self.addr)))?;
        let values = message.values.into_iter().map(DesiredValue::try_from).collect::<Result<_, _>>();
        values.map_err(|invalid| Attempt::Final(Error::Protocol(format!("{}: {invalid}", self.addr))))
    }
}

/// Says what came of it.
pub(crate) async fn report_config(endpoint: &Endpoint, reports: &ConfigReports, time: Duration) -> Result<(), Attempt> {
    let mut client = ConfigClient::new(endpoint.channel.clone());
    let reported = tokio::time::timeout(time, client.report(wire::ConfigReportRequest::from(reports))).await;
    let late = || Attempt::Unknown(format!("{}: no answer within {} ms", endpoint.addr, time.as_millis()));
    reported.map_err(|_| late())?.map_err(|status| to_attempt(&endpoint.addr, &status))?;
    Ok(())
}
