//! `unum.v1.Query`.

use arrow::ipc::writer::StreamWriter;
use futures::stream::BoxStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use unum_proto::model::Query;
use unum_proto::wire::{self, query_reply};

use super::status;
use crate::service::query::{Answer, Part, QueryService};

/// Bytes of Arrow IPC in one message: well below the message limit.
const PIECE_BYTES: usize = 256 * 1024;

/// Messages that wait for a slow client.
const MESSAGES_AHEAD_MAX: usize = 4;

/// The handler.
#[derive(Debug)]
pub struct QueryApi(pub QueryService);

#[tonic::async_trait]
impl wire::query_server::Query for QueryApi {
    type ExecuteStream = BoxStream<'static, Result<wire::QueryReply, Status>>;

    async fn execute(&self, request: Request<wire::QueryRequest>) -> Result<Response<Self::ExecuteStream>, Status> {
        let host = request.remote_addr().map_or_else(String::new, |addr| addr.to_string());
        let query = Query::try_from(request.into_inner()).map_err(status::from_invalid)?;
        let answer = self.0.execute(query, host).await.map_err(status::from_query)?;
        let (sender, replies) = mpsc::channel(MESSAGES_AHEAD_MAX);
        // It ends with the answer, or when the client has gone and its receiver with it.
        tokio::spawn(async move {
            if let Err(status) = send(answer, &sender).await {
                let _ = sender.send(Err(status)).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(replies))))
    }
}

type Replies = mpsc::Sender<Result<wire::QueryReply, Status>>;

async fn send(mut answer: Answer, replies: &Replies) -> Result<(), Status> {
    let internal = |e: arrow::error::ArrowError| Status::internal(format!("the result does not encode: {e}"));
    let (header, schema) = tokio::select! {
        head = answer.head() => head.map_err(status::from_query)?,
        () = replies.closed() => return Err(client_gone()),
    };
    reply(&answer, replies, query_reply::Part::Header(header.into())).await?;
    let mut writer = StreamWriter::try_new(Vec::new(), &schema).map_err(internal)?;
    loop {
        let part = tokio::select! {
            part = answer.next() => part.map_err(status::from_query)?,
            // Nobody reads any more, also while there are no rows yet: the query ends with the answer.
            () = replies.closed() => return Err(client_gone()),
        };
        match part {
            Part::Rows(batch) => {
                writer.write(&batch).map_err(internal)?;
                send_pieces(&answer, replies, std::mem::take(writer.get_mut())).await?;
            }
            Part::End(footer) => {
                let rest = writer.into_inner().map_err(internal)?;
                send_pieces(&answer, replies, rest).await?;
                return reply(&answer, replies, query_reply::Part::Footer(footer.into())).await;
            }
        }
    }
}

async fn send_pieces(answer: &Answer, replies: &Replies, bytes: Vec<u8>) -> Result<(), Status> {
    for piece in bytes.chunks(PIECE_BYTES) {
        reply(answer, replies, query_reply::Part::ArrowStream(piece.to_vec())).await?;
    }
    Ok(())
}

/// Waits for the client to take it, but no longer than the query may last.
async fn reply(answer: &Answer, replies: &Replies, part: query_reply::Part) -> Result<(), Status> {
    let message = wire::QueryReply { part: Some(part) };
    tokio::select! {
        biased;
        sent = replies.send(Ok(message)) => sent.map_err(|_| client_gone()),
        error = answer.ended() => Err(status::from_query(error)),
    }
}

fn client_gone() -> Status {
    Status::cancelled("the client has gone")
}
