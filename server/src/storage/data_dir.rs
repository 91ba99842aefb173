//! A replica's directory: its lock, its format version, whose it is.
//!
//! `<dir>/LOCK` is held by the running process. `<dir>/sled/` is sled's, `<dir>/high-water` the mark beside it. The
//! identity is written once: a directory of another cluster or replica is refused, as is a format that this build does
//! not know.

use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use unum_proto::model::ReplicaId;

use super::engine::{Engine, Error, Tree};
use super::{Batch, Durability, SledEngine, Store, keys, record};

/// The version of everything under the directory. One of an older version is taken over.
const FORMAT_VERSION: u32 = 2;

/// A data directory: drawn once, so that it is told from another one that the same replica had before it was wiped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoreId(NonZeroU64);

impl StoreId {
    fn draw() -> Self {
        Self(rand::random())
    }

    /// As records and messages have it; none for 0, which stands for a directory that is not known.
    pub fn from_u64(id: u64) -> Option<Self> {
        NonZeroU64::new(id).map(Self)
    }

    /// As records and messages have it.
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

/// Whose directory it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The cluster: a hash of its first membership and name.
    pub cluster_id: u64,
    /// The replica.
    pub replica: ReplicaId,
    /// This directory.
    pub store_id: StoreId,
}

/// An open, locked directory.
#[derive(Debug)]
pub struct DataDir {
    /// Where the records are.
    pub store: Store,
    path: PathBuf,
    identity: Option<Identity>,
    /// Held until the directory is closed.
    _lock: File,
}

impl DataDir {
    /// Opens the directory, or makes it if it is missing.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        std::fs::create_dir_all(path)
            .map_err(|e| Error::Refused(format!("cannot create the data directory {}: {e}", path.display())))?;
        let lock = lock(path)?;
        let opened = path.to_owned();
        let engine: Arc<dyn Engine> = Arc::new(
            tokio::task::spawn_blocking(move || SledEngine::open(&opened))
                .await
                .map_err(|e| Error::Corrupt(format!("{}: sled does not open: {e}", path.display())))??,
        );
        let store = Store::start(engine)?;
        let identity = read_identity(&store, path)?;
        Ok(Self { store, path: path.to_owned(), identity, _lock: lock })
    }

    /// Whose directory it is; none if it is new.
    pub fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// Checks that the directory is this replica's of this cluster, or makes it so if it is new.
    pub async fn claim(&mut self, cluster_id: u64, replica: ReplicaId) -> Result<Identity, Error> {
        let Some(found) = self.identity else {
            let identity = Identity { cluster_id, replica, store_id: StoreId::draw() };
            let mut batch = Batch::default();
            batch.put(keys::FORMAT.to_vec(), FORMAT_VERSION.to_le_bytes().to_vec());
            batch.put(keys::IDENTITY.to_vec(), encode_identity(identity));
            self.store.write_synced(Tree::Meta, batch, Durability::Synced).await?;
            self.identity = Some(identity);
            return Ok(identity);
        };
        if found.cluster_id != cluster_id {
            return Err(refused(
                &self.path,
                format!(
                    "it belongs to cluster {:016x}, and the cluster named is {cluster_id:016x}; \
                     start it with the --initial-cluster and --cluster-name of its first start, \
                     or choose another --data-dir",
                    found.cluster_id,
                ),
            ));
        }
        if found.replica != replica {
            return Err(refused(
                &self.path,
                format!(
                    "it belongs to replica {} and was started with --id {replica}; \
                     use --id {0} or choose another --data-dir",
                    found.replica,
                ),
            ));
        }
        // From here on an older version does not start on what it would not understand.
        let mut batch = Batch::default();
        batch.put(keys::FORMAT.to_vec(), FORMAT_VERSION.to_le_bytes().to_vec());
        self.store.write_synced(Tree::Meta, batch, Durability::Synced).await?;
        Ok(found)
    }

    /// Makes all that was written durable and gives the directory up.
    pub async fn close(self) -> Result<(), Error> {
        self.store.close().await
    }
}

fn refused(path: &Path, why: String) -> Error {
    Error::Refused(format!("cannot use the data directory {}: {why}", path.display()))
}

fn lock(path: &Path) -> Result<File, Error> {
    let refused = |why: String| refused(path, why);
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path.join("LOCK"))
        .map_err(|e| refused(format!("LOCK: {e}")))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = std::fs::read_to_string(path.join("LOCK")).unwrap_or_default();
            let holder = holder.trim();
            return Err(refused(format!(
                "it is in use by process {holder}; stop that process or choose another --data-dir"
            )));
        }
        Err(TryLockError::Error(e)) => return Err(refused(format!("LOCK: {e}"))),
    }
    // For the message above only; the lock itself is the kernel's.
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(|e| refused(format!("LOCK: {e}")))?;
    Ok(file)
}

/// The identity in a store of a known format; none in one that is new.
fn read_identity(store: &Store, path: &Path) -> Result<Option<Identity>, Error> {
    let Some(bytes) = store.get(Tree::Meta, keys::FORMAT)? else {
        return match store.high_water().is_none() && store.is_empty()? {
            true => Ok(None),
            false => Err(Error::Corrupt("the format version is missing from a store that was used".into())),
        };
    };
    let version = bytes.try_into().map(u32::from_le_bytes).map_err(|bytes: Vec<u8>| {
        Error::Corrupt(format!("the format version has {} bytes instead of 4", bytes.len()))
    })?;
    if !(1..=FORMAT_VERSION).contains(&version) {
        return Err(refused(
            path,
            format!(
                "it has format version {version}, this unumd knows {FORMAT_VERSION}; run the version that wrote it"
            ),
        ));
    }
    let bytes = store.get(Tree::Meta, keys::IDENTITY)?;
    let bytes = bytes.ok_or_else(|| Error::Corrupt("the identity is missing".into()))?;
    decode_identity(&bytes).map(Some).ok_or_else(|| Error::Corrupt("the identity does not decode".into()))
}

fn encode_identity(identity: Identity) -> Vec<u8> {
    [identity.cluster_id, identity.replica.into(), identity.store_id.get()].map(u64::to_le_bytes).concat()
}

fn decode_identity(bytes: &[u8]) -> Option<Identity> {
    let (numbers, []) = bytes.as_chunks::<8>() else { return None };
    let &[cluster_id, replica, store_id] = numbers else { return None };
    let number = u64::from_le_bytes;
    let store_id = StoreId::from_u64(number(store_id))?;
    Some(Identity { cluster_id: number(cluster_id), replica: number(replica).into(), store_id })
}

const _: () = assert!(record::RECORD_BYTES_MAX > 4 * unum_proto::model::limits::PUSH_BYTES_MAX);

#[cfg(test)]
mod tests {
    use super::*;

    async fn open(path: &Path, cluster_id: u64, replica: u64) -> Result<(DataDir, Identity), Error> {
        let mut dir = DataDir::open(path).await?;
        let identity = dir.claim(cluster_id, replica.into()).await?;
        Ok((dir, identity))
    }

    async fn refusal(path: &Path, cluster_id: u64, replica: u64) -> String {
        match open(path, cluster_id, replica).await {
            Err(Error::Refused(why)) => why,
            other => panic!("{other:?} instead of a refusal"),
        }
    }

    #[tokio::test]
    async fn a_directory_in_use_or_of_others_is_refused_and_opens_again_for_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let (held, first) = open(dir.path(), 7, 1).await.unwrap();
        let in_use = refusal(dir.path(), 7, 1).await;
        assert!(in_use.contains(&format!("in use by process {}", std::process::id())), "{in_use}");
        drop(held);
        assert!(refusal(dir.path(), 8, 1).await.contains("cluster 0000000000000007"));
        assert!(refusal(dir.path(), 7, 2).await.contains("belongs to replica 1"));
        assert_eq!(open(dir.path(), 7, 1).await.unwrap().1, first);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(open(other.path(), 7, 1).await.unwrap().1.store_id, first.store_id);
    }

    #[tokio::test]
    async fn an_unknown_format_is_refused_and_a_missing_one_is_corrupt() {
        let dir = tempfile::tempdir().unwrap();
        let (held, first) = open(dir.path(), 7, 1).await.unwrap();
        let mut batch = Batch::default();
        batch.put(keys::FORMAT.to_vec(), 1u32.to_le_bytes().to_vec());
        held.store.write_synced(Tree::Meta, batch, Durability::Synced).await.unwrap();
        drop(held);
        let (held, same) = open(dir.path(), 7, 1).await.unwrap();
        assert_eq!(same, first, "a directory of the version before is taken over");
        let format = held.store.get(Tree::Meta, keys::FORMAT).unwrap();
        assert_eq!(format, Some(FORMAT_VERSION.to_le_bytes().to_vec()));
        drop(held);

        let dir = tempfile::tempdir().unwrap();
        let (held, _) = open(dir.path(), 7, 1).await.unwrap();
        let mut batch = Batch::default();
        batch.put(keys::FORMAT.to_vec(), 9u32.to_le_bytes().to_vec());
        held.store.write_synced(Tree::Meta, batch, Durability::Synced).await.unwrap();
        drop(held);
        assert!(refusal(dir.path(), 7, 1).await.contains("format version 9, this unumd knows 2"));

        let dir = tempfile::tempdir().unwrap();
        let (held, _) = open(dir.path(), 7, 1).await.unwrap();
        let mut batch = Batch::default();
        batch.remove(keys::FORMAT.to_vec());
        held.store.write_synced(Tree::Meta, batch, Durability::Synced).await.unwrap();
        drop(held);
        assert!(matches!(open(dir.path(), 7, 1).await, Err(Error::Corrupt(_))));
    }
}
