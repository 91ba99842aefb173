//! Pushes on their way into the log.
//!
//! Pushes that arrive together share one batch: one Raft entry on the leader, one relayed request to the leader
//! elsewhere. A batch closes at [`BATCH_BYTES`], at [`BATCH_PUSHES`], or when nothing more is waiting and a place in
//! flight is free: under light load a push does not wait for company, under heavy load batches fill by themselves.
//!
//! It never answers before the commit, and never tries twice: whoever pushed does, with the same sequence.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use unum_proto::model::{Push, PushOutcome, PushRetry, TableSnapshot, Value};

use crate::base::clock;
use crate::catalog::{Command, StampedPush};
use crate::consensus::{Group, ProposeError};

/// A batch that has this many bytes is closed. Larger entries gain little per sync and delay what is behind them.
const BATCH_BYTES: usize = 64 * 1024;

/// A batch that has this many pushes is closed.
const BATCH_PUSHES: usize = 256;

/// Batches in flight: one is being synced while the next is filled.
const BATCHES_IN_FLIGHT: usize = 2;

/// Pushes that wait for a batch, and their bytes. Past either the answer is to retry later.
const QUEUED_PUSHES_MAX: usize = 4096;
const QUEUED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How long a batch may take, committed here or relayed, before its outcome is unknown: a leader that lost its
/// majority must not hold its places for ever.
const BATCH_TIMEOUT: Duration = Duration::from_secs(5);

/// When to try again after a full queue, and when no leader is known: about a tenth of an election.
const RETRY_AFTER_MS: u32 = 50;

/// What a pusher is told.
pub type Outcome = Result<PushOutcome, PushRetry>;

struct Waiting {
    push: Push,
    bytes: usize,
    answer: oneshot::Sender<Outcome>,
    /// Its share of [`QUEUED_BYTES_MAX`], until it is decided.
    room: OwnedSemaphorePermit,
}

/// Takes in pushes on one replica. Clones feed the same batches.
#[derive(Debug, Clone)]
pub struct IngestService {
    group: Group,
    queue: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
}

impl IngestService {
    /// A service, and the loop that has to be run for it.
    pub fn new(group: Group) -> (Self, impl Future<Output = ()> + Send) {
        let (queue, waiting) = mpsc::channel(QUEUED_PUSHES_MAX);
        let room = Arc::new(Semaphore::new(QUEUED_BYTES_MAX));
        (Self { group: group.clone(), queue, room }, run(group, waiting))
    }

    /// Takes in one push; returns when it is decided, or not known to be.
    pub async fn push(&self, push: Push) -> Outcome {
        let replica = self.group.replica();
        let bytes = push_bytes(&push);
        let room =
            u32::try_from(bytes).ok().and_then(|bytes| Arc::clone(&self.room).try_acquire_many_owned(bytes).ok());
        let room = room
            .ok_or_else(|| retry(format!("more than {QUEUED_BYTES_MAX} bytes of pushes wait at replica {replica}")))?;
        let (answer, outcome) = oneshot::channel();
        self.queue
            .try_send(Waiting { push, bytes, answer, room })
            .map_err(|_| retry(format!("more than {QUEUED_PUSHES_MAX} pushes wait at replica {replica}")))?;
        outcome.await.unwrap_or_else(|_| Err(retry("the replica is stopping".into())))
    }

    /// Takes in pushes that another replica relayed. Refused by all but the leader: a relay goes one hop.
    pub async fn relayed(&self, pushes: Vec<Push>) -> Result<Vec<Outcome>, ProposeError> {
        if !self.group.leads() {
            let leader = self.group.leader().map(|(id, _)| id);
            return Err(ProposeError::NotLeader { replica: self.group.replica(), leader });
        }
        Ok(futures::future::join_all(pushes.into_iter().map(|push| self.push(push))).await)
    }
}

fn retry(message: String) -> PushRetry {
    PushRetry { message, retry_after_ms: RETRY_AFTER_MS }
}

async fn run(group: Group, mut waiting: mpsc::Receiver<Waiting>) {
    let places = Arc::new(Semaphore::new(BATCHES_IN_FLIGHT));
    let mut held_back = None;
    loop {
        let first = match held_back.take() {
            Some(first) => first,
            None => match waiting.recv().await {
                Some(first) => first,
                None => return,
            },
        };
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let batch = fill(first, &mut waiting, &mut held_back);
        metrics::counter!("unum_push_batches_total").increment(1);
        metrics::counter!("unum_pushes_total").increment(batch.len() as u64);
        let group = group.clone();
        // It ends by itself: each way through `decide` is bounded, and dropping the group's Raft ends the waits.
        tokio::spawn(async move {
            decide(&group, batch).await;
            drop(place);
        });
    }
}

/// Takes what waits, up to a batch. A push that would make it too large opens the next one.
fn fill(first: Waiting, waiting: &mut mpsc::Receiver<Waiting>, held_back: &mut Option<Waiting>) -> Vec<Waiting> {
    let mut bytes = first.bytes;
    let mut batch = vec![first];
    while batch.len() < BATCH_PUSHES {
        let Ok(next) = waiting.try_recv() else { break };
        bytes += next.bytes;
        if bytes > BATCH_BYTES {
            *held_back = Some(next);
            break;
        }
        batch.push(next);
    }
    batch
}

/// Bytes of a push as it will be kept, roughly: its values and its schemas.
fn push_bytes(push: &Push) -> usize {
    let table = |table: &TableSnapshot| {
        let columns = table.schema.columns.iter().map(|column| column.name.as_str().len() + column.comment.len() + 4);
        let values = table.rows.iter().flatten().map(Value::bytes);
        columns.chain(values).sum::<usize>()
    };
    push.tables.iter().map(table).sum()
}

async fn decide(group: &Group, batch: Vec<Waiting>) {
    let (pushes, rest): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|waiting| (waiting.push, (waiting.answer, waiting.room))).unzip();
    // Asked once: who leads can change between two looks, and a replica must not relay to itself.
    let outcomes = match group.leader() {
        None => undecided(pushes.len(), format!("replica {} knows no leader now", group.replica())),
        Some((leader, _)) if leader == group.replica() => commit(group, pushes).await,
        Some((leader, addr)) => relay(group, leader, &addr, &pushes).await,
    };
    for ((answer, room), outcome) in rest.into_iter().zip(outcomes) {
        // A pusher that has gone will ask again with the same sequence.
        let _ = answer.send(outcome);
        drop(room);
    }
}

fn undecided(count: usize, why: String) -> Vec<Outcome> {
    vec![Err(retry(why)); count]
}

async fn commit(group: &Group, pushes: Vec<Push>) -> Vec<Outcome> {
    let count = pushes.len();
    let pushes = pushes.into_iter().map(StampedPush::new).collect();
    let command = Command::Pushes { received_at_us: clock::now_us(), pushes };
    match tokio::time::timeout(BATCH_TIMEOUT, group.propose(&command)).await {
        Ok(Ok(outcomes)) => {
            assert_eq!(outcomes.len(), count, "one outcome a push");
            outcomes.into_iter().map(Ok).collect()
        }
        Ok(Err(error)) => undecided(count, error.to_string()),
        Err(_) => undecided(count, format!("not committed within {} ms", BATCH_TIMEOUT.as_millis())),
    }
}

async fn relay(group: &Group, leader: u64, addr: &str, pushes: &[Push]) -> Vec<Outcome> {
    match group.leader_link().relay(addr, pushes, BATCH_TIMEOUT).await {
        Ok(outcomes) => outcomes,
        Err(error) => undecided(pushes.len(), format!("relay to leader {leader}: {error}")),
    }
}
