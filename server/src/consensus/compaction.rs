//! When a raft snapshot is built, and how much log stays behind it.
//!
//! Both are bounded by bytes and by entries: an entry can be some bytes or half a megabyte. openraft's own policies
//! count entries only, so they are off, and this loop asks for both.

use std::time::Duration;

use openraft::async_runtime::WatchReceiver;

use super::log_store::LogUsage;
use super::raft_snapshot::Newest;
use super::state_machine::Raft;
use crate::base::tunable::Tunable;

/// Between two looks. At 64 KiB an entry and a thousand entries a second this is a small part of the bounds.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// A catalog of size is not written whole for every few megabytes of log: the log may be this many raft snapshots long.
const SNAPSHOTS_OF_LOG: u64 = 4;

/// Entries that are purged at a time. Removing one takes the store up to a millisecond, and every push waits for the store.
const PURGE_ENTRIES_MAX: u64 = 16;

/// Between two such steps: more than any load adds.
const PURGE_PAUSE: Duration = Duration::from_millis(10);

/// The bounds.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// A raft snapshot is built after so many entries …
    pub snapshot_entries: u64,
    /// … or so many bytes of entries.
    pub snapshot_bytes: u64,
    /// Entries that stay in the log behind it, for followers that are a little late …
    pub kept_entries: u64,
    /// … and their bytes.
    pub kept_bytes: u64,
}

/// Runs until Raft has stopped.
pub async fn run(raft: Raft, log: LogUsage, newest: Newest, bounds: Tunable<Bounds>) {
    let mut pause = Duration::ZERO;
    // Once for each index: building takes a while, and asking again builds again.
    let mut asked = None;
    loop {
        tokio::time::sleep(pause).await;
        pause = LOOK_INTERVAL;
        let bounds = bounds.get();
        let (applied, snapshot, purged) = {
            let metrics = raft.metrics();
            let metrics = metrics.borrow_watched();
            let index = |log_id: Option<super::types::LogId>| log_id.map(|log_id| log_id.index);
            (index(metrics.last_applied), index(metrics.snapshot), index(metrics.purged))
        };
        let Some(applied) = applied else { continue };
        let last = snapshot.max(asked);
        let bytes = log.bytes_after(last.unwrap_or(0));
        let entries = applied.saturating_sub(last.unwrap_or(0));
        let encoded =
            newest.lock().unwrap_or_else(std::sync::PoisonError::into_inner).as_ref().map_or(0, |s| s.bytes.len());
        let bytes_due = bounds.snapshot_bytes.max(SNAPSHOTS_OF_LOG * encoded as u64);
        // A log that does not begin at its beginning needs one for whoever is behind it, after a restart too.
        let missing = last.is_none() && purged.is_some();
        let due = missing || entries >= bounds.snapshot_entries || bytes >= bytes_due;
        if due && last != Some(applied) {
            asked = Some(applied);
            metrics::counter!("unum_raft_snapshots_asked_total").increment(1);
            if raft.trigger().snapshot().await.is_err() {
                return;
            }
        }
        let purgeable = log.purgeable(bounds.kept_bytes, bounds.kept_entries);
        if let Some(upto) = purgeable.min(snapshot).filter(|upto| purged.is_none_or(|purged| *upto > purged)) {
            let step = upto.min(purged.map_or(0, |purged| purged + 1) + PURGE_ENTRIES_MAX - 1);
            if step < upto {
                pause = PURGE_PAUSE;
            }
            if raft.trigger().purge_log(step).await.is_err() {
                return;
            }
        }
    }
}
