//! Applies committed entries: to the state in memory at once, and to its records in the store later.
//!
//! Readers see the new state before a proposer hears of it. The records follow behind: what many entries changed is
//! written as one batch in the tree `Catalog`, with the last log id that is in it ([`Unwritten`]). A node that pushed
//! again meanwhile is written once. It needs no sync: the log has the entries, which are applied again at start, and what
//! is durable is a prefix of all writes. Nothing of the log is purged that is not in the records: a purge goes no further
//! than a raft snapshot, and before one is built they are written.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, PoisonError};

use futures::{Stream, StreamExt};
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::{EntryPayload, OptionalSend};
use unum_proto::model::ReplicaId;

use super::newest_state::NewestState;
use super::raft_snapshot::{self, Builder, Newest, RaftSnapshot, Shipped};
use super::records;
use super::types::{LogId, Reply, SnapshotMeta, StoredMembership, TypeConfig};
use crate::base::planted::{Bug, planted};
use crate::catalog::{Command, RecordKey, State};
use crate::storage::{self, Durability, Store, Tree};

/// The replica's Raft.
pub type Raft = openraft::Raft<TypeConfig, StateMachine>;

/// openraft's state machine over the catalog.
#[derive(Debug)]
pub struct StateMachine {
    store: Store,
    state: State,
    applied: Option<LogId>,
    membership: StoredMembership,
    unwritten: Unwritten,
    /// Whether something else is wanted of some node's configuration than in the published state.
    wanted_changed: bool,
    /// The records are written after every entry with `index % UNWRITTEN_ENTRIES_MAX == turn`.
    turn: u64,
    newest: Arc<NewestState>,
    newest_snapshot: Newest,
}

/// What was applied since the records were written.
#[derive(Debug, Default)]
struct Unwritten {
    changes: BTreeSet<RecordKey>,
    /// Whether a record of the configuration is among them.
    configured: bool,
    /// Of the commands, before compression.
    bytes: usize,
}

/// Entries from one writing of the records to the next: a start applies so many again. Of a thousand nodes that push all
/// the time, each has then pushed about four times.
const UNWRITTEN_ENTRIES_MAX: u64 = 64;

/// Replica n + 1 writes its records this many entries before replica n. A replica syncs no log entries while it writes its
/// records, so the replicas take turns: a majority of three, or of five, is always free to acknowledge.
const TURNS_APART: u64 = 13;

/// Bytes of commands after which they are written: the store takes some tens of milliseconds for these, and what is to be
/// synced waits for it.
const UNWRITTEN_BYTES_MAX: usize = 4 * 1024 * 1024;

impl StateMachine {
    /// The state that the store of that replica holds.
    pub fn open(replica: ReplicaId, store: Store) -> Result<Self, storage::Error> {
        let (state, applied, membership) = records::read(&store)?;
        let newest = Arc::new(NewestState::new(state.clone()));
        let (unwritten, newest_snapshot, wanted_changed) = Default::default();
        let turn = u64::from(replica).wrapping_mul(UNWRITTEN_ENTRIES_MAX - TURNS_APART) % UNWRITTEN_ENTRIES_MAX;
        Ok(Self { store, state, applied, membership, unwritten, wanted_changed, turn, newest, newest_snapshot })
    }

    /// Where the newest raft snapshot is kept.
    pub fn newest_snapshot(&self) -> Newest {
        Arc::clone(&self.newest_snapshot)
    }

    /// The last entry that was applied.
    pub fn applied(&self) -> Option<LogId> {
        self.applied
    }

    /// Where readers find the newest state.
    pub fn newest(&self) -> Arc<NewestState> {
        Arc::clone(&self.newest)
    }

    fn apply_payload(
        &mut self,
        log_id: LogId,
        payload: EntryPayload<super::types::CommandBytes, ReplicaId, openraft::BasicNode>,
    ) -> io::Result<Reply> {
        self.applied = Some(log_id);
        match payload {
            EntryPayload::Blank => self.state.skip(log_id.index),
            EntryPayload::Membership(membership) => {
                self.membership = StoredMembership::new(Some(log_id), membership);
                self.state.skip(log_id.index);
            }
            EntryPayload::Normal(command) => {
                let (command, bytes) = Command::decode_measured(&command.0).map_err(|e| {
                    io::Error::new(io::ErrorKind::InvalidData, format!("log entry {}: {e}", log_id.index))
                })?;
                let applied = self.state.apply(log_id.index, command);
                for key in &applied.changes {
                    self.unwritten.configured |= matches!(key, RecordKey::Config(_));
                    self.wanted_changed |= matches!(key, RecordKey::Config(key) if key.tells_what_is_wanted());
                }
                self.unwritten.changes.extend(applied.changes);
                self.unwritten.bytes += bytes;
                return Ok(Reply(Some(applied.outcome)));
            }
        }
        Ok(Reply::default())
    }

    /// Whether the records are written whoever's turn it is.
    fn must_write(&self) -> bool {
        // A start reads a replica's own settings before it applies anything.
        self.unwritten.bytes >= UNWRITTEN_BYTES_MAX || self.unwritten.configured
    }

    /// Brings the records up to the state: queued when it returns, and before all that is written after.
    async fn write(&mut self) -> io::Result<()> {
        let Unwritten { changes, .. } = std::mem::take(&mut self.unwritten);
        let (state, applied, membership) = (self.state.clone(), self.applied, self.membership.clone());
        // Thousands of records: not here, where Raft's messages wait.
        let batch = move || records::write(&state, &changes, applied, &membership);
        let batch = tokio::task::spawn_blocking(batch).await.map_err(io::Error::other)?;
        self.store.write(Tree::Catalog, batch).await.map_err(io::Error::other)
    }
}

/// Entries that are published together: bounds how long a reader waits for the first of them.
const ENTRIES_PER_RUN_MAX: usize = 64;

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotData = RaftSnapshot;
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredMembership)> {
        Ok((self.applied, self.membership.clone()))
    }

    async fn apply<Strm>(&mut self, entries: Strm) -> io::Result<()>
    where
        Strm: Stream<Item = io::Result<EntryResponder<TypeConfig>>> + Unpin + OptionalSend,
    {
        let mut runs = entries.ready_chunks(ENTRIES_PER_RUN_MAX);
        while let Some(run) = runs.next().await {
            let mut replies = Vec::with_capacity(run.len());
            let mut is_turn = false;
            for item in run {
                let (entry, responder) = item?;
                is_turn |= entry.log_id.index % UNWRITTEN_ENTRIES_MAX == self.turn;
                let reply = self.apply_payload(entry.log_id, entry.payload)?;
                replies.extend(responder.map(|responder| (responder, reply)));
            }
            self.newest.publish(self.state.clone(), std::mem::take(&mut self.wanted_changed));
            for (responder, reply) in replies {
                responder.send(reply);
            }
            if is_turn || self.must_write() {
                self.write().await?;
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        // With it, the log up to here may be purged.
        let written = if planted(Bug::PurgeAhead) { Ok(()) } else { self.write().await };
        if let Err(error) = written {
            // The store has failed, and every later write fails with the same: Raft is told by the next one.
            tracing::error!(%error, "the records were not written before a raft snapshot");
        }
        Builder {
            state: Arc::new(self.state.clone()),
            meta: SnapshotMeta { last_log_id: self.applied, last_membership: self.membership.clone() },
            newest: Arc::clone(&self.newest_snapshot),
        }
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, snapshot: RaftSnapshot) -> io::Result<()> {
        let bytes = Arc::clone(&snapshot.bytes);
        let mut state =
            tokio::task::spawn_blocking(move || raft_snapshot::decode(&bytes)).await.map_err(io::Error::other)??;
        state.revision = meta.last_log_id.map_or(0, |log_id| log_id.index);
        #[cfg(feature = "planted-bugs")]
        if planted(Bug::Resurrect) {
            state.keep_rows_of(&self.state);
        }
        let batch = records::replace(&state, meta.last_log_id, &meta.last_membership);
        self.store.write_synced(Tree::Catalog, batch, Durability::Synced).await.map_err(io::Error::other)?;
        metrics::counter!("unum_raft_snapshots_installed_total").increment(1);
        self.unwritten = Unwritten::default();
        self.applied = meta.last_log_id;
        self.membership = meta.last_membership.clone();
        self.state = state.clone();
        // What differs is not known: whoever watches looks again.
        self.newest.publish(state, true);
        *self.newest_snapshot.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(RaftSnapshot { meta: meta.clone(), bytes: snapshot.bytes });
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<Shipped>> {
        let newest = self.newest_snapshot.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(newest.map(RaftSnapshot::ship))
    }
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use futures::stream;
    use openraft::storage::RaftSnapshotBuilder;
    use unum_proto::model::{CONFIG_TABLE, DataType, NodeDescription, NodeKey, Push, TableSchema, TableSnapshot};

    use super::*;
    use crate::catalog::StampedPush;
    use crate::consensus::entry::log_id;
    use crate::consensus::types::{CommandBytes, Entry};
    use crate::storage::MemoryEngine;

    const REPLICA: u64 = 1;

    /// The same few nodes push again and again.
    fn entry(index: u64, table: &str) -> Entry {
        let columns = [("key", DataType::Text, ""), ("value", DataType::Text, "")];
        let schema = TableSchema::of(table, &columns).unwrap().into();
        let rows = vec![vec!["log.level".into(), index.to_string().as_str().into()]];
        let node = NodeDescription::new(NodeKey::parse("tikv", &format!("tikv_{}", index % 3)).unwrap());
        let push = Push::new(node, 1, index, vec![TableSnapshot { schema, rows, collected_at_us: 0 }]).unwrap();
        let command = Command::Pushes { received_at_us: 0, pushes: vec![StampedPush::new(push)] };
        let command = CommandBytes(command.encode().unwrap().into());
        Entry { log_id: log_id(1, index), payload: EntryPayload::Normal(command) }
    }

    async fn apply(machine: &mut StateMachine, indexes: RangeInclusive<u64>, table: &str) {
        // Each in a run of its own, as they come under light load.
        for index in indexes {
            machine.apply(stream::iter([Ok((entry(index, table), None))])).await.unwrap();
        }
    }

    /// Up to where the records are; they are checked against the state hash that was written with them.
    async fn written(store: &Store) -> u64 {
        store.close().await.unwrap();
        StateMachine::open(REPLICA.into(), store.clone()).unwrap().applied().map_or(0, |applied| applied.index)
    }

    #[test]
    fn a_majority_never_writes_its_records_at_one_time() {
        let store = Store::start(Arc::new(MemoryEngine::default())).unwrap();
        let turn = |replica: u64| StateMachine::open(replica.into(), store.clone()).unwrap().turn;
        let mut turns: Vec<_> = (1..=5).map(turn).collect();
        turns.sort_unstable();
        assert!(turns.windows(2).all(|pair| pair[1] - pair[0] >= 12), "{turns:?}");
    }

    #[tokio::test]
    async fn records_follow_the_log_and_are_there_before_a_purge_can_be() {
        let store = Store::start(Arc::new(MemoryEngine::default())).unwrap();
        let mut machine = StateMachine::open(REPLICA.into(), store.clone()).unwrap();
        let most = machine.turn;
        apply(&mut machine, 1..=most - 1, "load").await;
        assert_eq!((written(&store).await, machine.newest().state().revision), (0, most - 1));
        apply(&mut machine, most..=most + 1, "load").await;
        assert_eq!(written(&store).await, most, "those of all entries up to then, in one batch");
        let mut builder = machine.get_snapshot_builder().await;
        let snapshot = builder.build_snapshot().await.unwrap();
        assert_eq!(snapshot.meta.last_log_id, Some(log_id(1, most + 1)));
        assert_eq!(written(&store).await, most + 1, "up to a raft snapshot the log may be purged");
        apply(&mut machine, most + 2..=most + 2, CONFIG_TABLE).await;
        assert_eq!(written(&store).await, most + 2, "a start reads what is configured before it applies anything");

        // A start goes on from there with the entries that the records do not have.
        apply(&mut machine, most + 3..=most + 9, "load").await;
        let mut restarted = StateMachine::open(REPLICA.into(), store.clone()).unwrap();
        apply(&mut restarted, most + 3..=most + 9, "load").await;
        assert_eq!(restarted.newest().state().hash, machine.newest().state().hash);
    }
}
