//! Which data directory each replica has: what keeps a wiped replica from coming back as itself.
//!
//! A replica that lost its directory has lost its votes and its log. Under its old id it could help to elect a leader
//! that lacks what was acknowledged. So every message names the sender's directory, and the receiver's as the sender
//! knows it. Each replica keeps, on disk, the first directory that it heard of for each id; a message that names
//! another one is refused, and the replica that is refused by its peers for this ends itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use unum_proto::model::ReplicaId;

use super::error::InboundError;
use crate::consensus::stop::{Stop, StopReason};
use crate::storage::{Batch, Durability, Error, Store, StoreId, Tree, keys};

/// What one replica knows of the others. Clones share it.
#[derive(Debug, Clone)]
pub struct Peers {
    me: ReplicaId,
    own_store: StoreId,
    store: Store,
    known: Arc<Mutex<BTreeMap<ReplicaId, StoreId>>>,
    /// Those that were refused, so that each is told of once.
    refused: Arc<Mutex<BTreeSet<(ReplicaId, StoreId)>>>,
    stop: Arc<watch::Sender<Option<Stop>>>,
}

impl Peers {
    /// What the store of replica `me` remembers.
    pub fn open(me: ReplicaId, own_store: StoreId, store: Store) -> Result<Self, Error> {
        let mut known = BTreeMap::new();
        for (key, value) in store.scan(Tree::Meta, keys::PEER_PREFIX, &keys::prefix_end(keys::PEER_PREFIX))? {
            let store_id = value.try_into().map(u64::from_le_bytes).ok().and_then(StoreId::from_u64);
            let (Some(replica), Some(store_id)) = (keys::parse_peer(&key), store_id) else {
                return Err(Error::Corrupt(format!("record {} does not decode", key.escape_ascii())));
            };
            known.insert(replica, store_id);
        }
        Ok(Self {
            me,
            own_store,
            store,
            known: Arc::new(Mutex::new(known)),
            refused: Arc::default(),
            stop: Arc::default(),
        })
    }

    /// This replica's directory.
    pub fn own_store(&self) -> StoreId {
        self.own_store
    }

    /// The directory that a replica is known by.
    pub fn store_of(&self, replica: ReplicaId) -> Option<StoreId> {
        self.known().get(&replica).copied()
    }

    /// Whether the replica was ever heard of.
    pub fn knows(&self, replica: ReplicaId) -> bool {
        self.known().contains_key(&replica)
    }

    /// Takes note of a replica's directory, or refuses it if another one is known.
    pub async fn admit(&self, replica: ReplicaId, store_id: StoreId) -> Result<(), InboundError> {
        match self.store_of(replica) {
            None => {}
            Some(known) if known == store_id => return Ok(()),
            Some(_) => {
                if self.refused().insert((replica, store_id)) {
                    tracing::warn!(
                        replica = u64::from(replica),
                        "a wiped replica is refused: it has another data directory than before"
                    );
                }
                return Err(InboundError::Wiped(wiped(replica)));
            }
        }
        let mut batch = Batch::default();
        batch.put(keys::peer(replica), store_id.get().to_le_bytes().to_vec());
        // Before it is relied on: a restart must not forget it.
        let written = self.store.write_synced(Tree::Meta, batch, Durability::Synced).await;
        written.map_err(|e| InboundError::Raft(e.to_string()))?;
        self.known().entry(replica).or_insert(store_id);
        Ok(())
    }

    /// Every data directory that is known, this replica's own included.
    pub fn all(&self) -> Vec<(ReplicaId, StoreId)> {
        let mut all = self.known().clone();
        all.insert(self.me, self.own_store);
        all.into_iter().collect()
    }

    /// Takes over what another replica knows and this one does not: two followers may never have spoken to each other.
    pub async fn learn(&self, stores: Vec<(ReplicaId, StoreId)>) -> Result<(), InboundError> {
        for (replica, store_id) in stores.into_iter().filter(|(replica, _)| *replica != self.me) {
            if !self.knows(replica) {
                self.admit(replica, store_id).await?;
            }
        }
        Ok(())
    }

    /// Whether a message is meant for this very directory; a sender that knows none means any.
    pub fn check_addressee(&self, to_store: Option<StoreId>) -> Result<(), InboundError> {
        if to_store.is_none_or(|to_store| to_store == self.own_store) {
            return Ok(());
        }
        self.stop(wiped(self.me));
        Err(InboundError::Wiped(wiped(self.me)))
    }

    /// This replica must not go on.
    pub fn stop(&self, why: Stop) {
        self.stop.send_if_modified(|stop| {
            let first = stop.is_none();
            stop.get_or_insert(why);
            first
        });
    }

    /// Returns when this replica must not go on, with why.
    pub async fn stopped(&self) -> Stop {
        let mut stop = self.stop.subscribe();
        match stop.wait_for(Option::is_some).await.ok().and_then(|stop| stop.clone()) {
            Some(stop) => stop,
            // The sender lives as long as this does.
            None => std::future::pending().await,
        }
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, BTreeSet<(ReplicaId, StoreId)>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<ReplicaId, StoreId>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wiped(replica: ReplicaId) -> Stop {
    Stop { replica, reason: StopReason::Wiped }
}
