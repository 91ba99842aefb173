//! A whole state as bytes, for a replica that is too far behind for the log.
//!
//! Built from the immutable state, so it holds up nobody. It is kept in memory as long as it is the newest one,
//! and not on disk: a replica that restarts builds a new one when asked.

use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unum_proto::model::{NodeKey, TableName, TableSchema};

use super::types::{SnapshotMeta, TypeConfig};
use crate::catalog::config::{ConfigRecord, ConfigRecordKey};
use crate::catalog::{Node, Record, RecordKey, RecordRef, Snapshot, State};

const VERSION: u8 = 3;

/// The same but for the change keys, which there were none of.
const VERSION_WITHOUT_CHANGE_KEYS: u8 = 2;

/// No change keys, as postcard writes them.
const NO_CHANGE_KEYS: u8 = 0;

/// zstd's level for a whole state: it crosses the network once.
const ZSTD_LEVEL: i32 = 3;

/// The bytes of a state, and which state it is.
#[derive(Debug, Clone)]
pub struct RaftSnapshot {
    /// Log id and membership of the state.
    pub meta: SnapshotMeta,
    /// Shared: openraft keeps a copy for as long as it sends it.
    pub bytes: Arc<Vec<u8>>,
}

/// The layout of the bytes: the records by kind.
#[derive(Serialize, Deserialize)]
struct Image<N, T, S> {
    revision: u64,
    nodes: Vec<N>,
    schemas: Vec<T>,
    snapshots: Vec<(NodeKey, TableName, S)>,
    config: Vec<(ConfigRecordKey, ConfigRecord)>,
    change_keys: Vec<(u64, String)>,
}

impl<N, T, S> Image<N, T, S> {
    fn empty(revision: u64) -> Self {
        let (nodes, schemas, snapshots) = Default::default();
        Self { revision, nodes, schemas, snapshots, config: Vec::new(), change_keys: Vec::new() }
    }
}

/// The bytes of a state.
pub fn encode(state: &State) -> io::Result<Vec<u8>> {
    let mut image: Image<&Node, &TableSchema, &Snapshot> = Image::empty(state.revision);
    for (key, record) in state.records() {
        match (key, record) {
            (_, RecordRef::Node(node)) => image.nodes.push(node),
            (_, RecordRef::Schema(schema)) => image.schemas.push(schema),
            (RecordKey::Snapshot(node, table), RecordRef::Snapshot(rows)) => image.snapshots.push((node, table, rows)),
            (RecordKey::Config(key), RecordRef::Config(record)) => image.config.push((key, record)),
            (RecordKey::ChangeKey(revision), RecordRef::ChangeKey(key)) => {
                image.change_keys.push((revision, key.clone()));
            }
            (key, _) => unreachable!("a state gives a record of the kind of its key {key:?}"),
        }
    }
    let mut encoder = zstd::stream::write::Encoder::new(vec![VERSION], ZSTD_LEVEL)?;
    postcard::to_io(&image, &mut encoder).map_err(io::Error::other)?;
    encoder.finish()
}

/// Reads what [`encode`] wrote.
pub fn decode(bytes: &[u8]) -> io::Result<State> {
    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidData, format!("raft snapshot: {why}"));
    let (version, body) = match bytes {
        [version @ (VERSION | VERSION_WITHOUT_CHANGE_KEYS), body @ ..] => (*version, body),
        [version, ..] => return Err(invalid(format!("format version {version}, this unumd knows {VERSION}"))),
        [] => return Err(invalid("it is empty".into())),
    };
    let mut plain = zstd::stream::decode_all(body)?;
    if version == VERSION_WITHOUT_CHANGE_KEYS {
        plain.push(NO_CHANGE_KEYS);
    }
    let image: Image<Node, TableSchema, Snapshot> = postcard::from_bytes(&plain).map_err(|e| invalid(e.to_string()))?;
    let Image { revision, nodes, schemas, snapshots, config, change_keys } = image;
    let nodes = nodes.into_iter().map(|node| (RecordKey::Node(node.description.key.clone()), Record::Node(node)));
    let schemas = schemas.into_iter().map(|schema| (RecordKey::Schema(schema.name.clone()), Record::Schema(schema)));
    let snapshots = snapshots.into_iter();
    let snapshots = snapshots.map(|(node, table, rows)| (RecordKey::Snapshot(node, table), Record::Snapshot(rows)));
    let config = config.into_iter().map(|(key, record)| (RecordKey::Config(key), Record::Config(record)));
    let change_keys = change_keys.into_iter();
    let change_keys = change_keys.map(|(revision, key)| (RecordKey::ChangeKey(revision), Record::ChangeKey(key)));
    State::restore(revision, nodes.chain(schemas).chain(snapshots).chain(config).chain(change_keys)).map_err(invalid)
}

/// Builds a raft snapshot of one state, on a thread that may take its time.
#[derive(Debug)]
pub struct Builder {
    pub(super) state: Arc<State>,
    pub(super) meta: SnapshotMeta,
    pub(super) newest: Newest,
}

/// Where the newest raft snapshot is kept.
pub type Newest = Arc<std::sync::Mutex<Option<RaftSnapshot>>>;

/// openraft's shape of a raft snapshot.
pub type Shipped = openraft::alias::SnapshotOf<TypeConfig, RaftSnapshot>;

impl RaftSnapshot {
    /// As openraft carries it.
    pub fn ship(self) -> Shipped {
        Shipped { meta: self.meta.clone(), snapshot: self }
    }
}

impl openraft::RaftSnapshotBuilder<TypeConfig> for Builder {
    type SnapshotData = RaftSnapshot;

    async fn build_snapshot(&mut self) -> io::Result<Shipped> {
        let state = Arc::clone(&self.state);
        let bytes = tokio::task::spawn_blocking(move || encode(&state)).await.map_err(io::Error::other)??;
        let snapshot = RaftSnapshot { meta: self.meta.clone(), bytes: Arc::new(bytes) };
        let mut newest = self.newest.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if newest.as_ref().is_none_or(|known| known.meta.last_log_id < snapshot.meta.last_log_id) {
            *newest = Some(snapshot.clone());
        }
        Ok(snapshot.ship())
    }
}
