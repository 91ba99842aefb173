//! A node as a fan-out sees it: a gRPC endpoint that answers every statement with its own rows.
//!
//! `unum bench fanout` measures with it what Unum replaces. It speaks the protocol of queries and is no replica: it has
//! no catalog, and one revision.

use std::future::pending;

use arrow::array::RecordBatch;
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use unum_proto::wire::query_server::{Query, QueryServer};
use unum_proto::wire::{QueryFooter, QueryHeader, QueryReply, QueryRequest};

use crate::Error;

/// Serves `rows` to whoever asks, until it is dropped; or takes the calls and never answers, if there are none.
///
/// # Errors
/// [`Error::Protocol`] when the rows do not encode or the listener fails.
pub async fn serve_stub(listener: TcpListener, rows: Option<RecordBatch>) -> Result<(), Error> {
    let protocol = |what: String| Error::Protocol(format!("a stand-in: {what}"));
    let stream = rows.as_ref().map(encode).transpose().map_err(|e| protocol(e.to_string()))?;
    let rows = rows.map_or(0, |rows| rows.num_rows() as u64);
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let served =
        Server::builder().add_service(QueryServer::new(StubServer { rows, stream })).serve_with_incoming(incoming);
    served.await.map_err(|e| protocol(e.to_string()))
}

fn encode(rows: &RecordBatch) -> Result<Bytes, arrow::error::ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), &rows.schema())?;
    writer.write(rows)?;
    writer.into_inner().map(Bytes::from)
}

#[derive(Debug)]
struct StubServer {
    rows: u64,
    stream: Option<Bytes>,
}

#[tonic::async_trait]
impl Query for StubServer {
    type ExecuteStream = BoxStream<'static, Result<QueryReply, Status>>;

    async fn execute(&self, _: Request<QueryRequest>) -> Result<Response<Self::ExecuteStream>, Status> {
        let Some(rows) = self.stream.clone() else { return pending().await };
        let header = Some(QueryHeader { revision: 1, replica: 1, nodes_up: 1, nodes_total: 1 });
        let footer = Some(QueryFooter { rows: self.rows, ..QueryFooter::default() });
        let reply = QueryReply { header, arrow_stream: rows, footer, extra_time_ms: 0 };
        Ok(Response::new(Box::pin(stream::iter([Ok(reply)]))))
    }
}
