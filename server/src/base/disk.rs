//! How much room the disk under the data directory has.
//!
//! A full disk is a failed write, and a failed write stops the replica. So pushes are refused while there is still a
//! reserve: for the log entries that are under way, raft snapshots, and sled's own rewriting.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::tunable::Tunable;

/// Between two looks. The reserve is larger than what can be written in between.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// A watch over one directory's file system. Clones share it.
#[derive(Debug, Clone)]
pub struct DiskSpace {
    dir: PathBuf,
    reserve_bytes: Tunable<u64>,
    free_bytes: Arc<AtomicU64>,
}

impl DiskSpace {
    /// A watch that has looked once.
    pub fn new(dir: &Path, reserve_bytes: Tunable<u64>) -> Self {
        let space = Self { dir: dir.to_owned(), reserve_bytes, free_bytes: Arc::new(AtomicU64::new(u64::MAX)) };
        space.look();
        space
    }

    /// Looks again and again, for ever.
    pub async fn watch(self) {
        let mut ticks = tokio::time::interval(LOOK_INTERVAL);
        loop {
            ticks.tick().await;
            let low_before = self.exhausted().is_some();
            self.look();
            match (low_before, self.exhausted()) {
                (false, Some(why)) => tracing::warn!(why, "pushes are refused"),
                (true, None) => tracing::info!(free_bytes = self.free_bytes(), "the disk has room again"),
                _ => {}
            }
        }
    }

    /// Bytes that an unprivileged process may still write.
    pub fn free_bytes(&self) -> u64 {
        self.free_bytes.load(Ordering::Relaxed)
    }

    /// Why no push may be taken in, when the reserve is reached.
    pub fn exhausted(&self) -> Option<String> {
        let free = self.free_bytes();
        let reserve = self.reserve_bytes.get();
        (free < reserve).then(|| {
            format!(
                "the disk under {} has {free} bytes free, less than the reserve of {reserve} bytes; \
                 make room, or lower storage.disk_reserve_bytes",
                self.dir.display(),
            )
        })
    }

    fn look(&self) {
        match free_bytes(&self.dir) {
            Ok(free) => self.free_bytes.store(free, Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, dir = %self.dir.display(), "the disk's free space is not known"),
        }
    }
}

#[cfg(unix)]
fn free_bytes(dir: &Path) -> std::io::Result<u64> {
    let stat = rustix::fs::statvfs(dir)?;
    Ok(stat.f_bavail * stat.f_frsize)
}

/// Elsewhere nothing is refused: the platform's own error comes first.
#[cfg(not(unix))]
fn free_bytes(_dir: &Path) -> std::io::Result<u64> {
    Ok(u64::MAX)
}
