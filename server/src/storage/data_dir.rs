//! A replica's directory: its lock, its format version, whose it is.
//!
//! `<dir>/LOCK` is held by the running process. `<dir>/sled/` is sled's. The identity is written once: a directory
//! of another cluster or replica is refused, as is a format that this build does not know.

use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::engine::{Engine, Error, Tree};
use super::{Batch, SledEngine, Store, keys, record};

/// The version of everything under the directory.
const FORMAT_VERSION: u32 = 1;

/// Whose directory it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The cluster, as a hash of its initial membership and name.
    pub cluster_id: u64,
    /// The replica.
    pub replica: u64,
}

/// An open, locked directory.
#[derive(Debug)]
pub struct DataDir {
    /// Where the records are.
    pub store: Store,
    /// Held until the directory is closed.
    _lock: File,
}

impl DataDir {
    /// Opens the directory of `identity`, or makes it in an empty or missing one.
    pub async fn open(path: &Path, identity: Identity) -> Result<Self, Error> {
        std::fs::create_dir_all(path)
            .map_err(|e| Error::Refused(format!("cannot create the data directory {}: {e}", path.display())))?;
        let lock = lock(path)?;
        let sled_dir: PathBuf = path.join("sled");
        let engine: Arc<dyn Engine> = Arc::new(
            tokio::task::spawn_blocking(move || SledEngine::open(&sled_dir))
                .await
                .map_err(|e| Error::Corrupt(format!("{}: sled does not open: {e}", path.display())))??,
        );
        File::open(path).and_then(|dir| dir.sync_all()).map_err(|e| Error::Io(e.to_string()))?;
        let store = Store::start(engine)?;
        claim(&store, path, identity).await?;
        Ok(Self { store, _lock: lock })
    }

    /// Makes all that was written durable and gives the directory up.
    pub async fn close(self) -> Result<(), Error> {
        self.store.write_synced(Tree::Meta, Batch::default()).await
    }
}

fn lock(path: &Path) -> Result<File, Error> {
    let refused = |why: String| Error::Refused(format!("cannot use the data directory {}: {why}", path.display()));
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

/// Checks that the store is of this format and of this identity, or makes it so if it is new.
async fn claim(store: &Store, path: &Path, identity: Identity) -> Result<(), Error> {
    let refused = |why: String| Err(Error::Refused(format!("cannot use the data directory {}: {why}", path.display())));
    match store.get(Tree::Meta, keys::FORMAT)? {
        Some(bytes) => {
            let version = bytes.try_into().map(u32::from_le_bytes).map_err(|bytes: Vec<u8>| {
                Error::Corrupt(format!("the format version has {} bytes instead of 4", bytes.len()))
            })?;
            if version != FORMAT_VERSION {
                return refused(format!(
                    "it has format version {version}, this unumd knows {FORMAT_VERSION}; run the version that wrote it"
                ));
            }
        }
        None => return create(store, identity).await,
    }
    let Some(bytes) = store.get(Tree::Meta, keys::IDENTITY)? else {
        return Err(Error::Corrupt("the identity is missing".into()));
    };
    let found = decode_identity(&bytes).ok_or_else(|| Error::Corrupt("the identity does not decode".into()))?;
    if found.cluster_id != identity.cluster_id {
        return refused(format!(
            "it belongs to cluster {:016x}, and --initial-cluster and --cluster-name describe cluster {:016x}; \
             start it with the values of its first start, or choose another --data-dir",
            found.cluster_id, identity.cluster_id,
        ));
    }
    if found.replica != identity.replica {
        return refused(format!(
            "it belongs to replica {} and was started with --id {}; \
             use --id {0} or choose another --data-dir",
            found.replica, identity.replica,
        ));
    }
    Ok(())
}

async fn create(store: &Store, identity: Identity) -> Result<(), Error> {
    let mut batch = Batch::default();
    batch.put(keys::FORMAT.to_vec(), FORMAT_VERSION.to_le_bytes().to_vec());
    batch.put(keys::IDENTITY.to_vec(), encode_identity(identity));
    store.write_synced(Tree::Meta, batch).await
}

fn encode_identity(identity: Identity) -> Vec<u8> {
    [identity.cluster_id.to_le_bytes(), identity.replica.to_le_bytes()].concat()
}

fn decode_identity(bytes: &[u8]) -> Option<Identity> {
    let (cluster_id, replica) = bytes.split_first_chunk::<8>()?;
    Some(Identity {
        cluster_id: u64::from_le_bytes(*cluster_id),
        replica: u64::from_le_bytes(replica.try_into().ok()?),
    })
}

const _: () = assert!(record::RECORD_BYTES_MAX > 4 * unum_proto::model::limits::PUSH_BYTES_MAX);

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Identity = Identity { cluster_id: 7, replica: 1 };

    async fn refusal(path: &Path, identity: Identity) -> String {
        match DataDir::open(path, identity).await {
            Err(Error::Refused(why)) => why,
            other => panic!("{other:?} instead of a refusal"),
        }
    }

    #[tokio::test]
    async fn a_directory_in_use_or_of_others_is_refused_and_opens_again_for_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let open = DataDir::open(dir.path(), OURS).await.unwrap();
        let in_use = refusal(dir.path(), OURS).await;
        assert!(in_use.contains(&format!("in use by process {}", std::process::id())), "{in_use}");
        drop(open);
        assert!(refusal(dir.path(), Identity { cluster_id: 8, ..OURS }).await.contains("cluster 0000000000000007"));
        assert!(refusal(dir.path(), Identity { replica: 2, ..OURS }).await.contains("belongs to replica 1"));
        DataDir::open(dir.path(), OURS).await.unwrap();
    }

    #[tokio::test]
    async fn an_unknown_format_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let open = DataDir::open(dir.path(), OURS).await.unwrap();
        let mut batch = Batch::default();
        batch.put(keys::FORMAT.to_vec(), 9u32.to_le_bytes().to_vec());
        open.store.write_synced(Tree::Meta, batch).await.unwrap();
        drop(open);
        assert!(refusal(dir.path(), OURS).await.contains("format version 9, this unumd knows 1"));
    }
}
