//! openraft's own storage suite, on both engines.

use std::sync::Arc;

use openraft::StorageError;
use openraft::testing::log::{StoreBuilder, Suite};

use super::log_store::LogStore;
use super::state_machine::StateMachine;
use super::types::TypeConfig;
use crate::storage::{Engine, MemoryEngine, SledEngine, Store};

fn stores(engine: Arc<dyn Engine>) -> (LogStore, StateMachine) {
    let store = Store::start(engine).unwrap();
    (LogStore::open(store.clone()).unwrap(), StateMachine::open(1.into(), store).unwrap())
}

struct OnSled;

impl StoreBuilder<TypeConfig, LogStore, StateMachine, tempfile::TempDir> for OnSled {
    async fn build(&self) -> Result<(tempfile::TempDir, LogStore, StateMachine), StorageError<TypeConfig>> {
        let dir = tempfile::tempdir().unwrap();
        let (log, state_machine) = stores(Arc::new(SledEngine::open(dir.path()).unwrap()));
        Ok((dir, log, state_machine))
    }
}

struct InMemory;

impl StoreBuilder<TypeConfig, LogStore, StateMachine> for InMemory {
    async fn build(&self) -> Result<((), LogStore, StateMachine), StorageError<TypeConfig>> {
        let (log, state_machine) = stores(Arc::new(MemoryEngine::default()));
        Ok(((), log, state_machine))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_on_sled_passes_openrafts_suite() {
    Suite::test_all(OnSled).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_in_memory_passes_openrafts_suite() {
    Suite::test_all(InMemory).await.unwrap();
}
