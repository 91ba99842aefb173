//! One query at one endpoint.

use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamDecoder;
use bytes::Bytes;
use tokio::time::Instant;
use tonic::Streaming;
use unum_proto::model::limits::MESSAGE_BYTES_MAX;
use unum_proto::model::{Query, ResultFooter, ResultHeader};
use unum_proto::wire::query_client::QueryClient;
use unum_proto::wire::{QueryReply, QueryRequest};

use super::status::to_attempt;
use super::{Endpoint, arrow_result};
use crate::Error;
use crate::retry::{Attempt, Time};

/// A replica gives up by itself and says why; only if that does not come, the client does.
const GRACE: Duration = Duration::from_millis(300);

/// What a request can say at least: 0 would ask for the server's default.
const TIME_MIN: Duration = Duration::from_millis(1);

/// A whole result.
#[derive(Debug)]
pub(crate) struct RawResult {
    pub(crate) header: ResultHeader,
    pub(crate) footer: ResultFooter,
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
}

/// Runs a query at one endpoint: the result must begin within the share of time, and then has all the rest of it.
pub(crate) async fn execute(endpoint: &Endpoint, query: &Query, time: Time) -> Result<RawResult, Attempt> {
    let late = |time: Duration| Attempt::Retry(format!("{}: no answer within {} ms", endpoint.addr, time.as_millis()));
    let deadline = Instant::now() + time.rest + GRACE;
    let query = Query { timeout: time.rest.max(TIME_MIN), ..query.clone() };
    let begun = tokio::time::timeout(time.share + GRACE, begin(endpoint, QueryRequest::from(&query))).await;
    let replies = begun.unwrap_or_else(|_| Err(late(time.share)))?;
    tokio::time::timeout_at(deadline, receive(endpoint, replies)).await.unwrap_or_else(|_| Err(late(time.rest)))
}

/// Comes back when the replica has a fresh state and a plan.
async fn begin(endpoint: &Endpoint, request: QueryRequest) -> Result<Streaming<QueryReply>, Attempt> {
    let mut client = QueryClient::new(endpoint.channel.clone())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let begun = client.execute(request).await.map_err(|status| to_attempt(&endpoint.addr, &status))?;
    Ok(begun.into_inner())
}

async fn receive(endpoint: &Endpoint, mut replies: Streaming<QueryReply>) -> Result<RawResult, Attempt> {
    let failed = |status: tonic::Status| to_attempt(&endpoint.addr, &status);
    let protocol = |what: String| Attempt::Final(Error::Protocol(format!("{}: {what}", endpoint.addr)));
    let mut header: Option<ResultHeader> = None;
    // For a result of several replies.
    let mut decoder = StreamDecoder::new();
    let mut batches = Vec::new();
    while let Some(QueryReply { header: head, arrow_stream, footer }) = replies.message().await.map_err(failed)? {
        let first = header.is_none();
        if let Some(wire) = head {
            header = Some(wire.into());
        }
        let (whole, buffer) = match (first, &footer) {
            (true, Some(_)) => (Some(arrow_stream), Bytes::new()),
            _ => (None, arrow_stream),
        };
        let mut buffer = Buffer::from(buffer);
        while !buffer.is_empty()
            && let Some(batch) = decoder.decode(&mut buffer).map_err(|e| protocol(e.to_string()))?
        {
            batches.push(batch);
        }
        if let Some(wire) = footer {
            let header = header.ok_or_else(|| protocol("a result without a header".into()))?;
            let footer = ResultFooter::try_from(wire).map_err(|e| protocol(e.to_string()))?;
            let (schema, batches) = match whole {
                Some(stream) => arrow_result::decode(stream, &endpoint.schemas).map_err(|e| protocol(e.to_string()))?,
                None => (decoder.schema().ok_or_else(|| protocol("a result without a schema".into()))?, batches),
            };
            // To the end of the stream, which is with it: one that is dropped before is reset, a frame each way. The result
            // is whole whatever comes.
            let _ = replies.message().await;
            return Ok(RawResult { header, footer, schema, batches });
        }
    }
    // The stream broke off, as when a replica is killed: a read is asked again.
    Err(Attempt::Retry(format!("{}: the result broke off", endpoint.addr)))
}
