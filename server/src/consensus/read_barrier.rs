//! The read barrier: many queries, one ReadIndex round.
//!
//! At most one round is in flight on a replica. A query joins the round that *starts after* it arrives, never one
//! already sent: the index of an older round may be older than a write that was acknowledged before the query came.
//! That is the whole protocol, and it is kept by one loop: take all that wait, run a round, answer them, repeat.
//!
//! Every retry is a fresh round under a fresh id. A round ends early when the leader or term changes, and its late
//! reply goes nowhere: the future that waited for it is gone.
//!
//! Under load a round waits a moment for company before it starts: that only makes it start later.
//!
//! It does not wait until the index is applied: each query does that by itself, with its own deadline.

use std::future::Future;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};
use unum_proto::model::ReplicaId;

use super::error::BarrierError;
use crate::base::planted::{Bug, planted};

/// Queries that may wait for the next round. A round takes about a millisecond, so this many never wait in health.
const WAITING_MAX: usize = 4096;

/// How long one round may take before the next is tried: a leader that was cut off, or is paused, does not answer.
const ROUND_TIMEOUT: Duration = Duration::from_millis(1000);

/// Pause after a failed round, so that a group without a leader is not asked in a busy loop.
const RETRY_PAUSE: Duration = Duration::from_millis(10);

/// After a round that so many queries shared, the next one waits for company …
const CROWD: usize = 8;

/// … so long. A round costs every replica some time of its CPUs, and on a busy one a query waits longer for these.
const COMPANY_WAIT: Duration = Duration::from_millis(1);

/// What a failed round says.
pub type RoundError = String;

/// Asks the leader, whoever that is now, for the index that a read must have applied.
pub trait RoundSource: Send + 'static {
    /// One round under a fresh id. Dropping the future abandons the round.
    fn round(&mut self, id: u64) -> impl Future<Output = Result<u64, RoundError>> + Send;
}

/// A round that the leader answered.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// When it was sent: everything acknowledged before is at or below the index.
    pub started: Instant,
    /// What a read has to have applied.
    pub index: u64,
}

type Waiter = oneshot::Sender<Result<u64, RoundError>>;

/// The handle of a replica's barrier.
#[derive(Debug, Clone)]
pub struct ReadBarrier {
    replica: ReplicaId,
    arrivals: mpsc::Sender<Waiter>,
    last_round: watch::Receiver<Option<Round>>,
}

impl ReadBarrier {
    /// A barrier, and the loop that has to be run for it.
    pub fn new(replica: ReplicaId, source: impl RoundSource) -> (Self, impl Future<Output = ()> + Send) {
        let (arrivals, waiting) = mpsc::channel(WAITING_MAX);
        let (answered, last_round) = watch::channel(None);
        (Self { replica, arrivals, last_round }, run(source, waiting, answered))
    }

    /// The newest round that was answered.
    pub fn last_round(&self) -> Option<Round> {
        *self.last_round.borrow()
    }

    /// The index that a linearizable read beginning now must have applied.
    pub async fn read_index(&self, deadline: Instant) -> Result<u64, BarrierError> {
        if planted(Bug::ReuseRound)
            && let Some(round) = self.last_round()
        {
            return Ok(round.index);
        }
        let started = Instant::now();
        let mut last = "no round was answered".to_owned();
        loop {
            let (waiter, answer) = oneshot::channel();
            match self.arrivals.try_send(waiter) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(_)) => {
                    return Err(BarrierError::Overloaded { replica: self.replica, limit: WAITING_MAX });
                }
                Err(mpsc::error::TrySendError::Closed(_)) => {
                    return Err(BarrierError::Stopping { replica: self.replica });
                }
            }
            match timeout_at(deadline, answer).await {
                Ok(Ok(Ok(index))) => return Ok(index),
                Ok(Ok(Err(why))) => last = why,
                Ok(Err(_)) => return Err(BarrierError::Stopping { replica: self.replica }),
                Err(_) => {
                    return Err(BarrierError::NoQuorum { replica: self.replica, waited: started.elapsed(), last });
                }
            }
        }
    }
}

async fn run(
    mut source: impl RoundSource,
    mut waiting: mpsc::Receiver<Waiter>,
    answered: watch::Sender<Option<Round>>,
) {
    let mut joined = Vec::new();
    let mut id = 0;
    let mut crowded = false;
    while waiting.recv_many(&mut joined, WAITING_MAX).await > 0 {
        if crowded {
            // The replica is busy: the queries that come meanwhile would make a round of their own.
            tokio::time::sleep(COMPANY_WAIT).await;
            while joined.len() < WAITING_MAX
                && let Ok(waiter) = waiting.try_recv()
            {
                joined.push(waiter);
            }
        }
        crowded = joined.len() >= CROWD;
        id += 1;
        metrics::counter!("unum_read_rounds_total").increment(1);
        metrics::counter!("unum_read_barriers_total").increment(joined.len() as u64);
        let started = Instant::now();
        let result = match tokio::time::timeout(ROUND_TIMEOUT, source.round(id)).await {
            Ok(result) => result,
            Err(_) => Err(format!("the leader did not answer within {} ms", ROUND_TIMEOUT.as_millis())),
        };
        if let Ok(index) = &result {
            answered.send_replace(Some(Round { started, index: *index }));
        }
        let failed = result.is_err();
        for waiter in joined.drain(..) {
            // A query that has given up needs no answer.
            let _ = waiter.send(result.clone());
        }
        if failed {
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    /// A leader whose commit index is `committed`, and who answers when the test lets it. As a real one it reads
    /// the index when the round starts.
    struct Leader {
        committed: Arc<AtomicU64>,
        replies: Arc<Semaphore>,
        rounds: Arc<AtomicU64>,
    }

    impl RoundSource for Leader {
        async fn round(&mut self, id: u64) -> Result<u64, RoundError> {
            let index = self.committed.load(Ordering::SeqCst);
            self.rounds.store(id, Ordering::SeqCst);
            self.replies.acquire().await.map_err(|e| e.to_string())?.forget();
            Ok(index)
        }
    }

    struct Test {
        barrier: ReadBarrier,
        committed: Arc<AtomicU64>,
        replies: Arc<Semaphore>,
        rounds: Arc<AtomicU64>,
    }

    fn start() -> Test {
        let (committed, rounds) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let replies = Arc::new(Semaphore::new(0));
        let leader =
            Leader { committed: Arc::clone(&committed), replies: Arc::clone(&replies), rounds: Arc::clone(&rounds) };
        let (barrier, run) = ReadBarrier::new(1.into(), leader);
        tokio::spawn(run);
        Test { barrier, committed, replies, rounds }
    }

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn a_query_never_joins_a_round_that_started_before_it() {
        let test = start();
        let barrier = test.barrier.clone();
        let first = tokio::spawn(async move { barrier.read_index(far()).await.unwrap() });
        while test.rounds.load(Ordering::SeqCst) < 1 {
            tokio::task::yield_now().await;
        }
        // The first round has read its index. A write is acknowledged; then a query arrives.
        test.committed.store(7, Ordering::SeqCst);
        let barrier = test.barrier.clone();
        let second = tokio::spawn(async move { barrier.read_index(far()).await.unwrap() });
        tokio::task::yield_now().await;
        test.replies.add_permits(2);
        assert_eq!(first.await.unwrap(), 0);
        assert_eq!(second.await.unwrap(), 7);
    }

    #[tokio::test]
    async fn queries_that_wait_share_one_round() {
        let test = start();
        let read = || {
            let barrier = test.barrier.clone();
            tokio::spawn(async move { barrier.read_index(far()).await.unwrap() })
        };
        let mut queries = vec![read()];
        while test.rounds.load(Ordering::SeqCst) < 1 {
            tokio::task::yield_now().await;
        }
        queries.extend((0..500).map(|_| read()));
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        test.replies.add_permits(2);
        for query in queries {
            query.await.unwrap();
        }
        assert_eq!(test.rounds.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_leader_that_never_answers_costs_the_deadline_and_gives_no_index() {
        let test = start();
        let deadline = Instant::now() + 5 * ROUND_TIMEOUT / 2;
        let error = test.barrier.read_index(deadline).await.unwrap_err();
        assert!(matches!(error, BarrierError::NoQuorum { replica, .. } if u64::from(replica) == 1), "{error}");
        assert!(test.rounds.load(Ordering::SeqCst) > 2, "every retry is a fresh round");
    }
}
