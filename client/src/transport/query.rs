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

use super::arrow_result::Schemas;
use super::status::to_attempt_at_statement;
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
    // Only a replica knows whether the statement changes something, and this one has not said what it did.
    let late =
        |time: Duration| Attempt::Unknown(format!("{}: no answer within {} ms", endpoint.addr, time.as_millis()));
    let started = Instant::now();
    let query = Query { timeout: time.rest.max(TIME_MIN), ..query.clone() };
    let begun = tokio::time::timeout(time.share + GRACE, begin(endpoint, QueryRequest::from(&query))).await;
    let replies = begun.unwrap_or_else(|_| Err(late(time.share)))?;
    let mut receiver = Receiver { endpoint, replies, deadline: started + time.rest + GRACE };
    match receiver.receive().await {
        Some(received) => received,
        None => Err(late(receiver.deadline - started - GRACE)),
    }
}

/// Comes back when the replica has a fresh state and a plan.
async fn begin(endpoint: &Endpoint, request: QueryRequest) -> Result<Streaming<QueryReply>, Attempt> {
    let mut client = QueryClient::new(endpoint.channel.clone())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let begun = client.execute(request).await.map_err(|status| to_attempt_at_statement(&endpoint.addr, &status))?;
    Ok(begun.into_inner())
}

/// A result on its way.
struct Receiver<'a> {
    endpoint: &'a Endpoint,
    replies: Streaming<QueryReply>,
    deadline: Instant,
}

impl Receiver<'_> {
    /// All of the result; none if it is not there in time.
    async fn receive(&mut self) -> Option<Result<RawResult, Attempt>> {
        let mut parts = Parts::default();
        loop {
            let reply = match tokio::time::timeout_at(self.deadline, self.replies.message()).await.ok()? {
                Ok(Some(reply)) => reply,
                // The stream broke off, as when a replica is killed.
                Ok(None) => {
                    return Some(Err(Attempt::Unknown(format!("{}: the result broke off", self.endpoint.addr))));
                }
                Err(status) => return Some(Err(to_attempt_at_statement(&self.endpoint.addr, &status))),
            };
            // The statement asks for more time than its caller gave it: WAIT.
            self.deadline += Duration::from_millis(reply.extra_time_ms.into());
            match parts.add(reply, &self.endpoint.schemas) {
                Ok(None) => {}
                Ok(Some(result)) => {
                    // To the end of the stream, which is with it: one that is dropped before is reset, a frame each way. The
                    // result is whole whatever comes.
                    let _ = self.replies.message().await;
                    return Some(Ok(result));
                }
                Err(what) => {
                    return Some(Err(Attempt::Final(Error::Protocol(format!("{}: {what}", self.endpoint.addr)))));
                }
            }
        }
    }
}

/// What came of a result so far.
#[derive(Default)]
struct Parts {
    header: Option<ResultHeader>,
    /// For a result of several replies.
    decoder: StreamDecoder,
    batches: Vec<RecordBatch>,
}

impl Parts {
    /// The whole result, if this is the last of it.
    fn add(&mut self, reply: QueryReply, schemas: &Schemas) -> Result<Option<RawResult>, String> {
        let QueryReply { header, arrow_stream, footer, .. } = reply;
        let first = self.header.is_none();
        if let Some(wire) = header {
            self.header = Some(wire.into());
        }
        let (whole, buffer) = match (first, &footer) {
            (true, Some(_)) => (Some(arrow_stream), Bytes::new()),
            _ => (None, arrow_stream),
        };
        let mut buffer = Buffer::from(buffer);
        while !buffer.is_empty()
            && let Some(batch) = self.decoder.decode(&mut buffer).map_err(|e| e.to_string())?
        {
            self.batches.push(batch);
        }
        let Some(wire) = footer else { return Ok(None) };
        let header = self.header.ok_or("a result without a header")?;
        let footer = ResultFooter::try_from(wire).map_err(|e| e.to_string())?;
        let (schema, batches) = match whole {
            Some(stream) => arrow_result::decode(stream, schemas).map_err(|e| e.to_string())?,
            None => {
                let schema = self.decoder.schema().ok_or("a result without a schema")?;
                (schema, std::mem::take(&mut self.batches))
            }
        };
        Ok(Some(RawResult { header, footer, schema, batches }))
    }
}
