//! `unum.v1.Query`.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use unum_proto::model::Query;
use unum_proto::wire::{self, QueryReply};

use super::arrow_stream::{ArrowStream, EncodedSchemas};
use super::status;
use crate::service::query::{Head, Part, Parts, QueryService, ResultStream};

/// Bytes of Arrow IPC in one message: well below the message limit.
const PIECE_BYTES: usize = 512 * 1024;

/// Messages that wait for a slow client.
const MESSAGES_AHEAD_MAX: usize = 4;

/// The handler.
#[derive(Debug)]
pub struct QueryApi {
    service: Arc<QueryService>,
    schemas: Arc<EncodedSchemas>,
}

impl QueryApi {
    /// The handler of a replica.
    pub fn new(service: Arc<QueryService>) -> Self {
        Self { service, schemas: Arc::default() }
    }
}

#[tonic::async_trait]
impl wire::query_server::Query for QueryApi {
    type ExecuteStream = BoxStream<'static, Result<QueryReply, Status>>;

    async fn execute(&self, request: Request<wire::QueryRequest>) -> Result<Response<Self::ExecuteStream>, Status> {
        let host = request.remote_addr().map_or_else(String::new, |addr| addr.to_string());
        let query = Query::try_from(request.into_inner()).map_err(status::from_invalid)?;
        let result = self.service.execute(query, host).await.map_err(status::from_query)?;
        if result.is_whole() {
            // It is bounded, and nothing is waited for: no task of its own.
            return Ok(Response::new(stream::iter(whole(result, &self.schemas).await?).map(Ok).boxed()));
        }
        let (sender, replies) = mpsc::channel(MESSAGES_AHEAD_MAX);
        let schemas = Arc::clone(&self.schemas);
        // It ends with the result, or when the client has gone and its receiver with it.
        tokio::spawn(async move {
            if let Err(status) = send(result, &schemas, &sender).await {
                let _ = sender.send(Err(status)).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(replies).boxed()))
    }
}

type Replies = mpsc::Sender<Result<QueryReply, Status>>;

/// All replies of a result that is there already.
async fn whole(result: ResultStream, schemas: &EncodedSchemas) -> Result<VecDeque<QueryReply>, Status> {
    let (head, mut parts) = result.head().await.map_err(status::from_query)?;
    let mut pieces = Pieces::begin(head, schemas)?;
    while let Some(part) = parts.ready() {
        pieces.add(part)?;
    }
    Ok(pieces.ready)
}

async fn send(result: ResultStream, schemas: &EncodedSchemas, replies: &Replies) -> Result<(), Status> {
    let extra_time = result.extra_time();
    if !extra_time.is_zero() {
        let extra_time_ms = extra_time.as_millis().try_into().unwrap_or(u32::MAX);
        let longer = QueryReply { extra_time_ms, ..QueryReply::default() };
        replies.send(Ok(longer)).await.map_err(|_| client_gone())?;
    }
    let (head, mut parts) = tokio::select! {
        head = result.head() => head.map_err(status::from_query)?,
        () = replies.closed() => return Err(client_gone()),
    };
    let mut pieces = Pieces::begin(head, schemas)?;
    loop {
        // What is there goes before anything is waited for.
        pieces.flush();
        while let Some(message) = pieces.ready.pop_front() {
            reply(&parts, replies, message).await?;
        }
        if pieces.ended {
            return Ok(());
        }
        let part = tokio::select! {
            part = parts.next() => part.map_err(status::from_query)?,
            // Nobody reads any more, also while there are no rows yet: the query ends with the result.
            () = replies.closed() => return Err(client_gone()),
        };
        pieces.add(part)?;
    }
}

/// A result as messages: as few as its size allows.
struct Pieces {
    stream: ArrowStream,
    header: Option<wire::QueryHeader>,
    /// Rows that are in no message yet.
    bytes: Vec<u8>,
    ready: VecDeque<QueryReply>,
    ended: bool,
}

impl Pieces {
    fn begin(head: Head, schemas: &EncodedSchemas) -> Result<Self, Status> {
        let mut bytes = Vec::new();
        let stream = ArrowStream::begin(&head.schema, schemas, &mut bytes)?;
        Ok(Self { stream, header: Some(head.header.into()), bytes, ready: VecDeque::new(), ended: false })
    }

    fn add(&mut self, part: Part) -> Result<(), Status> {
        match part {
            Part::Rows(batch) => self.stream.write(&batch, &mut self.bytes)?,
            Part::End(footer) => {
                self.stream.end(&mut self.bytes);
                self.flush();
                if let Some(last) = self.ready.back_mut() {
                    last.footer = Some(footer.into());
                }
                self.ended = true;
            }
        }
        Ok(())
    }

    /// Makes messages of all that is in none.
    fn flush(&mut self) {
        let mut bytes = Bytes::from(std::mem::take(&mut self.bytes));
        while self.header.is_some() || !bytes.is_empty() {
            let arrow_stream = bytes.split_to(PIECE_BYTES.min(bytes.len()));
            self.ready.push_back(QueryReply { header: self.header.take(), arrow_stream, ..QueryReply::default() });
        }
    }
}

/// Waits for the client to take it, but no longer than the query may last.
async fn reply(parts: &Parts, replies: &Replies, message: QueryReply) -> Result<(), Status> {
    tokio::select! {
        biased;
        sent = replies.send(Ok(message)) => sent.map_err(|_| client_gone()),
        error = parts.cut_short() => Err(status::from_query(error)),
    }
}

fn client_gone() -> Status {
    Status::cancelled("the client has gone")
}
