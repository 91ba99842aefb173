//! Pushes on their way into the log.
//!
//! Pushes that arrive together share one batch: one Raft entry on the leader, one relayed request to the leader
//! elsewhere. A batch closes at [`BATCH_BYTES`], at [`BATCH_PUSHES`], or when nothing more is waiting and a place in
//! flight is free: under light load a push does not wait for company, under heavy load batches fill by themselves.
//!
//! What other replicas relayed has batches and places in flight of its own. It goes into the log here or back to them, and
//! never on, so it waits for Raft alone. Were it to wait for a place that own pushes hold, two replicas between which the
//! lead moves could each hold all places for what waits in the other's queue.
//!
//! It never answers before the commit. While nothing was written, because no leader is known or the lead moves, a batch
//! waits and goes to whoever leads then. Once it may have been written it is never sent twice from here: whoever pushed
//! does that, with the same sequence.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use unum_proto::model::{
    NodeKey, Push, PushOutcome, PushRetry, RetryReason, TableRefusal, TableSchema, TableSnapshot, Value, limits,
};

use crate::base::clock;
use crate::base::disk::DiskSpace;
use crate::base::planted::{Bug, planted};
use crate::base::tunable::Tunable;
use crate::catalog::{NodeStatus, Proposal, StampedPush, State};
use crate::consensus::transport::PeerError;
use crate::consensus::{Group, Leader, ProposeError, Route};
use crate::service::published::conformed;

/// A batch that has this many bytes is closed. Larger entries gain little per sync and delay what is behind them.
const BATCH_BYTES: usize = 64 * 1024;

/// A batch that has this many pushes is closed.
const BATCH_PUSHES: usize = 256;

/// Batches in flight, of own pushes and as many of relayed ones: one is being synced while the next is filled.
const BATCHES_IN_FLIGHT: usize = 2;

/// Pushes that wait for a batch, own and as many relayed ones, and the bytes of both. Past either the answer is to retry
/// later.
const QUEUED_PUSHES_MAX: usize = 4096;
const QUEUED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How long a batch may take, committed here or relayed, before its outcome is unknown: a leader that lost its
/// majority must not hold its places for ever.
const BATCH_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a batch of which nothing was written looks for a leader: an election and a half.
const ROUTE_TIMEOUT: Duration = Duration::from_secs(1);

/// Between two tries to hand over a batch of which nothing was written: the lead moves in a few of these.
const ROUTE_PAUSE: Duration = Duration::from_millis(5);

/// How long a relayed batch still waits for its answer when another replica has taken the lead. A leader that handed it
/// over answers sooner; one that was cut off does not, and the places are needed.
const RELAY_GRACE: Duration = Duration::from_millis(200);

/// When a pusher may try again: about a tenth of an election.
const RETRY_AFTER_MS: u32 = 50;

/// When a pusher may try again that met a full queue or disk.
const EXHAUSTED_RETRY_AFTER_MS: u32 = 500;

/// What a pusher is told.
pub type Outcome = Result<PushOutcome, PushRetry>;

/// How much one catalog may hold, below what the catalog itself allows: a runaway script should not fill it.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Nodes.
    pub nodes: usize,
    /// Tables.
    pub tables: usize,
}

struct Waiting {
    push: Push,
    /// Its own, without its schemas: a batch has each of those once.
    bytes: usize,
    answer: oneshot::Sender<Outcome>,
    /// Its share of [`QUEUED_BYTES_MAX`], until it is decided.
    #[expect(dead_code, reason = "dropping it gives the room back")]
    room: OwnedSemaphorePermit,
}

/// Whose pushes a batch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// They came to this replica.
    Here,
    /// They came from another replica, which waits for this one: they are never relayed again. Otherwise two replicas
    /// that hold each other for the leader would wait for each other.
    Relay,
}

/// Takes in pushes on one replica. Clones feed the same batches.
#[derive(Debug, Clone)]
pub struct IngestService {
    group: Group,
    own: mpsc::Sender<Waiting>,
    relayed: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
    disk: DiskSpace,
    limits: Tunable<Limits>,
}

impl IngestService {
    /// A service, and the loop that has to be run for it.
    pub fn new(group: Group, disk: DiskSpace, limits: Tunable<Limits>) -> (Self, impl Future<Output = ()> + Send) {
        let (own, own_waiting) = mpsc::channel(QUEUED_PUSHES_MAX);
        let (relayed, relayed_waiting) = mpsc::channel(QUEUED_PUSHES_MAX);
        let room = Arc::new(Semaphore::new(QUEUED_BYTES_MAX));
        let service = Self { group: group.clone(), own, relayed, room, disk, limits: limits.clone() };
        let run = async move {
            tokio::join!(
                run(group.clone(), limits.clone(), Origin::Here, own_waiting),
                run(group, limits, Origin::Relay, relayed_waiting)
            );
        };
        (service, run)
    }

    /// Takes in one push; returns when it is decided, or not known to be.
    pub async fn push(&self, push: Push) -> Outcome {
        self.take_in(push, &self.own).await
    }

    async fn take_in(&self, push: Push, queue: &mpsc::Sender<Waiting>) -> Outcome {
        let replica = self.group.replica();
        if let Some(why) = self.disk.exhausted() {
            return Err(exhausted(format!("replica {replica}: {why}")));
        }
        let push = conformed(push);
        if let Some(message) = self.over_nodes_limit(&push) {
            return Ok(PushOutcome::Refused { message });
        }
        let bytes = push_bytes(&push);
        let kept = bytes + push.tables.iter().map(|table| schema_bytes(&table.schema)).sum::<usize>();
        let room = u32::try_from(kept).ok().and_then(|kept| Arc::clone(&self.room).try_acquire_many_owned(kept).ok());
        let room = room.ok_or_else(|| {
            exhausted(format!("more than {QUEUED_BYTES_MAX} bytes of pushes wait at replica {replica}"))
        })?;
        let (answer, outcome) = oneshot::channel();
        queue
            .try_send(Waiting { push, bytes, answer, room })
            .map_err(|_| exhausted(format!("more than {QUEUED_PUSHES_MAX} pushes wait at replica {replica}")))?;
        // A batch that is dropped on its way may be in the log.
        outcome.await.unwrap_or_else(|_| Err(unknown("the replica is stopping".into())))
    }

    /// Why the push would give the catalog more nodes than was configured.
    fn over_nodes_limit(&self, push: &Push) -> Option<String> {
        let state = self.group.state_reader().newest();
        let limits = self.limits.get();
        let node = &push.node.key;
        let not_removed = || state.nodes.values().filter(|node| node.status != NodeStatus::Removed).count();
        // Removed ones are counted only when there are so many that it matters.
        let is_over =
            state.nodes.len() >= limits.nodes && !state.nodes.contains_key(node) && not_removed() >= limits.nodes;
        is_over.then(|| {
            format!(
                "node {node} would be one too many; the limit is {} nodes: remove some with `unum node remove`, or raise \
                 limits.nodes_max",
                limits.nodes,
            )
        })
    }

    /// Takes in pushes that another replica relayed. Refused by all but the leader: a relay goes one hop.
    pub async fn relayed(&self, mut pushes: Vec<Push>) -> Result<Vec<Outcome>, ProposeError> {
        self.group.must_lead()?;
        if planted(Bug::StampRelay) {
            let key = || NodeKey::parse("unum", &self.group.replica().to_string()).expect("a legal key");
            pushes.iter_mut().for_each(|push| push.node.key = key());
        }
        Ok(futures::future::join_all(pushes.into_iter().map(|push| self.take_in(push, &self.relayed))).await)
    }
}

fn not_written(message: String) -> PushRetry {
    PushRetry { message, retry_after_ms: RETRY_AFTER_MS, reason: RetryReason::NotWritten }
}

fn unknown(message: String) -> PushRetry {
    PushRetry { message, retry_after_ms: RETRY_AFTER_MS, reason: RetryReason::OutcomeUnknown }
}

fn exhausted(message: String) -> PushRetry {
    PushRetry { message, retry_after_ms: EXHAUSTED_RETRY_AFTER_MS, reason: RetryReason::ResourceExhausted }
}

/// A push as it is proposed: without the tables that would be more than were configured. It is stamped before, so that a
/// retry after the limit was raised still is the same push.
fn stamped(push: Push, state: &State, limits: Limits) -> StampedPush {
    let mut stamped = StampedPush::new(push);
    let push = &mut stamped.push;
    let node = &push.node.key;
    // What no node has rows in makes room.
    let is_new =
        |table: &TableSnapshot| state.tables.get(&table.schema.name).is_none_or(|known| known.snapshots.is_empty());
    if !push.tables.iter().any(is_new) {
        return stamped;
    }
    let mut tables = state.tables.values().filter(|table| !table.snapshots.is_empty()).count();
    let (taken, over): (Vec<_>, Vec<_>) = std::mem::take(&mut push.tables).into_iter().partition(|table| {
        tables += usize::from(is_new(table));
        !is_new(table) || tables <= limits.tables
    });
    push.tables = taken;
    push.refused.extend(over.iter().map(|table| {
        let why = format!(
            "table {} of node {node} would be one too many; the limit is {} tables: DROP TABLE those that nobody needs, or \
             raise limits.tables_max",
            table.schema.name, limits.tables,
        );
        TableRefusal::new(table.schema.name.as_str(), why)
    }));
    stamped
}

async fn run(group: Group, limits: Tunable<Limits>, origin: Origin, mut waiting: mpsc::Receiver<Waiting>) {
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
        let (group, limits) = (group.clone(), limits.get());
        // It ends by itself: each way through `decide` is bounded, and dropping the group's Raft ends the waits.
        tokio::spawn(async move {
            decide(&group, limits, origin, batch).await;
            drop(place);
        });
    }
}

/// Takes what waits, up to a batch. A push that would make it too large opens the next one.
fn fill(first: Waiting, waiting: &mut mpsc::Receiver<Waiting>, held_back: &mut Option<Waiting>) -> Vec<Waiting> {
    let mut schemas = Vec::new();
    let mut bytes = grows_by(&first, &mut schemas);
    let mut batch = vec![first];
    while batch.len() < BATCH_PUSHES {
        let Ok(next) = waiting.try_recv() else { break };
        bytes += grows_by(&next, &mut schemas);
        if bytes > BATCH_BYTES {
            *held_back = Some(next);
            break;
        }
        batch.push(next);
    }
    batch
}

/// How much larger a push makes a batch that has these schemas already.
fn grows_by(waiting: &Waiting, schemas: &mut Vec<Arc<TableSchema>>) -> usize {
    let mut bytes = waiting.bytes;
    for table in &waiting.push.tables {
        if !schemas.contains(&table.schema) {
            bytes += schema_bytes(&table.schema);
            schemas.push(Arc::clone(&table.schema));
        }
    }
    bytes
}

fn schema_bytes(schema: &TableSchema) -> usize {
    schema.columns.iter().map(|column| column.name.as_str().len() + column.comment.len() + 4).sum()
}

/// Bytes of a push as it will be kept, roughly: what the node says of itself, and its values.
fn push_bytes(push: &Push) -> usize {
    let node = &push.node;
    let labels = node.labels.iter().map(|(name, value)| name.len() + value.len() + 2);
    let description = node.ip.len() + node.version.len() + labels.sum::<usize>() + 2 * limits::NODE_NAME_CHARS_MAX;
    let table = |table: &TableSnapshot| table.rows.iter().flatten().map(Value::bytes).sum::<usize>();
    description + push.tables.iter().map(table).sum::<usize>()
}

/// Hands the batch to whoever leads, until it may have been written or the time is over; answers each push.
async fn decide(group: &Group, limits: Limits, origin: Origin, batch: Vec<Waiting>) {
    let started = Instant::now();
    let (deadline, route_until) = (started + BATCH_TIMEOUT, started + ROUTE_TIMEOUT);
    loop {
        let tried = match group.route() {
            Route::Nowhere => Err(not_written(format!("replica {} knows no leader now", group.replica()))),
            Route::Here => commit(group, limits, &batch, deadline).await,
            Route::To(leader) if origin == Origin::Relay => {
                let (own, leader) = (group.replica(), leader.replica);
                Err(not_written(format!("replica {own} does not lead; replica {leader} does")))
            }
            Route::To(leader) => relay(group, &leader, &batch, deadline).await,
        };
        // What was relayed goes back at once: whoever did that looks for the leader itself.
        let may_try_again = origin == Origin::Here && Instant::now() < route_until;
        match tried {
            Ok(outcomes) => return answer(batch, outcomes),
            Err(retry) if retry.reason == RetryReason::NotWritten && may_try_again => {
                tokio::time::sleep(ROUTE_PAUSE).await;
            }
            Err(retry) => {
                let outcomes = vec![Err(retry); batch.len()];
                return answer(batch, outcomes);
            }
        }
    }
}

fn answer(batch: Vec<Waiting>, outcomes: Vec<Outcome>) {
    for (waiting, outcome) in batch.into_iter().zip(outcomes) {
        // A pusher that has gone will ask again with the same sequence.
        let _ = waiting.answer.send(outcome);
    }
}

async fn commit(
    group: &Group,
    limits: Limits,
    batch: &[Waiting],
    deadline: Instant,
) -> Result<Vec<Outcome>, PushRetry> {
    let state = group.state_reader().newest();
    let pushes = batch.iter().map(|waiting| stamped(waiting.push.clone(), &state, limits)).collect();
    let proposal = Proposal::pushes(clock::now_us(), pushes);
    match tokio::time::timeout_at(deadline, group.propose(&proposal)).await {
        Ok(Ok(outcomes)) => {
            assert_eq!(outcomes.len(), batch.len(), "one outcome a push");
            Ok(outcomes.into_iter().map(Ok).collect())
        }
        Ok(Err(error @ (ProposeError::NotLeader { .. } | ProposeError::Unavailable(_)))) => {
            Err(not_written(error.to_string()))
        }
        Ok(Err(ProposeError::Refused(message))) => Ok(vec![Ok(PushOutcome::Refused { message }); batch.len()]),
        Ok(Err(error @ ProposeError::OutcomeUnknown(_))) => Err(unknown(error.to_string())),
        Err(_) => Err(unknown(format!("not committed within {} ms", BATCH_TIMEOUT.as_millis()))),
    }
}

async fn relay(
    group: &Group,
    leader: &Leader,
    batch: &[Waiting],
    deadline: Instant,
) -> Result<Vec<Outcome>, PushRetry> {
    let time = deadline.saturating_duration_since(Instant::now());
    let pushes = batch.iter().map(|waiting| &waiting.push);
    let replaced = async {
        group.another_leads(leader.replica).await;
        tokio::time::sleep(RELAY_GRACE).await;
    };
    let relayed = tokio::select! {
        relayed = group.peer_client().relay(&leader.addr, pushes, time) => relayed,
        () = replaced => Err(PeerError::NoAnswer("it does not lead any more, and has not answered".into())),
    };
    let outcomes = match relayed {
        Ok(outcomes) => outcomes,
        Err(PeerError::NotReached(why)) => {
            return Err(not_written(format!("relay to leader {}: {why}", leader.replica)));
        }
        Err(PeerError::NoAnswer(why) | PeerError::Refused(why)) => {
            return Err(unknown(format!("relay to leader {}: {why}", leader.replica)));
        }
    };
    // It does not lead any more, and has given all of them back.
    let given_back = outcomes.iter().find_map(|outcome| outcome.as_ref().err());
    match given_back {
        Some(retry) if outcomes.iter().all(is_not_written) => Err(retry.clone()),
        _ => Ok(outcomes),
    }
}

fn is_not_written(outcome: &Outcome) -> bool {
    outcome.as_ref().is_err_and(|retry| retry.reason == RetryReason::NotWritten)
}

#[cfg(test)]
mod tests {
    use unum_proto::model::NodeDescription;

    use super::*;
    use crate::catalog::Command;

    #[tokio::test]
    async fn a_batch_of_the_largest_descriptions_is_still_one_log_entry() {
        let room = Arc::new(Semaphore::new(QUEUED_BYTES_MAX));
        let waiting = |number: usize| {
            let mut node = NodeDescription::new(NodeKey::parse("test", &format!("n{number}")).unwrap());
            node.labels = (0..limits::LABELS_MAX).map(|label| (format!("{label:0>256}"), "ü".repeat(256))).collect();
            let push = Push::new(node, 1, 1, Vec::new()).unwrap();
            let (bytes, (answer, _)) = (push_bytes(&push), oneshot::channel());
            let room = Arc::clone(&room).try_acquire_owned().unwrap();
            Waiting { push, bytes, answer, room }
        };
        let (queue, mut queued) = mpsc::channel(QUEUED_PUSHES_MAX);
        for number in 1..=BATCH_PUSHES {
            assert!(queue.try_send(waiting(number)).is_ok());
        }
        let mut first = Some(waiting(0));
        let mut decided = 0;
        while let Some(next) = first.take().or_else(|| queued.try_recv().ok()) {
            let batch = fill(next, &mut queued, &mut first);
            decided += batch.len();
            let pushes = batch.into_iter().map(|waiting| StampedPush::new(waiting.push)).collect();
            let entry = Command::Pushes { received_at_us: 0, pushes }.encode().unwrap();
            assert!(Command::decode(&entry).is_ok());
        }
        assert_eq!(decided, BATCH_PUSHES + 1);
    }
}
