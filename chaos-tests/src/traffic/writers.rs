//! Writers: a node each, whose agent may die and live again.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use unum_client::{Client, Publisher};

use super::context::{Context, agent, failed, tables};
use crate::history::{Action, Operation, Outcome, Recorder};

/// An agent dies after so many pushes on average, with a push on its way.
const PUSHES_OF_AN_EPOCH: u32 = 60;

/// The first epoch is shorter, and its agent always goes on: a slow machine makes few pushes, and shall see a ghost, too.
const PUSHES_OF_THE_FIRST_EPOCH: u32 = 6;

/// What an agent that was taken for dead still tries: all but the last beside the one that took its name, and the last
/// when that one was acknowledged.
const PUSHES_OF_A_GHOST: u64 = 3;

/// Pushes the node's next value until it is told to stop.
pub async fn run(client: Client, node: u32, dies: bool, mut context: Context) {
    let mut publisher = agent(&client, node);
    let (mut value, mut epoch, mut begins_epoch) = (0, 1, true);
    let mut ghosts = JoinSet::new();
    // Who waits for the first acknowledgement of this epoch.
    let mut haunted: Option<oneshot::Sender<()>> = None;
    while context.goes_on().await {
        value += 1;
        let push = Push { client: context.client, node, value, epoch };
        let begins = std::mem::take(&mut begins_epoch);
        let pushes = if epoch == 1 { PUSHES_OF_THE_FIRST_EPOCH } else { PUSHES_OF_AN_EPOCH };
        // One that has not pushed has no epoch yet, and would take the name later than the one that comes after it.
        if begins || !dies || !context.one_in(pushes) {
            let acknowledged = push.send(&mut publisher, &context.recorder).await;
            if acknowledged && let Some(ghost) = haunted.take() {
                // It waits for this; one that has panicked says so when it is joined.
                let _ = ghost.send(());
            }
            continue;
        }
        let old = std::mem::replace(&mut publisher, agent(&client, node));
        (epoch, begins_epoch) = (epoch + 1, true);
        if epoch > 2 && context.one_in(2) {
            // It dies with a push on its way, which may still arrive: nobody will know.
            push.die(old, &context.recorder).await;
        } else {
            // It goes on beside the new one, and does not know that it is too old. Its values are its own.
            let (first, replaced) = oneshot::channel();
            haunted = Some(first);
            let ghost = Arc::clone(&context.recorder);
            ghosts.spawn(async move { push.haunt(old, replaced, &ghost).await });
            value += PUSHES_OF_A_GHOST;
        }
    }
    // Nobody is acknowledged any more, and what ghosts did has to be in the history, too.
    drop(haunted);
    ghosts.join_all().await;
}

#[derive(Debug, Clone, Copy)]
struct Push {
    client: u32,
    node: u32,
    value: u64,
    epoch: u32,
}

impl Push {
    fn record(self, recorder: &Recorder, begin_us: u64, outcome: Outcome) {
        let Self { client, node, value, epoch } = self;
        recorder.add(Operation { client, begin_us, action: Action::Write { node, value, epoch }, outcome });
    }

    /// Sends it; whether it was acknowledged.
    async fn send(self, publisher: &mut Publisher, recorder: &Recorder) -> bool {
        let begin_us = recorder.now_us();
        let outcome = match publisher.push(tables(self.node, self.value)).await {
            Ok(ack) => Outcome::Done { end_us: recorder.now_us(), revision: ack.revision },
            Err(error) => failed(recorder, &error),
        };
        let acknowledged = matches!(outcome, Outcome::Done { .. });
        self.record(recorder, begin_us, outcome);
        acknowledged
    }

    async fn die(self, mut publisher: Publisher, recorder: &Recorder) {
        let begin_us = recorder.now_us();
        // Long enough to be sent, too short to be answered.
        let soon = std::time::Duration::from_micros(500);
        let outcome = match tokio::time::timeout(soon, publisher.push(tables(self.node, self.value))).await {
            Ok(Ok(ack)) => Outcome::Done { end_us: recorder.now_us(), revision: ack.revision },
            Ok(Err(error)) => failed(recorder, &error),
            Err(_) => Outcome::Unknown { why: "the agent died".into() },
        };
        self.record(recorder, begin_us, outcome);
    }

    async fn haunt(mut self, mut publisher: Publisher, replaced: oneshot::Receiver<()>, recorder: &Recorder) {
        for _ in 1..PUSHES_OF_A_GHOST {
            self.send(&mut publisher, recorder).await;
            self.value += 1;
        }
        if replaced.await.is_ok() {
            self.send(&mut publisher, recorder).await;
        }
    }
}
