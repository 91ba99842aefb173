//! A whole state as bytes, for a replica that is too far behind for the log.
//!
//! Built from the immutable state, so it holds up nobody. It is kept in memory as long as it is the newest one,
//! and not on disk: a replica that restarts builds a new one when asked.

use std::io::{self, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::records;
use super::types::{SnapshotMeta, TypeConfig};
use crate::catalog::{Record, State};

const VERSION: u8 = 3;

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

/// What comes before the records: each is the key and the bytes that it has on disk, too.
#[derive(Serialize, Deserialize)]
struct Header {
    revision: u64,
    state_hash: u64,
}

/// The bytes of a state.
pub fn encode(state: &State) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::stream::write::Encoder::new(vec![VERSION], ZSTD_LEVEL)?;
    let header = Header { revision: state.revision, state_hash: state.hash };
    encoder.write_all(&postcard::to_stdvec(&header).map_err(io::Error::other)?)?;
    // Each record goes in as one piece: a compressor that is fed byte by byte, or flushed after each, is many times slower.
    let mut pair = Vec::new();
    for (key, record) in records::all(state) {
        pair.clear();
        for part in [key, record] {
            pair = postcard::to_extend(&part.len(), pair).map_err(io::Error::other)?;
            pair.extend(part);
        }
        encoder.write_all(&pair)?;
    }
    encoder.finish()
}

/// Reads what [`encode`] wrote, every record of it: the state has the hash that its writer's had.
pub fn decode(bytes: &[u8]) -> io::Result<State> {
    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidData, format!("raft snapshot: {why}"));
    let body = match bytes {
        [VERSION, body @ ..] => body,
        [version, ..] => return Err(invalid(format!("format version {version}, this unumd knows {VERSION}"))),
        [] => return Err(invalid("it is empty".into())),
    };
    let plain = zstd::stream::decode_all(body)?;
    let malformed = |error: postcard::Error| invalid(error.to_string());
    let (Header { revision, state_hash }, mut rest) = postcard::take_from_bytes(&plain).map_err(malformed)?;
    let mut read = Vec::new();
    while !rest.is_empty() {
        let ((key, record), behind): ((&[u8], &[u8]), _) = postcard::take_from_bytes(rest).map_err(malformed)?;
        read.push(Record::read(key, record).map_err(|error| invalid(error.to_string()))?);
        rest = behind;
    }
    let state = State::restore(revision, read).map_err(invalid)?;
    match state.hash == state_hash {
        true => Ok(state),
        false => Err(invalid(format!(
            "the state at revision {revision} has the hash {:016x}, and {state_hash:016x} was sent",
            state.hash
        ))),
    }
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

#[cfg(test)]
mod tests {
    use unum_proto::model::{DataType, NodeDescription, NodeKey, Push, TableSchema, TableSnapshot};

    use super::*;
    use crate::catalog::change::CatalogChange;
    use crate::catalog::{Command, StampedPush};

    fn state() -> State {
        let schema = TableSchema::of("metrics", &[("value", DataType::Int64, "")]).unwrap();
        let table = TableSnapshot { schema: schema.into(), rows: vec![vec![1i64.into()]], collected_at_us: 0 };
        let node = NodeDescription::new(NodeKey::parse("test", "n1").unwrap());
        let push = StampedPush::new(Push::new(node, 1, 1, vec![table]).unwrap());
        let mut state = State::default();
        state.apply(1, Command::Pushes { received_at_us: 0, pushes: vec![push] });
        let change = CatalogChange::DropTable { table: "t".parse().unwrap(), if_exists: true };
        state.apply(2, Command::Change { at_us: 0, change_key: "k".into(), change });
        state
    }

    #[test]
    fn a_state_is_what_it_was_before_it_travelled() {
        let (state, read) = (state(), decode(&encode(&state()).unwrap()).unwrap());
        assert_eq!((read.revision, read.hash), (state.revision, state.hash));
        assert!(
            read.records()
                .map(|(key, record)| (key, record.to_owned()))
                .eq(state.records().map(|(key, record)| (key, record.to_owned())))
        );
    }

    #[test]
    fn what_is_not_whole_is_no_state() {
        let whole = encode(&state()).unwrap();
        for length in 0..whole.len() {
            assert!(decode(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
        }
        // A whole stream that lacks the last record.
        let plain = zstd::stream::decode_all(&whole[1..]).unwrap();
        let (key, record) = records::all(&state()).last().unwrap();
        let last = key.len() + record.len() + 2;
        let short = zstd::stream::encode_all(&plain[..plain.len() - last], ZSTD_LEVEL).unwrap();
        let error = decode(&[&[VERSION][..], &short].concat()).unwrap_err().to_string();
        assert!(error.contains("was sent"), "{error}");
    }
}
