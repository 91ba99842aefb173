//! What a store of ordered keys has to do for Unum.

/// A tree: a key space of its own. A batch changes one tree; the trees share one physical log, so what is
/// durable is always a prefix of all writes in the order they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree {
    /// Raft log entries, and up to where they were purged.
    Log,
    /// The catalog's records, the last applied log id, the membership.
    Catalog,
    /// Format version, identity, vote.
    Meta,
}

/// Keys and their values, in the order of the keys.
pub type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// One write: a value for a key, or none to remove it.
pub type Write = (Vec<u8>, Option<Vec<u8>>);

/// Why the store did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The disk, or what is under it, refused. The replica must stop: what is on disk is not known any more.
    #[error("storage failed: {0}")]
    Io(String),
    /// What is on disk is not what was written.
    #[error(
        "the store is corrupt: {0}; it must not be used any more. \
         Remove this replica from the group with `unum member remove ID`, wipe its directory, and let it join under an \
         id that was never used: `unumd serve --id NEW_ID --data-dir DIR --listen HOST:PORT --join ENDPOINT`, then \
         `unum member promote NEW_ID`"
    )]
    Corrupt(String),
    /// The directory cannot be used by this process as it was started.
    #[error("{0}")]
    Refused(String),
}

/// Ordered trees of raw keys and values.
///
/// All calls may block. Writes come from one thread only, reads from any.
pub trait Engine: Send + Sync + std::fmt::Debug + 'static {
    /// The value of one key.
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// All keys in `[from, to)` with their values, in order.
    fn scan(&self, tree: Tree, from: &[u8], to: &[u8]) -> Result<Pairs, Error>;

    /// The keys in `[from, to)`, in order.
    fn keys(&self, tree: Tree, from: &[u8], to: &[u8]) -> Result<Vec<Vec<u8>>, Error>;

    /// Makes all writes visible at once, and durable with the next [`Engine::sync`].
    fn write(&self, tree: Tree, writes: Vec<Write>) -> Result<(), Error>;

    /// Returns when everything written before is on the medium and would survive a loss of power.
    fn sync(&self) -> Result<(), Error>;

    /// The high-water mark: a small record outside the trees, of what they must at least hold.
    fn high_water(&self) -> Option<Vec<u8>>;

    /// Writes the mark, after what it speaks of was synced. On the medium at once if `durable`, else soon.
    fn set_high_water(&self, mark: &[u8], durable: bool) -> Result<(), Error>;

    /// Returns when the newest mark is on the medium.
    fn sync_high_water(&self) -> Result<(), Error>;
}
