//! The newest applied state of this replica, for all who read it or wait for it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::replica_progress::ProgressTable;
use crate::catalog::State;

/// The newest applied state, and word of every newer one.
#[derive(Debug)]
pub struct NewestState {
    state: ArcSwap<State>,
    applied: watch::Sender<u64>,
    config: watch::Sender<()>,
    progress: ProgressTable,
}

impl NewestState {
    pub(super) fn new(state: State) -> Self {
        let applied = watch::Sender::new(state.revision);
        let progress = ProgressTable::default();
        progress.remember(state.revision, state.hash);
        let config = watch::Sender::new(());
        Self { state: ArcSwap::from_pointee(state), applied, config, progress }
    }

    /// The newest applied state of this replica; nothing is said about other replicas.
    pub fn state(&self) -> Arc<State> {
        self.state.load_full()
    }

    /// How far all replicas are.
    pub fn progress(&self) -> &ProgressTable {
        &self.progress
    }

    /// Returns once entry `index` is applied here.
    pub async fn wait_for(&self, index: u64) -> Arc<State> {
        // The sender lives as long as self: the wait cannot fail.
        let _ = self.applied.subscribe().wait_for(|applied| *applied >= index).await;
        self.state()
    }

    /// Changes whenever something else is wanted of the configuration of some node.
    pub fn config_updates(&self) -> watch::Receiver<()> {
        self.config.subscribe()
    }

    /// Makes a state the newest. `wanted_changed` says that something else is wanted of the configuration of some node.
    pub(super) fn publish(&self, state: State, wanted_changed: bool) {
        let revision = state.revision;
        self.progress.remember(revision, state.hash);
        self.state.store(Arc::new(state));
        self.applied.send_replace(revision);
        if wanted_changed {
            self.config.send_replace(());
        }
    }
}
