//! The engine on sled 0.34.
//!
//! What was measured and why each rule stands: `docs/decisions/0002-sled.md`. In short: sled's `flush` does not
//! reach the medium on Linux, so it is followed by a `sync_data` of sled's own file; sled's background flusher is
//! off; nobody calls `flush_async`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::engine::{Engine, Error, Pairs, Tree, Write};

/// Pages that sled keeps in memory. Reads of the catalog are served from the state, not from here.
const CACHE_BYTES: u64 = 32 * 1024 * 1024;

/// How long a lock of sled's is waited for, and between two tries.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
const LOCK_POLL: Duration = Duration::from_millis(5);

/// sled's name for its one log file.
const DB_FILE: &str = "db";

/// Trees in a directory.
#[derive(Debug)]
pub struct SledEngine {
    trees: [sled::Tree; 3],
    db: sled::Db,
    /// sled's log file, opened again for [`File::sync_data`].
    file: File,
}

impl SledEngine {
    /// Opens or creates the trees in `dir`, which nobody else may use.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        std::fs::create_dir_all(dir).map_err(|e| io(dir, &e))?;
        remove_half_made_snapshots(dir)?;
        let db = open_db(dir)?;
        let tree = |name: &str| db.open_tree(name).map_err(from_sled);
        let trees = [tree("log")?, tree("catalog")?, tree("meta")?];
        let path = dir.join(DB_FILE);
        let file = File::open(&path).map_err(|e| io(&path, &e))?;
        let engine = Self { trees, db, file };
        engine.sync()?;
        // The directory's own entries: without them a new file can be gone after a loss of power.
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| io(dir, &e))?;
        Ok(engine)
    }

    fn tree(&self, tree: Tree) -> &sled::Tree {
        &self.trees[tree as usize]
    }
}

/// sled's own threads give its lock up a moment after its last handle has gone, which a restart within one process
/// can overtake. Other processes are kept away by the directory's own lock, before this.
fn open_db(dir: &Path) -> Result<sled::Db, Error> {
    let config =
        sled::Config::new().path(dir).cache_capacity(CACHE_BYTES).mode(sled::Mode::HighThroughput).flush_every_ms(None);
    let started = Instant::now();
    loop {
        match config.open() {
            Err(error) if is_locked(&error) && started.elapsed() < LOCK_PATIENCE => std::thread::sleep(LOCK_POLL),
            opened => return opened.map_err(from_sled),
        }
    }
}

/// sled has no kind of its own for this error.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(io) if io.to_string().starts_with("could not acquire lock"))
}

/// A crash while sled writes its page-table snapshot leaves a half-made one, which the next open would take for
/// the newest. The log has everything it had.
fn remove_half_made_snapshots(dir: &Path) -> Result<(), Error> {
    let half_made = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "generating");
    let entries = std::fs::read_dir(dir).map_err(|e| io(dir, &e))?;
    for path in entries.flatten().map(|entry| entry.path()).filter(half_made) {
        tracing::warn!(path = %path.display(), "removing a half-made sled snapshot");
        std::fs::remove_file(&path).map_err(|e| io(&path, &e))?;
    }
    Ok(())
}

fn io(path: &Path, error: &std::io::Error) -> Error {
    Error::Io(format!("{}: {error}", path.display()))
}

fn from_sled(error: sled::Error) -> Error {
    match error {
        sled::Error::Corruption { .. } | sled::Error::ReportableBug(_) => Error::Corrupt(error.to_string()),
        sled::Error::Unsupported(why) => Error::Refused(why),
        other => Error::Io(other.to_string()),
    }
}

impl Engine for SledEngine {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.tree(tree).get(key).map_err(from_sled)?.map(|value| value.to_vec()))
    }

    fn scan(&self, tree: Tree, from: &[u8], to: &[u8]) -> Result<Pairs, Error> {
        let pair = |pair: Result<(sled::IVec, sled::IVec), _>| pair.map(|(key, value)| (key.to_vec(), value.to_vec()));
        self.tree(tree).range(from..to).map(pair).collect::<Result<_, _>>().map_err(from_sled)
    }

    fn keys(&self, tree: Tree, from: &[u8], to: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
        let keys = self.tree(tree).range(from..to).keys().map(|key| key.map(|key| key.to_vec()));
        keys.collect::<Result<_, _>>().map_err(from_sled)
    }

    fn write(&self, tree: Tree, writes: Vec<Write>) -> Result<(), Error> {
        let mut batch = sled::Batch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.tree(tree).apply_batch(batch).map_err(from_sled)
    }

    fn sync(&self) -> Result<(), Error> {
        self.db.flush().map_err(from_sled)?;
        self.file.sync_data().map_err(|e| Error::Io(format!("sync of {DB_FILE}: {e}")))
    }
}
