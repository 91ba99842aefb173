//! What is known of the log without asking the store: its ends, its newest entries, its size.

use std::collections::BTreeMap;
use std::ops::RangeBounds;

use openraft::EntryPayload;

use super::chain;
use crate::consensus::entry::HighWater;
use crate::consensus::types::{Entry, LogId, Vote};

/// Newest entries that stay in memory: what followers that keep up, and the apply, will ask for.
const CACHE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The log's state in memory.
#[derive(Debug, Default)]
pub struct Shared {
    pub vote: Option<Vote>,
    /// The last purged entry, and the chain up to it.
    pub purged: Option<(LogId, u64)>,
    /// The last entry, which may be the last purged one, and the chain up to it.
    pub last: Option<(LogId, u64)>,
    cache: BTreeMap<u64, Cached>,
    cache_bytes: usize,
    /// By index: bytes of all entries up to that one, since the log was opened.
    sizes: BTreeMap<u64, u64>,
}

#[derive(Debug)]
struct Cached {
    entry: Entry,
    chain: u64,
}

/// What an entry costs in memory and, roughly, in the store.
pub fn entry_bytes(entry: &Entry) -> usize {
    const OVERHEAD: usize = 64;
    OVERHEAD
        + match &entry.payload {
            EntryPayload::Normal(command) => command.0.len(),
            EntryPayload::Blank | EntryPayload::Membership(_) => 0,
        }
}

impl Shared {
    /// A log with nothing after its last purged entry.
    pub fn new(vote: Option<Vote>, purged: Option<(LogId, u64)>) -> Self {
        Self { vote, purged, last: purged, ..Self::default() }
    }

    /// Whether nothing was ever written.
    pub fn is_new(&self) -> bool {
        self.vote.is_none() && self.last.is_none()
    }

    /// The index past the last entry.
    pub fn end(&self) -> u64 {
        self.last.map_or(0, |(last, _)| last.index + 1)
    }

    /// The first index that was not purged.
    pub fn start(&self) -> u64 {
        self.purged.map_or(0, |(purged, _)| purged.index + 1)
    }

    /// The chain up to the last entry.
    pub fn last_chain(&self) -> u64 {
        self.last.map_or(chain::SEED, |(_, chain)| chain)
    }

    /// What the store must at least have once all this is synced.
    pub fn high_water(&self) -> HighWater {
        HighWater { last: self.last, vote: self.vote }
    }

    /// Adds an entry at the end.
    pub fn push(&mut self, entry: Entry, chain: u64) {
        let bytes = entry_bytes(&entry);
        self.last = Some((entry.log_id, chain));
        self.sizes.insert(entry.log_id.index, self.total_bytes() + bytes as u64);
        self.cache_bytes += bytes;
        self.cache.insert(entry.log_id.index, Cached { entry, chain });
    }

    /// The cached entries in `[start, end)`; none if the first of them is not cached.
    pub fn cached(&self, start: u64, end: u64) -> Option<impl Iterator<Item = Entry> + '_> {
        (self.first_cached(end) <= start).then(|| self.cache.range(start..end).map(|(_, cached)| cached.entry.clone()))
    }

    /// The first index that is cached; `end` if none is.
    pub fn first_cached(&self, end: u64) -> u64 {
        self.cache.keys().next().copied().unwrap_or(end)
    }

    /// The chain up to an entry, if it is known without asking the store.
    pub fn chain_at(&self, index: u64) -> Option<u64> {
        let end = [self.purged, self.last].into_iter().flatten().find(|(log_id, _)| log_id.index == index);
        end.map(|(_, chain)| chain).or_else(|| self.cache.get(&index).map(|cached| cached.chain))
    }

    /// Removes entries after `last`.
    pub fn truncate(&mut self, last: Option<(LogId, u64)>) {
        let from = last.map_or(0, |(last, _)| last.index + 1);
        self.forget(from..);
        self.sizes.split_off(&from);
        self.last = last;
    }

    /// Removes entries up to `purged`, which may be past the last one.
    pub fn purge(&mut self, purged: (LogId, u64)) {
        self.forget(..=purged.0.index);
        self.sizes = self.sizes.split_off(&(purged.0.index + 1));
        self.purged = Some(purged);
        if self.last.is_none_or(|(last, _)| last < purged.0) {
            self.last = Some(purged);
        }
    }

    fn forget(&mut self, range: impl RangeBounds<u64>) {
        let indexes: Vec<u64> = self.cache.range(range).map(|(index, _)| *index).collect();
        for index in indexes {
            if let Some(cached) = self.cache.remove(&index) {
                self.cache_bytes -= entry_bytes(&cached.entry);
            }
        }
    }

    /// Drops the oldest cached entries below `written` until the bound holds.
    pub fn evict(&mut self, written: u64) {
        while self.cache_bytes > CACHE_BYTES_MAX {
            match self.cache.first_key_value() {
                Some((&index, _)) if index < written => self.forget(index..=index),
                _ => return,
            }
        }
    }

    fn total_bytes(&self) -> u64 {
        self.sizes.last_key_value().map_or(0, |(_, bytes)| *bytes)
    }

    /// Bytes of all entries that were not purged.
    pub fn bytes(&self) -> u64 {
        self.bytes_after(self.start().saturating_sub(1))
    }

    /// Bytes of the entries after `index`.
    pub fn bytes_after(&self, index: u64) -> u64 {
        let up_to = self.sizes.range(..=index).next_back().map(|(_, bytes)| *bytes);
        // Without an entry before it, all that is left is after it; the first one's own bytes do not matter.
        self.total_bytes() - up_to.or_else(|| self.sizes.first_key_value().map(|(_, bytes)| *bytes)).unwrap_or(0)
    }

    /// The index past the last entry from `start` on that still fits so many bytes; always past one.
    pub fn end_within(&self, start: u64, end: u64, bytes_max: usize) -> u64 {
        let before = self.sizes.range(..start).next_back().map_or(0, |(_, bytes)| *bytes);
        let limit = before.saturating_add(bytes_max as u64);
        let fits = self.sizes.range(start..end).take_while(|(_, bytes)| **bytes <= limit).last();
        fits.map_or(start + 1, |(index, _)| index + 1).min(end)
    }

    /// The last index that may go when at most so many bytes and entries are to stay.
    pub fn purgeable(&self, keep_bytes: u64, keep_entries: u64) -> Option<u64> {
        let total = self.total_bytes();
        let by_bytes =
            self.sizes.iter().rev().find(|(_, bytes)| total - **bytes >= keep_bytes).map(|(index, _)| *index);
        let by_entries = self.end().checked_sub(keep_entries + 1);
        by_bytes.max(by_entries).filter(|index| *index >= self.start())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consensus::entry::log_id;
    use crate::consensus::types::CommandBytes;

    #[test]
    fn what_may_go_is_bounded_by_bytes_and_by_entries() {
        let mut log = Shared::default();
        for index in 0..100 {
            let command = CommandBytes(vec![0; 936].into());
            log.push(openraft::entry::RaftEntry::new(log_id(1, index), EntryPayload::Normal(command)), index);
        }
        assert_eq!(log.bytes_after(49), 50_000);
        assert_eq!(log.purgeable(20_000, 1_000), Some(79));
        assert_eq!(log.purgeable(1_000_000, 10), Some(89));
        assert_eq!(log.purgeable(1_000_000, 1_000), None);
        log.purge((log_id(1, 79), 79));
        assert_eq!(log.purgeable(20_000, 1_000), None);
        assert_eq!((log.start(), log.end(), log.bytes_after(79)), (80, 100, 19_000));
        assert_eq!(log.chain_at(79), Some(79));
        log.truncate(Some((log_id(1, 89), 89)));
        assert_eq!((log.end(), log.last_chain(), log.chain_at(90)), (90, 89, None));
        log.purge((log_id(2, 500), 7));
        assert_eq!((log.start(), log.end(), log.bytes_after(0)), (501, 501, 0));
    }
}
