//! What Unum replaces: asking every node itself.
//!
//! Each node is a gRPC endpoint on loopback that answers with its row. A client has a connection to each, asks all at
//! once, and waits for the last; a node that hangs costs it the time limit.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array};
use futures::future::join_all;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;
use unum_client::{Client, Error, TableSnapshot, Value, serve_stub};

use super::load::{Measured, Recorder};

/// How long a node may take before a client goes on without it.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Descriptors that this process needs besides one a listener and two a connection.
const DESCRIPTORS_BESIDE: u64 = 128;

/// Fans out again and again; an operation is a whole fan-out. `hanging` of the endpoints take the call and never answer:
/// an answer without them is not an error, for that is all that a fan-out can do.
pub async fn run(
    nodes: u32,
    row: &TableSnapshot,
    hanging: u32,
    clients: u32,
    time: Duration,
) -> Result<Measured, Error> {
    let local = |e: std::io::Error| Error::Refused(format!("{nodes} endpoints on loopback: {e}; try fewer --nodes"));
    check_descriptors(nodes)?;
    let rows = to_batch(row);
    let mut endpoints = JoinSet::new();
    let mut connections = Vec::new();
    for number in 0..nodes {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(local)?;
        connections
            .push(Client::builder([listener.local_addr().map_err(local)?.to_string()]).timeout(TIMEOUT).build()?);
        endpoints.spawn(serve_stub(listener, (number >= hanging).then(|| rows.clone())));
    }
    // Connected before it is timed, as Unum's clients are.
    fan_out(&connections).await;
    let (recorder, started) = (Recorder::new(), Instant::now());
    let task = |_| {
        let (connections, recorder) = (connections.clone(), recorder.clone());
        tokio::spawn(async move {
            while started.elapsed() < time {
                let asked = Instant::now();
                let answered = fan_out(&connections).await;
                let enough = match answered >= nodes - hanging {
                    true => Ok(()),
                    false => Err(Error::Protocol(format!("{answered} of {nodes} endpoints answered"))),
                };
                recorder.add(asked, enough);
            }
        })
    };
    let tasks = (0..clients).map(task).collect();
    Ok(recorder.sum(tasks, started).await)
}

/// One row as a node's own gRPC service would send it.
fn to_batch(table: &TableSnapshot) -> RecordBatch {
    let columns = table.schema.columns.iter().zip(&table.rows[0]).map(|(column, value)| {
        let array: ArrayRef = match value {
            Value::Float64(number) => Arc::new(Float64Array::from(vec![*number])),
            Value::UInt64(number) => Arc::new(UInt64Array::from(vec![*number])),
            Value::Timestamp(micros) => Arc::new(TimestampMicrosecondArray::from(vec![*micros])),
            Value::Text(text) => Arc::new(StringArray::from(vec![text.as_str()])),
            _ => Arc::new(StringArray::new_null(1)),
        };
        (column.name.as_str().to_owned(), array)
    });
    RecordBatch::try_from_iter(columns).expect("columns of one row each")
}

/// Asks all at once; says how many answered.
async fn fan_out(connections: &[Client]) -> u32 {
    let answers = join_all(connections.iter().map(|client| client.query("SELECT * FROM node_info"))).await;
    answers.into_iter().filter(Result::is_ok).count() as u32
}

fn check_descriptors(nodes: u32) -> Result<(), Error> {
    let needed = 3 * u64::from(nodes) + DESCRIPTORS_BESIDE;
    let limit = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let open_files: Option<u64> =
        limit.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next()?.parse().ok());
    match open_files {
        Some(limit) if limit < needed => Err(Error::Refused(format!(
            "{nodes} endpoints need {needed} open files and the limit is {limit}; raise it (ulimit -n), or name fewer --nodes"
        ))),
        _ => Ok(()),
    }
}
