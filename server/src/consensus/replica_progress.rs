//! How far each replica is, and whether all have the same state.
//!
//! Every follower tells the leader now and then which revision it has and the hash of its state there. The leader
//! remembers the hash of each of its own recent revisions: a follower with another hash at the same revision is wrong,
//! or the leader is, and the follower must not go on. The leader's answer has the reports of all, so that every replica
//! can show them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use unum_proto::model::ReplicaId;

/// The leader's own revisions that reports are held against: some seconds of the fastest log.
const REMEMBERED_MAX: usize = 16 * 1024;

/// How far one replica is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The replica.
    pub replica: ReplicaId,
    /// The last entry of its log.
    pub last_log: u64,
    /// The last entry it applied.
    pub revision: u64,
    /// The hash of its state there.
    pub state_hash: u64,
    /// The newest membership that it saw itself in, by its log index; none if it never did.
    pub member_at: Option<u64>,
}

/// What one replica knows of all. Reports are as old as the interval between them.
#[derive(Debug, Default)]
pub struct ProgressTable {
    reports: Mutex<BTreeMap<ReplicaId, Progress>>,
    hashes: Mutex<VecDeque<(u64, u64)>>,
}

impl ProgressTable {
    /// This replica's state has that hash at that revision.
    pub fn remember(&self, revision: u64, state_hash: u64) {
        let mut hashes = lock(&self.hashes);
        if hashes.len() == REMEMBERED_MAX {
            hashes.pop_front();
        }
        // A raft snapshot may lead to a revision that was there before the restart of this list: order is kept.
        if hashes.back().is_none_or(|(last, _)| *last < revision) {
            hashes.push_back((revision, state_hash));
        }
    }

    /// Takes a report in. An error says how the state differs from this replica's own.
    pub fn report(&self, progress: Progress) -> Result<(), String> {
        lock(&self.reports).insert(progress.replica, progress);
        let hashes = lock(&self.hashes);
        let Ok(position) = hashes.binary_search_by_key(&progress.revision, |(revision, _)| *revision) else {
            return Ok(());
        };
        let (revision, own) = hashes[position];
        if own == progress.state_hash {
            return Ok(());
        }
        Err(format!(
            "replica {} has the state hash {:016x} at revision {revision}, and the leader has {own:016x}",
            progress.replica, progress.state_hash,
        ))
    }

    /// Takes over what the leader knows of all.
    pub fn replace(&self, all: Vec<Progress>) {
        *lock(&self.reports) = all.into_iter().map(|progress| (progress.replica, progress)).collect();
    }

    /// The newest report of each replica.
    pub fn all(&self) -> Vec<Progress> {
        lock(&self.reports).values().copied().collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every critical section is one insertion: a panic leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_hash_at_the_same_revision_is_told() {
        let table = ProgressTable::default();
        for revision in [3, 4, 9] {
            table.remember(revision, 100 + revision);
        }
        let report = |revision, state_hash| {
            table.report(Progress { replica: 2.into(), last_log: 9, revision, state_hash, member_at: None })
        };
        assert_eq!(report(4, 104), Ok(()));
        assert_eq!(report(5, 1), Ok(()), "a revision that is not known here says nothing");
        assert!(report(9, 104).unwrap_err().contains("replica 2 has the state hash 0000000000000068 at revision 9"));
        assert_eq!(table.all().len(), 1);
    }
}
