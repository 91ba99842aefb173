//! The background tasks of one replica: named, watched, ended together.
//!
//! A task that belongs to the group runs until the group is stopped. One that ends before, by a panic or by
//! returning, takes the replica down: half a replica is worse than none.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// How long a graceful task may take to end.
pub const STOP_GRACE: Duration = Duration::from_secs(2);

/// A handle to the tasks of one replica.
#[derive(Debug, Clone)]
pub struct TaskGroup {
    stop: CancellationToken,
    tracker: TaskTracker,
    died: Arc<watch::Sender<Option<String>>>,
}

impl Default for TaskGroup {
    fn default() -> Self {
        Self { stop: CancellationToken::new(), tracker: TaskTracker::new(), died: Arc::new(watch::Sender::new(None)) }
    }
}

impl TaskGroup {
    /// Starts a task that runs until the group stops, and is then dropped wherever it is.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.watch(name, Duration::ZERO, task);
    }

    /// Starts a task that ends by itself when [`TaskGroup::stopping`] is cancelled, within [`STOP_GRACE`].
    pub fn spawn_graceful(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.watch(name, STOP_GRACE, task);
    }

    fn watch(&self, name: &'static str, grace: Duration, task: impl Future<Output = ()> + Send + 'static) {
        let (stop, died) = (self.stop.clone(), Arc::clone(&self.died));
        self.tracker.spawn(async move {
            // A task of its own, so that its panic arrives here as a value.
            let mut task = AbortOnDropHandle::new(tokio::spawn(task));
            tokio::select! {
                () = stop.cancelled() => {
                    if tokio::time::timeout(grace, &mut task).await.is_err() && !grace.is_zero() {
                        tracing::warn!(task = name, "did not stop in time and was dropped");
                    }
                }
                ended = &mut task => {
                    let why = ended.err().map_or_else(|| "ended".to_owned(), |error| error.to_string());
                    if !stop.is_cancelled() {
                        died.send_replace(Some(format!("task {name} {why}")));
                    }
                }
            }
        });
    }

    /// Cancelled when the group stops.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Returns when a task ended that should not have, with its name and why.
    pub async fn died(&self) -> String {
        let mut died = self.died.subscribe();
        match died.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_default(),
            Err(_) => "the task group is gone".into(),
        }
    }

    /// Stops all tasks and returns when they have ended.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_ends_or_panics_is_told_by_name() {
        for panics in [false, true] {
            let group = TaskGroup::default();
            group.spawn("pump", async move { assert!(!panics, "planted") });
            assert!(group.died().await.starts_with("task pump "));
            group.stop().await;
        }
    }

    #[tokio::test]
    async fn stopping_ends_tasks_that_would_run_forever() {
        let group = TaskGroup::default();
        group.spawn("forever", std::future::pending());
        group.stop().await;
    }
}
