//! The memory of one query: its limit, its peak, and its end when the query is ended.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::resources_err;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{
    GreedyMemoryPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, TrackConsumersPool,
};
use tokio_util::sync::CancellationToken;

/// Consumers named in an error of a query that needs too much.
const CONSUMERS_NAMED: NonZeroUsize = NonZeroUsize::new(3).unwrap();

/// What a query's operators hold. It gives no more once the query is ended: an operator that does not yield stops
/// there.
#[derive(Debug)]
pub struct QueryMemory {
    pool: TrackConsumersPool<GreedyMemoryPool>,
    peak: AtomicUsize,
    ended: CancellationToken,
}

impl QueryMemory {
    /// At most so many bytes, and none once `ended` has fired.
    pub fn new(bytes_max: usize, ended: CancellationToken) -> Arc<Self> {
        let pool = TrackConsumersPool::new(GreedyMemoryPool::new(bytes_max), CONSUMERS_NAMED);
        Arc::new(Self { pool, peak: AtomicUsize::new(0), ended })
    }

    /// The most that was held at one time.
    pub fn peak_bytes(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// What is held now.
    pub fn bytes(&self) -> usize {
        self.pool.reserved()
    }

    fn note_peak(&self) {
        self.peak.fetch_max(self.pool.reserved(), Ordering::Relaxed);
    }
}

impl std::fmt::Display for QueryMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "memory of one query, {} bytes held", self.bytes())
    }
}

impl MemoryPool for QueryMemory {
    fn name(&self) -> &str {
        "query"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.pool.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.pool.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.pool.grow(reservation, additional);
        self.note_peak();
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.pool.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        if self.ended.is_cancelled() {
            return resources_err!("the query was ended");
        }
        self.pool.try_grow(reservation, additional)?;
        self.note_peak();
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.pool.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.pool.memory_limit()
    }
}
