//! The Raft log and the vote, on `storage`.
//!
//! An append is acknowledged after its sync. Reads come from memory: the newest entries are kept up to
//! [`CACHE_BYTES_MAX`], older ones are read back from the store. Not kept: the committed index, because the
//! catalog's own `last_applied` says as much and openraft learns the rest from the leader.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::{EntryPayload, LogState, OptionalSend, RaftLogReader};

use super::entry;
use super::types::{Entry, LogId, TypeConfig, Vote};
use crate::storage::{Batch, Store, Tree, keys};

/// Newest entries that stay in memory: what followers that keep up, and the apply, will ask for.
const CACHE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Entries that one read for replication returns. With one more entry it still fits a message.
const READ_BYTES_MAX: usize = 1024 * 1024;

/// … and their number, so that a follower far behind does not cause a scan of the whole log.
const READ_ENTRIES_MAX: u64 = 1024;

/// The log of one replica. Clones read and write the same log.
#[derive(Debug, Clone)]
pub struct LogStore {
    store: Store,
    shared: Arc<Mutex<Shared>>,
    /// The index up to which entries are in the store, plus one: only these may leave the cache.
    written: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Shared {
    vote: Option<Vote>,
    last_purged: Option<LogId>,
    last: Option<LogId>,
    cache: BTreeMap<u64, Entry>,
    cache_bytes: usize,
}

impl LogStore {
    /// Opens the log that is in the store.
    pub fn open(store: Store) -> Result<Self, crate::storage::Error> {
        let vote = store.get(Tree::Meta, keys::VOTE)?.map(|bytes| entry::decode_vote(&bytes)).transpose()?;
        let last_purged =
            store.get(Tree::Log, keys::LAST_PURGED)?.map(|bytes| entry::decode_log_id(&bytes)).transpose()?;
        let mut shared = Shared { vote, last_purged, last: last_purged, ..Shared::default() };
        let mut expected: Option<u64> = last_purged.map(|log_id| log_id.index + 1);
        for (key, bytes) in store.scan(Tree::Log, &keys::log_entry(0), &keys::log_end())? {
            let entry = entry::decode(&bytes)?;
            let index = entry.log_id.index;
            let contiguous = expected.is_none_or(|expected| expected == index);
            if keys::log_index(&key) != Some(index) || !contiguous {
                return Err(crate::storage::Error::Corrupt(format!(
                    "log entry {} holds index {index}, expected {expected:?}",
                    key.escape_ascii(),
                )));
            }
            expected = Some(index + 1);
            shared.last = Some(entry.log_id);
            shared.remember(entry);
            shared.evict(index + 1);
        }
        let written = Arc::new(AtomicU64::new(shared.last.map_or(0, |last| last.index + 1)));
        Ok(Self { store, shared: Arc::new(Mutex::new(shared)), written })
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        // Every critical section leaves the fields consistent, also when it panics.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Entries in `[start, end)`, up to `bytes_max` but at least one.
    fn read(&self, start: u64, end: u64, bytes_max: usize) -> io::Result<Vec<Entry>> {
        let cached_from = {
            let shared = self.shared();
            let end = end.min(shared.last.map_or(0, |last| last.index + 1));
            let start = start.max(shared.last_purged.map_or(0, |purged| purged.index + 1));
            if start >= end {
                return Ok(Vec::new());
            }
            let first_cached = shared.cache.keys().next().copied().unwrap_or(end);
            if first_cached <= start {
                return Ok(take_bytes(shared.cache.range(start..end).map(|(_, entry)| entry.clone()), bytes_max));
            }
            first_cached.min(end)
        };
        // What is not cached was written before it left the cache. The rest comes with the next read.
        let records = self
            .store
            .scan(Tree::Log, &keys::log_entry(start), &keys::log_entry(cached_from))
            .map_err(io::Error::other)?;
        let entries = records.into_iter().map(|(_, bytes)| entry::decode(&bytes).map_err(io::Error::other));
        let entries = take_bytes(entries.collect::<io::Result<Vec<_>>>()?.into_iter(), bytes_max);
        if bytes_max == usize::MAX && cached_from < end {
            let rest = self.read(cached_from, end, bytes_max)?;
            return Ok(entries.into_iter().chain(rest).collect());
        }
        Ok(entries)
    }
}

fn entry_bytes(entry: &Entry) -> usize {
    const OVERHEAD: usize = 64;
    OVERHEAD
        + match &entry.payload {
            EntryPayload::Normal(command) => command.0.len(),
            EntryPayload::Blank | EntryPayload::Membership(_) => 0,
        }
}

fn take_bytes(entries: impl Iterator<Item = Entry>, bytes_max: usize) -> Vec<Entry> {
    let mut bytes = 0usize;
    let mut taken = Vec::new();
    for entry in entries {
        bytes += entry_bytes(&entry);
        if bytes > bytes_max && !taken.is_empty() {
            break;
        }
        taken.push(entry);
    }
    taken
}

impl Shared {
    fn remember(&mut self, entry: Entry) {
        self.cache_bytes += entry_bytes(&entry);
        self.cache.insert(entry.log_id.index, entry);
    }

    fn forget(&mut self, range: impl RangeBounds<u64>) {
        let indexes: Vec<u64> = self.cache.range(range).map(|(index, _)| *index).collect();
        for index in indexes {
            if let Some(entry) = self.cache.remove(&index) {
                self.cache_bytes -= entry_bytes(&entry);
            }
        }
    }

    /// Drops the oldest entries below `written` until the bound holds.
    fn evict(&mut self, written: u64) {
        while self.cache_bytes > CACHE_BYTES_MAX {
            match self.cache.first_key_value() {
                Some((&index, _)) if index < written => self.forget(index..=index),
                _ => return,
            }
        }
    }
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> io::Result<Vec<Entry>> {
        let start = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&start) => start + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&end) => end + 1,
            Bound::Excluded(&end) => end,
            Bound::Unbounded => u64::MAX,
        };
        self.read(start, end, usize::MAX)
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        self.read(start, end.min(start + READ_ENTRIES_MAX), READ_BYTES_MAX)
    }

    async fn read_vote(&mut self) -> io::Result<Option<Vote>> {
        Ok(self.shared().vote)
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> io::Result<LogState<TypeConfig>> {
        let shared = self.shared();
        Ok(LogState { last_purged_log_id: shared.last_purged, last_log_id: shared.last })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        let mut batch = Batch::default();
        batch.put(keys::VOTE.to_vec(), entry::encode_vote(vote));
        self.store.write_synced(Tree::Meta, batch).await.map_err(io::Error::other)?;
        self.shared().vote = Some(*vote);
        Ok(())
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> io::Result<()>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut batch = Batch::default();
        let end = {
            let mut shared = self.shared();
            for entry in entries {
                batch.put(keys::log_entry(entry.log_id.index), entry::encode(&entry));
                shared.last = Some(entry.log_id);
                shared.remember(entry);
            }
            shared.last.map_or(0, |last| last.index + 1)
        };
        let (shared, written) = (Arc::clone(&self.shared), Arc::clone(&self.written));
        let done = Box::new(move |result: Result<(), crate::storage::Error>| {
            if result.is_ok() {
                written.store(end, Ordering::Release);
                shared.lock().unwrap_or_else(PoisonError::into_inner).evict(end);
            }
            callback.io_completed(result.map_err(io::Error::other));
        });
        self.store.submit_synced(Tree::Log, batch, done).await.map_err(io::Error::other)
    }

    async fn truncate_after(&mut self, last_log_id: Option<LogId>) -> io::Result<()> {
        let from = last_log_id.map_or(0, |log_id| log_id.index + 1);
        let mut batch = Batch::default();
        batch.remove_range(keys::log_entry(from), keys::log_end());
        {
            let mut shared = self.shared();
            shared.forget(from..);
            shared.last = shared.last.min(last_log_id);
        }
        self.store.write_synced(Tree::Log, batch).await.map_err(io::Error::other)?;
        // Only now: an append before it may have been completed, and have said more, while this one waited.
        self.written.fetch_min(from, Ordering::AcqRel);
        Ok(())
    }

    async fn purge(&mut self, log_id: LogId) -> io::Result<()> {
        let mut batch = Batch::default();
        batch.remove_range(keys::log_entry(0), keys::log_entry(log_id.index + 1));
        batch.put(keys::LAST_PURGED.to_vec(), entry::encode_log_id(&log_id));
        {
            let mut shared = self.shared();
            shared.forget(..=log_id.index);
            shared.last_purged = Some(log_id);
            shared.last = shared.last.max(Some(log_id));
        }
        self.store.write(Tree::Log, batch).await.map_err(io::Error::other)
    }
}
