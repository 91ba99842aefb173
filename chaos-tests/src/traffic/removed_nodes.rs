//! Nodes that push once, are removed, and come back under a new epoch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use unum_client::{Change, Client, Error};

use super::context::{Context, agent, failed, key, tables};
use crate::history::{Action, Operation, Outcome};

/// A rest in an epoch or between two, at most.
const REST_MAX: Duration = Duration::from_millis(2500);

/// Pushes and is removed until it is told to stop. `nodes[number]` is who it is: after an operation of unknown
/// outcome it is somebody else.
pub async fn run(client: Client, nodes: Arc<[AtomicU32]>, number: usize, mut context: Context) {
    let mut epochs = 0;
    while context.goes_on().await {
        let node = nodes[number].load(Ordering::SeqCst);
        epochs += 1;
        let begin_us = context.recorder.now_us();
        let pushed = agent(&client, node).push(tables(node, epochs)).await;
        let action = Action::Write { node, value: epochs, epoch: epochs as u32 };
        let mut known = context.take_down(begin_us, action, pushed.map(|ack| ack.revision));
        // Somebody may look in between, or be cut off with the node and not hear that it is removed.
        context.rest_now_and_then(REST_MAX).await;
        let goes_on = context.goes_on().await;
        if known && goes_on {
            let begin_us = context.recorder.now_us();
            let removed = client.change(Change::RemoveNode { node: key(node) }).await;
            known = context.take_down(begin_us, Action::Remove { node }, removed.map(|_| 0));
        }
        if known {
            // Long enough that a replica may have missed all of its epoch, and that somebody looks for its ghost.
            context.rest_now_and_then(REST_MAX).await;
        }
        if !known {
            nodes[number].fetch_add(nodes.len() as u32, Ordering::SeqCst);
        }
    }
}

impl Context {
    /// Takes an operation down; false if its outcome is not known.
    fn take_down(&self, begin_us: u64, action: Action, done: Result<u64, Error>) -> bool {
        let outcome = match done {
            Ok(revision) => Outcome::Done { end_us: self.recorder.now_us(), revision },
            Err(error) => failed(&self.recorder, &error),
        };
        let known = !matches!(outcome, Outcome::Unknown { .. } | Outcome::Nonsense { .. });
        self.recorder.add(Operation { client: self.client, begin_us, action, outcome });
        known
    }
}
