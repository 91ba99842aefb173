//! The writer thread, which makes group commits, and the handle to it.
//!
//! One thread makes all writes in the order they were asked for. It takes what has queued up, writes it, syncs
//! once if anybody asked for it, then answers all: a group commit. The first failure is the last write: what the disk holds is
//! not known any more, so every later write gets the same error and the replica stops.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::engine::{Engine, Error, Pairs, Tree};
use super::{Batch, record};

/// Writes that wait for the thread. Raft has a few appends and applies in flight; more means that the disk is
/// slower than the callers, who then wait.
const QUEUED_WRITES_MAX: usize = 256;

/// Writes that share one sync.
const WRITES_PER_SYNC_MAX: usize = 64;

/// A round of writes that takes longer is told in the log. Stalls of less are no news.
const SLOW_ROUND: Duration = Duration::from_millis(500);

/// Called on the writer thread when the write is as durable as was asked; must be quick.
type Done = Box<dyn FnOnce(Result<(), Error>) + Send>;

struct Job {
    tree: Tree,
    batch: Batch,
    durability: Durability,
    done: Done,
}

/// What a write waits for, and what is said about it outside the store.
#[derive(Debug)]
pub enum Durability {
    /// Nothing: it is durable with the next write that is synced.
    Later,
    /// It is on the medium.
    Synced,
    /// It is on the medium; then the high-water mark is raised to this.
    Raising(Vec<u8>),
    /// The high-water mark is lowered to this, on the medium, before the write takes something away.
    Lowering(Vec<u8>),
}

/// A handle to an engine and its writer thread, which ends with the last handle.
#[derive(Debug, Clone)]
pub struct Store {
    engine: Arc<dyn Engine>,
    writer: Arc<Writer>,
}

#[derive(Debug)]
struct Writer {
    // Dropped before the thread is joined.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        // The last handle can be dropped by a completion, on the thread itself.
        if let Some(thread) = self.thread.take().filter(|t| t.thread().id() != std::thread::current().id())
            && thread.join().is_err()
        {
            tracing::error!("the storage writer panicked");
        }
    }
}

impl Store {
    /// Starts the writer thread of an engine.
    pub fn start(engine: Arc<dyn Engine>) -> Result<Self, Error> {
        let (jobs, receiver) = mpsc::channel(QUEUED_WRITES_MAX);
        let owned = Arc::clone(&engine);
        let thread = std::thread::Builder::new()
            .name("unum-storage".into())
            .spawn(move || run(owned.as_ref(), receiver))
            .map_err(|e| Error::Io(format!("cannot start the storage thread: {e}")))?;
        Ok(Self { engine, writer: Arc::new(Writer { jobs: Some(jobs), thread: Some(thread) }) })
    }

    /// Queues a write that needs no sync of its own; it is durable with the next one that does.
    pub async fn write(&self, tree: Tree, batch: Batch) -> Result<(), Error> {
        self.submit(tree, batch, Durability::Later, Box::new(log_failure)).await
    }

    /// Writes and returns when the write is durable.
    pub async fn write_synced(&self, tree: Tree, batch: Batch, durability: Durability) -> Result<(), Error> {
        let (done, answer) = oneshot::channel();
        let done: Done = Box::new(move |result| {
            // A caller that has gone away needs no answer.
            let _ = done.send(result);
        });
        self.submit(tree, batch, durability, done).await?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Queues a write and calls `done` from the writer thread when it is durable.
    pub async fn submit(&self, tree: Tree, batch: Batch, durability: Durability, done: Done) -> Result<(), Error> {
        let jobs = self.writer.jobs.as_ref().ok_or_else(stopped)?;
        jobs.send(Job { tree, batch, durability, done }).await.map_err(|_| stopped())
    }

    /// Everything that was written before is on the medium, the high-water mark too.
    pub async fn close(&self) -> Result<(), Error> {
        self.write_synced(Tree::Meta, Batch::default(), Durability::Synced).await?;
        self.engine.sync_high_water()
    }

    /// Writes a high-water mark, on the medium when it returns.
    pub fn set_high_water(&self, mark: &[u8]) -> Result<(), Error> {
        self.engine.set_high_water(mark, true)
    }

    /// The high-water mark, if one was ever written.
    pub fn high_water(&self) -> Option<Vec<u8>> {
        self.engine.high_water()
    }

    /// Whether no tree holds anything.
    pub fn is_empty(&self) -> Result<bool, Error> {
        for tree in [Tree::Log, Tree::Catalog, Tree::Meta] {
            if !self.engine.keys(tree, &[], &[u8::MAX])?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The record of a key. Sees every write whose completion was seen.
    pub fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let parts = self.engine.scan(tree, &record::part_key(key, 0), &record::end_key(key))?;
        Ok(record::join(parts)?.pop().map(|(_, value)| value))
    }

    /// The records with keys in `[from, to)`, in order.
    pub fn scan(&self, tree: Tree, from: &[u8], to: &[u8]) -> Result<Pairs, Error> {
        record::join(self.engine.scan(tree, from, to)?)
    }
}

fn stopped() -> Error {
    Error::Io("the storage writer has stopped".into())
}

fn log_failure(result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::error!(%error, "a write failed");
    }
}

fn run(engine: &dyn Engine, mut jobs: mpsc::Receiver<Job>) {
    let mut failed: Option<Error> = None;
    let mut pending = Vec::with_capacity(WRITES_PER_SYNC_MAX);
    while jobs.blocking_recv_many(&mut pending, WRITES_PER_SYNC_MAX) > 0 {
        let mut completions = Vec::with_capacity(pending.len());
        let mut round = Round { engine, unsynced: false, mark: None };
        let started = Instant::now();
        for Job { tree, batch, durability, done } in pending.drain(..) {
            if failed.is_none() {
                failed = round.write(tree, batch, durability).err();
            }
            completions.push(done);
        }
        let written = Instant::now();
        if failed.is_none() {
            failed = round.finish().err();
        }
        match &failed {
            None => measure(written - started, written.elapsed(), completions.len()),
            Some(error) => tracing::error!(%error, "storage has failed; no further write is tried"),
        }
        for done in completions {
            done(failed.clone().map_or(Ok(()), Err));
        }
    }
}

/// What a round of writes took, and a word in the log when everybody waits for it.
fn measure(write: Duration, sync: Duration, writes: usize) {
    metrics::histogram!("unum_storage_write_seconds").record(write);
    metrics::histogram!("unum_storage_sync_seconds").record(sync);
    if write + sync >= SLOW_ROUND {
        let (write_ms, sync_ms) = (write.as_millis() as u64, sync.as_millis() as u64);
        tracing::warn!(write_ms, sync_ms, writes, "storage is slow: everything written waits for it");
    }
}

/// Writes that share one sync.
struct Round<'a> {
    engine: &'a dyn Engine,
    unsynced: bool,
    mark: Option<Vec<u8>>,
}

impl Round<'_> {
    fn write(&mut self, tree: Tree, batch: Batch, durability: Durability) -> Result<(), Error> {
        match durability {
            Durability::Later => {}
            Durability::Synced => self.unsynced = true,
            Durability::Raising(mark) => {
                self.unsynced = true;
                self.mark = Some(mark);
            }
            Durability::Lowering(mark) => {
                // It must not speak of what is not on the medium yet.
                self.engine.sync()?;
                self.engine.set_high_water(&mark, true)?;
                self.unsynced = true;
                self.mark = None;
            }
        }
        let writes = batch.resolve(self.engine, tree)?;
        if writes.is_empty() {
            return Ok(());
        }
        self.engine.write(tree, writes)
    }

    fn finish(&mut self) -> Result<(), Error> {
        if self.unsynced {
            self.engine.sync()?;
        }
        match &self.mark {
            Some(mark) => self.engine.set_high_water(mark, false),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::storage::{MemoryEngine, SledEngine};

    #[derive(Debug, Clone)]
    enum Step {
        Put(u8, usize),
        RemoveRange(u8, u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
        let step = prop_oneof![
            3 => (0..8u8, prop_oneof![Just(0usize), Just(10), Just(7_000), Just(20_000)]).prop_map(|(k, l)| Step::Put(k, l)),
            1 => (0..8u8, 0..9u8).prop_map(|(a, b)| Step::RemoveRange(a.min(b), a.max(b))),
        ];
        proptest::collection::vec(proptest::collection::vec(step, 1..5), 1..12)
    }

    /// Some begin with all of another: `writer_1` and `writer_13` are two nodes.
    const KEYS: [&[u8]; 8] = [b"k", b"k ", b"k0", b"k1", b"k10", b"k13", b"k1~", b"l"];

    fn key(k: u8) -> Vec<u8> {
        KEYS.get(usize::from(k)).map_or_else(|| b"m".to_vec(), |key| key.to_vec())
    }

    /// Runs the same steps on the engine and on a plain map, and compares what each holds.
    async fn check(engine: Arc<dyn Engine>, steps: &[Vec<Step>]) {
        let store = Store::start(engine).unwrap();
        let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for (round, steps) in steps.iter().enumerate() {
            let mut batch = Batch::default();
            for step in steps {
                match *step {
                    Step::Put(k, length) => {
                        batch.put(key(k), vec![round as u8; length]);
                        model.insert(key(k), vec![round as u8; length]);
                    }
                    Step::RemoveRange(from, to) => {
                        batch.remove_range(key(from), key(to));
                        model.retain(|k, _| !(key(from)..key(to)).contains(k));
                    }
                }
            }
            store.write_synced(Tree::Catalog, batch, Durability::Synced).await.unwrap();
        }
        let all = store.scan(Tree::Catalog, b"k", b"m").unwrap();
        assert_eq!(all, model.clone().into_iter().collect::<Vec<_>>());
        for k in 0..8 {
            assert_eq!(store.get(Tree::Catalog, &key(k)).unwrap(), model.get(&key(k)).cloned());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn every_engine_is_an_ordered_map(steps in steps()) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(check(Arc::new(MemoryEngine::default()), &steps));
            let dir = tempfile::tempdir().unwrap();
            runtime.block_on(check(Arc::new(SledEngine::open(dir.path()).unwrap()), &steps));
        }
    }

    #[tokio::test]
    async fn sled_opens_again_with_what_was_synced() {
        let dir = tempfile::tempdir().unwrap();
        // Often enough to meet the moment in which sled still holds its lock.
        for round in 0..40u8 {
            let store = Store::start(Arc::new(SledEngine::open(dir.path()).unwrap())).unwrap();
            let before = round.checked_sub(1).map(|r| vec![r; 9_000]);
            assert_eq!(store.get(Tree::Meta, b"x").unwrap(), before);
            let mut batch = Batch::default();
            batch.put(b"x".to_vec(), vec![round; 9_000]);
            store.write_synced(Tree::Meta, batch, Durability::Synced).await.unwrap();
        }
    }
}
