//! The engine on sled 0.34.
//!
//! What was measured and why each rule stands: `docs/decisions/0002-sled.md`. In short: sled's `flush` does not
//! reach the medium on Linux, so it is followed by a `sync_data` of sled's own file; sled's background flusher is
//! off; nobody calls `flush_async`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::engine::{Engine, Error, Pairs, Tree, Write};
use super::high_water::HighWaterFile;
use crate::base::planted::{Bug, planted};

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
    high_water: HighWaterFile,
}

impl SledEngine {
    /// Opens or creates the trees under `dir`, which nobody else may use.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let sled_dir = dir.join("sled");
        std::fs::create_dir_all(&sled_dir).map_err(|e| io(&sled_dir, &e))?;
        let high_water = HighWaterFile::open(&dir.join("high-water"))?;
        remove_half_made_snapshots(&sled_dir)?;
        let (db, trees) = open_or_set_snapshots_aside(&sled_dir)?;
        let path = sled_dir.join(DB_FILE);
        let file = File::open(&path).map_err(|e| io(&path, &e))?;
        let engine = Self { trees, db, file, high_water };
        engine.sync()?;
        // The directories' own entries: without them a new file can be gone after a loss of power.
        for dir in [&sled_dir, dir] {
            File::open(dir).and_then(|open| open.sync_all()).map_err(|e| io(dir, &e))?;
        }
        Ok(engine)
    }

    fn tree(&self, tree: Tree) -> &sled::Tree {
        &self.trees[tree as usize]
    }
}

type Opened = (sled::Db, [sled::Tree; 3]);

/// sled can panic over its own page-table snapshot. The log has everything that is in it, so it is set aside and the
/// opening tried once more; what the log itself lacks is found by those who read the trees.
fn open_or_set_snapshots_aside(dir: &Path) -> Result<Opened, Error> {
    let open = || {
        std::panic::catch_unwind(|| open_db(dir))
            .unwrap_or_else(|_| Err(Error::Corrupt(format!("sled panicked while it opened {}", dir.display()))))
    };
    match open() {
        Err(Error::Corrupt(why)) if set_snapshots_aside(dir)? => {
            tracing::warn!(why, "sled did not open; its page-table snapshots are set aside, it is tried once more");
            open()
        }
        opened => opened,
    }
}

/// Whether there were any.
fn set_snapshots_aside(dir: &Path) -> Result<bool, Error> {
    let snapshots = files(dir, |name| name.starts_with("snap."))?;
    for path in &snapshots {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        std::fs::rename(path, path.with_file_name(format!("aside.{name}"))).map_err(|e| io(path, &e))?;
    }
    Ok(!snapshots.is_empty())
}

/// sled's own threads give its lock up a moment after its last handle has gone, which a restart within one process
/// can overtake. Other processes are kept away by the directory's own lock, before this.
fn open_db(dir: &Path) -> Result<Opened, Error> {
    let config =
        sled::Config::new().path(dir).cache_capacity(CACHE_BYTES).mode(sled::Mode::HighThroughput).flush_every_ms(None);
    let started = Instant::now();
    let db = loop {
        match config.open() {
            Err(error) if is_locked(&error) && started.elapsed() < LOCK_PATIENCE => std::thread::sleep(LOCK_POLL),
            opened => break opened.map_err(from_sled)?,
        }
    };
    let tree = |name: &str| db.open_tree(name).map_err(from_sled);
    let trees = [tree("log")?, tree("catalog")?, tree("meta")?];
    Ok((db, trees))
}

/// sled has no kind of its own for this error.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(io) if io.to_string().starts_with("could not acquire lock"))
}

/// A crash while sled writes its page-table snapshot leaves a half-made one, which the next open would take for
/// the newest. The log has everything it had.
fn remove_half_made_snapshots(dir: &Path) -> Result<(), Error> {
    for path in files(dir, |name| name.ends_with(".generating"))? {
        tracing::warn!(path = %path.display(), "removing a half-made sled snapshot");
        std::fs::remove_file(&path).map_err(|e| io(&path, &e))?;
    }
    Ok(())
}

fn files(dir: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, Error> {
    let entries = std::fs::read_dir(dir).map_err(|e| io(dir, &e))?;
    let paths = entries.map(|entry| Ok(entry.map_err(|e| io(dir, &e))?.path())).collect::<Result<Vec<_>, Error>>()?;
    let named = |path: &PathBuf| path.file_name().is_some_and(|name| wanted(&name.to_string_lossy()));
    Ok(paths.into_iter().filter(named).collect())
}

fn io(path: &Path, error: &std::io::Error) -> Error {
    Error::Io(format!("{}: {error}", path.display()))
}

fn from_sled(error: sled::Error) -> Error {
    match error {
        sled::Error::Corruption { .. } | sled::Error::ReportableBug(_) => Error::Corrupt(error.to_string()),
        // Every build so far has written the same: it is not another version's, it is damaged.
        sled::Error::Unsupported(why) => Error::Corrupt(format!("sled's configuration file: {why}")),
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
        if planted(Bug::AckBeforeSync) {
            return Ok(());
        }
        self.file.sync_data().map_err(|e| Error::Io(format!("sync of {DB_FILE}: {e}")))
    }

    fn high_water(&self) -> Option<Vec<u8>> {
        self.high_water.read()
    }

    fn set_high_water(&self, mark: &[u8], durable: bool) -> Result<(), Error> {
        self.high_water.write(mark, durable)
    }

    fn sync_high_water(&self) -> Result<(), Error> {
        self.high_water.sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_made_snapshot_is_removed_before_it_is_taken_for_the_newest() {
        let dir = tempfile::tempdir().unwrap();
        let write = |engine: &SledEngine, value: &[u8]| {
            engine.write(Tree::Meta, vec![(b"k".to_vec(), Some(value.to_vec()))]).unwrap();
            engine.sync().unwrap();
        };
        write(&SledEngine::open(dir.path()).unwrap(), b"kept");
        let half_made = dir.path().join("sled/snap.0000000000FFFFFF.generating");
        std::fs::write(&half_made, [0xff; 100]).unwrap();
        let engine = SledEngine::open(dir.path()).unwrap();
        assert_eq!(engine.get(Tree::Meta, b"k").unwrap().unwrap(), b"kept");
        assert!(!half_made.exists());
    }
}
