//! Cancel-safe calls of Raft: one whose caller is dropped is not left half-way.
//!
//! The first call that finds Raft stopped waits for its task to end, and keeps for all others why it did. openraft
//! (0.10.0-alpha.37, `join_core_task`) does not expect that this one is dropped meanwhile: then every later call panics,
//! the one that stops the process in order among them. Callers here come and go with deadlines, connections and changes of
//! the leader. So what they leave goes on without them.
//!
//! A call that waits for a leader that cannot commit waits until another one leads; Raft holds its part of it in any case.

use std::pin::Pin;
use std::task::{Context, Poll};

use super::state_machine::Raft;

/// Makes a call that ends, also when nobody waits for it any more.
pub(super) async fn call<T, F>(raft: &Raft, call: impl FnOnce(Raft) -> F) -> T
where
    T: 'static,
    F: Future<Output = T> + Send + 'static,
{
    ToItsEnd(Some(Box::pin(call(raft.clone())))).await
}

/// A future that goes on by itself when it is dropped before its end.
struct ToItsEnd<T: 'static>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T> Future for ToItsEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let call = self.0.as_mut().expect("it is not polled after its end");
        let polled = call.as_mut().poll(context);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl<T> Drop for ToItsEnd<T> {
    fn drop(&mut self) {
        // Without a runtime nothing of Raft runs any more either.
        if let (Some(call), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { drop(call.await) });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::*;
    use crate::base::tunable::Tunable;
    use crate::consensus::compaction::Bounds;
    use crate::consensus::group::{Group, Options, Timing};
    use crate::storage::{MemoryEngine, Store, StoreId};

    async fn group_of_one() -> Group {
        let bounds = Bounds { snapshot_entries: 100, snapshot_bytes: 1 << 20, kept_entries: 100, kept_bytes: 1 << 20 };
        let options = Options {
            cluster_id: 1,
            replica: 1.into(),
            initial_members: BTreeMap::from([(1.into(), "127.0.0.1:1".to_owned())]),
            timing: Timing {
                heartbeat_interval: Duration::from_millis(100),
                election_timeout_min: Duration::from_millis(300),
                election_timeout_max: Duration::from_millis(600),
            },
            compaction: Tunable::new(bounds),
        };
        let store = Store::start(Arc::new(MemoryEngine::default())).unwrap();
        Group::start(&options, StoreId::from_u64(1).unwrap(), store).await.unwrap().0
    }

    #[tokio::test]
    async fn what_its_caller_leaves_goes_on() {
        let (go_on, wait) = oneshot::channel::<()>();
        let (ended, end) = oneshot::channel();
        let call = ToItsEnd(Some(Box::pin(async move {
            wait.await.unwrap();
            ended.send(()).unwrap();
        })));
        tokio::time::timeout(Duration::from_millis(10), call).await.unwrap_err();
        go_on.send(()).unwrap();
        end.await.unwrap();
    }

    #[tokio::test]
    async fn a_call_that_is_dropped_while_raft_stops_leaves_an_error_for_the_others() {
        let raft = group_of_one().await.raft;
        let mut stopping = Box::pin(call(&raft, |raft| async move { raft.shutdown().await }));
        assert!(futures::poll!(&mut stopping).is_pending(), "Raft's task had no turn to end in");
        drop(stopping);
        // Calls that came before its end may still be answered; the one after must be an error, and no panic.
        let ends = async { while raft.with_raft_state(|_| ()).await.is_ok() {} };
        tokio::time::timeout(Duration::from_secs(10), ends).await.unwrap();
    }
}
