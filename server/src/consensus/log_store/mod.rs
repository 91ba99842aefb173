//! The Raft log and the vote, on `storage`.
//!
//! An append is acknowledged after its sync. Reads come from memory: the newest entries are kept up to a bound, older
//! ones are read back from the store. Not kept: the committed index, because the catalog's own `last_applied` says as
//! much and openraft learns the rest from the leader.
//!
//! What is there when it is opened is held against a chain over all entries (`chain`) and against the high-water mark
//! outside the store: sled loses records, or its end, without a word.

mod chain;
mod shared;

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::{LogState, OptionalSend, RaftLogReader};

use self::shared::{Shared, entry_bytes};
use super::entry::{self, HighWater};
use super::types::{Entry, LogId, TypeConfig, Vote};
use crate::base::planted::{Bug, planted};
use crate::storage::{Batch, Durability, Error, Pairs, Store, Tree, keys};

/// Entries that one read for replication returns. With one more entry it still fits a message.
const READ_BYTES_MAX: usize = 1024 * 1024;

/// … and their number, so that a follower far behind does not cause a scan of the whole log.
const READ_ENTRIES_MAX: u64 = 1024;

/// The log of one replica. Clones read and write the same log.
#[derive(Debug, Clone)]
pub struct LogStore {
    store: Store,
    shared: Arc<Mutex<Shared>>,
}

/// How much log there is.
#[derive(Debug, Clone)]
pub struct LogUsage(Arc<Mutex<Shared>>);

impl LogUsage {
    /// Bytes of all entries, roughly.
    pub fn bytes(&self) -> u64 {
        lock(&self.0).bytes()
    }

    /// Bytes of the entries after `index`, roughly.
    pub fn bytes_after(&self, index: u64) -> u64 {
        lock(&self.0).bytes_after(index)
    }

    /// The index past the last entry.
    pub fn end(&self) -> u64 {
        lock(&self.0).end()
    }

    /// The last index that may go when at most so many bytes and entries are to stay.
    pub fn purgeable(&self, keep_bytes: u64, keep_entries: u64) -> Option<u64> {
        lock(&self.0).purgeable(keep_bytes, keep_entries)
    }
}

/// What this replica has promised to others, or will before it answers them.
#[derive(Debug, Clone)]
pub struct StoredVote(Arc<Mutex<Shared>>);

impl StoredVote {
    /// The vote in the store. Nothing that was answered to another replica belongs to a later term: openraft answers
    /// after the vote is saved.
    pub fn vote(&self) -> Option<Vote> {
        lock(&self.0).vote
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    // Every critical section leaves the fields consistent, also when it panics.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LogStore {
    /// Opens the log that is in the store, and checks it.
    pub fn open(store: Store) -> Result<Self, Error> {
        let mark = store.high_water().map(|bytes| entry::decode_high_water(&bytes)).transpose()?;
        let marked = mark.and_then(|mark| mark.last).map(|(last, _)| last.index);
        let (shared, chain_at_mark) = read(&store, marked)?;
        match mark {
            Some(mark) => check(&shared, chain_at_mark, mark)?,
            // From the first moment on there is a mark, so that a missing one means something.
            None if shared.is_new() => store.set_high_water(&entry::encode_high_water(&HighWater::default()))?,
            None => return Err(Error::Corrupt("the high-water mark is missing beside a log that was used".into())),
        }
        Ok(Self { store, shared: Arc::new(Mutex::new(shared)) })
    }

    /// How much log there is, now and later.
    pub fn usage(&self) -> LogUsage {
        LogUsage(Arc::clone(&self.shared))
    }

    /// What is promised, now and later.
    pub fn stored_vote(&self) -> StoredVote {
        StoredVote(Arc::clone(&self.shared))
    }

    /// The last purged entry.
    pub fn purged(&self) -> Option<LogId> {
        self.shared().purged.map(|(purged, _)| purged)
    }

    /// The vote, and the chain up to the last entry.
    pub fn vote_and_chain(&self) -> (Option<Vote>, u64) {
        let shared = self.shared();
        (shared.vote, shared.last_chain())
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        lock(&self.shared)
    }

    /// Entries in `[start, end)`, up to `bytes_max` but at least one.
    fn read(&self, start: u64, end: u64, bytes_max: usize) -> io::Result<Vec<Entry>> {
        let (start, end, cached_from) = {
            let shared = self.shared();
            let (start, end) = (start.max(shared.start()), end.min(shared.end()));
            if start >= end {
                return Ok(Vec::new());
            }
            if let Some(entries) = shared.cached(start, end) {
                return Ok(take_bytes(entries, bytes_max));
            }
            let uncached_end = shared.first_cached(end).min(end);
            (start, end, shared.end_within(start, uncached_end, bytes_max))
        };
        // What is not cached was written before it left the cache. The rest comes with the next read.
        let records = match self.store.scan(Tree::Log, &keys::log_entry(start), &keys::log_entry(cached_from)) {
            Ok(records) => records,
            // A purge took the beginning away while it was read.
            Err(Error::Corrupt(_)) if self.shared().start() > start => return self.read(start, end, bytes_max),
            Err(error) => return Err(io::Error::other(error)),
        };
        let entries = records.into_iter().map(|(_, record)| decode(&record).map(|(_, entry)| entry));
        let entries = entries.collect::<Result<Vec<_>, _>>().map_err(io::Error::other)?;
        let entries = take_bytes(entries.into_iter(), bytes_max);
        if bytes_max == usize::MAX && cached_from < end {
            let rest = self.read(cached_from, end, bytes_max)?;
            return Ok(entries.into_iter().chain(rest).collect());
        }
        Ok(entries)
    }

    /// The chain up to an entry that is in the log.
    fn chain_at(&self, index: u64) -> io::Result<Option<u64>> {
        if let Some(chain) = self.shared().chain_at(index) {
            return Ok(Some(chain));
        }
        let record = self.store.get(Tree::Log, &keys::log_entry(index)).map_err(io::Error::other)?;
        let chain = record.map(|record| chain::decode(&record).map(|(chain, _)| chain)).transpose();
        chain.map_err(io::Error::other)
    }
}

fn decode(record: &[u8]) -> Result<(u64, Entry), Error> {
    let (chain, bytes) = chain::decode(record)?;
    Ok((chain, entry::decode(bytes)?))
}

/// What the store holds, and the chain up to the entry `marked`. The entries have to follow each other, and the chain.
fn read(store: &Store, marked: Option<u64>) -> Result<(Shared, Option<u64>), Error> {
    let vote = store.get(Tree::Meta, keys::VOTE)?.map(|bytes| entry::decode_vote(&bytes)).transpose()?;
    let purged = store.get(Tree::Log, keys::LAST_PURGED)?.map(|bytes| entry::decode_purged(&bytes)).transpose()?;
    let mut shared = Shared::new(vote, purged);
    let mut chain_at_mark = None;
    // In pieces, as the log may be long; what stands before its beginning or after its end shows at once.
    if !store.scan(Tree::Log, &keys::log_entry(0), &keys::log_entry(shared.start()))?.is_empty() {
        return Err(Error::Corrupt("the log has entries before its beginning".into()));
    }
    let mut piece_start = shared.start();
    loop {
        let piece_end = piece_start + READ_ENTRIES_MAX;
        let piece = store.scan(Tree::Log, &keys::log_entry(piece_start), &keys::log_entry(piece_end))?;
        let last = (piece.len() as u64) < READ_ENTRIES_MAX;
        read_piece(&mut shared, piece, marked, &mut chain_at_mark)?;
        if last {
            break;
        }
        piece_start = piece_end;
    }
    if !store.scan(Tree::Log, &keys::log_entry(shared.end()), &keys::log_end())?.is_empty() {
        return Err(Error::Corrupt(format!("log entry {} is missing and later ones are there", shared.end())));
    }
    Ok((shared, chain_at_mark))
}

fn read_piece(
    shared: &mut Shared,
    piece: Pairs,
    marked: Option<u64>,
    chain_at_mark: &mut Option<u64>,
) -> Result<(), Error> {
    for (key, record) in piece {
        let (chain, bytes) = chain::decode(&record)?;
        let entry = entry::decode(bytes)?;
        let (index, expected) = (entry.log_id.index, shared.end());
        if keys::log_index(&key) != Some(index) || index != expected {
            return Err(Error::Corrupt(format!("log entry {expected} is missing: the next one has index {index}")));
        }
        if chain != chain::link(shared.last_chain(), bytes) {
            return Err(Error::Corrupt(format!("log entry {index} does not follow the one before it")));
        }
        shared.push(entry, chain);
        shared.evict(index + 1);
        if marked == Some(index) {
            *chain_at_mark = Some(chain);
        }
    }
    Ok(())
}

/// Holds what was read against the high-water mark.
fn check(shared: &Shared, chain_at_mark: Option<u64>, mark: HighWater) -> Result<(), Error> {
    if let Some((last, chain)) = mark.last {
        if last.index >= shared.end() {
            return Err(Error::Corrupt(format!(
                "the log ends before entry {}, and was synced up to entry {}",
                shared.end(),
                last.index,
            )));
        }
        if last.index >= shared.start() && chain_at_mark != Some(chain) {
            return Err(Error::Corrupt(format!("log entry {} is not the one that was synced", last.index)));
        }
    }
    if shared.vote < mark.vote {
        return Err(Error::Corrupt("the vote is older than the one that was synced".into()));
    }
    Ok(())
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
        let log_id = |end: Option<(LogId, u64)>| end.map(|(log_id, _)| log_id);
        Ok(LogState { last_purged_log_id: log_id(shared.purged), last_log_id: log_id(shared.last) })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        let mut batch = Batch::default();
        batch.put(keys::VOTE.to_vec(), entry::encode_vote(vote));
        let mark = HighWater { vote: Some(*vote), ..self.shared().high_water() };
        if planted(Bug::ForgetVote) {
            self.shared().vote = Some(*vote);
            return Ok(());
        }
        let durability = Durability::Raising(entry::encode_high_water(&mark));
        self.store.write_synced(Tree::Meta, batch, durability).await.map_err(io::Error::other)?;
        self.shared().vote = Some(*vote);
        Ok(())
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> io::Result<()>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut batch = Batch::default();
        let (end, mark) = {
            let mut shared = self.shared();
            for entry in entries {
                let bytes = entry::encode(&entry);
                let chain = chain::link(shared.last_chain(), &bytes);
                batch.put(keys::log_entry(entry.log_id.index), chain::encode(chain, &bytes));
                shared.push(entry, chain);
            }
            (shared.end(), shared.high_water())
        };
        let shared = Arc::clone(&self.shared);
        let done = Box::new(move |result: Result<(), Error>| {
            // Only what is in the store may leave the cache.
            if result.is_ok() {
                lock(&shared).evict(end);
            }
            callback.io_completed(result.map_err(io::Error::other));
        });
        let durability = Durability::Raising(entry::encode_high_water(&mark));
        self.store.submit(Tree::Log, batch, durability, done).await.map_err(io::Error::other)
    }

    async fn truncate_after(&mut self, last_log_id: Option<LogId>) -> io::Result<()> {
        let from = last_log_id.map_or(0, |log_id| log_id.index + 1);
        if from >= self.shared().end() {
            return Ok(());
        }
        let mut batch = Batch::default();
        batch.remove_range(keys::log_entry(from), keys::log_end());
        let last = match last_log_id {
            None => None,
            Some(log_id) => Some((log_id, self.chain_at(log_id.index)?.ok_or_else(|| missing(log_id.index))?)),
        };
        let mark = {
            let mut shared = self.shared();
            shared.truncate(last);
            shared.high_water()
        };
        let durability = Durability::Lowering(entry::encode_high_water(&mark));
        self.store.write_synced(Tree::Log, batch, durability).await.map_err(io::Error::other)
    }

    async fn purge(&mut self, log_id: LogId) -> io::Result<()> {
        // A raft snapshot takes the place of entries that this replica never had.
        let chain = self.chain_at(log_id.index)?.unwrap_or_else(|| chain::anew(&log_id));
        let mut batch = Batch::default();
        batch.remove_range(keys::log_entry(0), keys::log_entry(log_id.index + 1));
        if !planted(Bug::LoseLastPurged) {
            batch.put(keys::LAST_PURGED.to_vec(), entry::encode_purged(&log_id, chain));
        }
        self.shared().purge((log_id, chain));
        self.store.write(Tree::Log, batch).await.map_err(io::Error::other)
    }
}

fn missing(index: u64) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("log entry {index} is not in the log"))
}
