//! Nodes whose pushes arrive more than once: at several replicas at one moment, and again when others have followed, as a
//! network delivers them that repeats, delays and reorders.
//!
//! They speak the protocol themselves, for the SDK sends again only what was not answered.

use std::time::Duration;

use rand::Rng;
use rand::seq::SliceRandom;
use tokio::task::JoinSet;
use unum_client::{Error, NodeDescription};
use unum_proto::model::{Push, PushOutcome, RetryReason, SchemasSent};
use unum_proto::wire::ingest_client::IngestClient;

use super::context::{Context, TIMEOUT, key, tables};
use crate::history::{Action, Operation, Outcome, Recorder};

/// Its only one: it never dies.
const EPOCH: u64 = 1;

/// One push in so many is sent once more when it is old, after so long at most.
const LATE_ONE_IN: u32 = 4;
const LATE_MAX: Duration = Duration::from_millis(300);

/// Late copies that are on their way at once, at most.
const LATE_COPIES_MAX: usize = 16;

/// Pushes the node's next value until it is told to stop.
pub async fn run(addrs: Vec<String>, node: u32, mut context: Context) {
    let mut late = JoinSet::new();
    let mut value = 0;
    while context.goes_on().await {
        value += 1;
        // Made once: a copy is the same to the byte, with the time of its rows.
        let push = Push::new(NodeDescription::new(key(node)), EPOCH, value, tables(node, value));
        let duplicate = DuplicatePush { client: context.client, node, value, push: push.expect("a legal push") };
        let mut order = addrs.clone();
        order.shuffle(&mut context.random);
        if !duplicate.at_once(&order, &context.recorder).await {
            continue;
        }
        while late.try_join_next().is_some() {}
        if context.one_in(LATE_ONE_IN) && late.len() < LATE_COPIES_MAX {
            let (recorder, after) = (context.recorder.clone(), LATE_MAX.mul_f64(context.random.random()));
            late.spawn(async move {
                tokio::time::sleep(after).await;
                duplicate.again(&order[0], &recorder).await;
            });
        }
    }
    late.join_all().await;
}

#[derive(Debug)]
struct DuplicatePush {
    client: u32,
    node: u32,
    value: u64,
    push: Push,
}

impl DuplicatePush {
    /// Sends the push to two replicas at one moment; whether one of them has acknowledged it. The better answer is that of
    /// the write, the other one that of a copy.
    async fn at_once(&self, addrs: &[String], recorder: &Recorder) -> bool {
        let begin_us = recorder.now_us();
        let other = addrs.get(1).unwrap_or(&addrs[0]);
        let (one, other) = tokio::join!(self.send(&addrs[0], recorder), self.send(other, recorder));
        // What was not acknowledged may have been done by either; what was refused by one is not done by the other.
        let known = |outcome: &Outcome| match outcome {
            Outcome::Done { .. } => 4,
            Outcome::Nonsense { .. } => 3,
            Outcome::Unknown { .. } => 2,
            Outcome::Refused { .. } => 1,
            Outcome::Failed { .. } => 0,
        };
        let (write, copy) = if known(&one) < known(&other) { (other, one) } else { (one, other) };
        let done = matches!(write, Outcome::Done { .. });
        let Self { client, node, value, .. } = *self;
        recorder.add(Operation { client, begin_us, action: Action::Write { node, value, epoch: 1 }, outcome: write });
        recorder.add(Operation { client, begin_us, action: Action::Copy { node, value }, outcome: copy });
        done
    }

    /// Sends it once more.
    async fn again(self, addr: &str, recorder: &Recorder) {
        let begin_us = recorder.now_us();
        let outcome = self.send(addr, recorder).await;
        let Self { client, node, value, .. } = self;
        recorder.add(Operation { client, begin_us, action: Action::Copy { node, value }, outcome });
    }

    async fn send(&self, addr: &str, recorder: &Recorder) -> Outcome {
        match tokio::time::timeout(TIMEOUT, self.ask(addr)).await {
            Ok(Ok(PushOutcome::Accepted { revision, .. })) => Outcome::Done { end_us: recorder.now_us(), revision },
            Ok(Ok(PushOutcome::Refused { message })) => Outcome::Refused { end_us: recorder.now_us(), why: message },
            Ok(Err(outcome)) => outcome,
            Err(_) => Outcome::Unknown { why: format!("{addr}: no answer within {} ms", TIMEOUT.as_millis()) },
        }
    }

    async fn ask(&self, addr: &str) -> Result<PushOutcome, Outcome> {
        let failed = |why: String| Outcome::Failed { why };
        let unknown = |why: String| Outcome::Unknown { why };
        let connected = IngestClient::connect(format!("http://{addr}")).await;
        let mut client = connected.map_err(|error| failed(error.to_string()))?;
        let one = tokio_stream::once(SchemasSent::default().push(&self.push));
        let replies = client.publish(one).await.map_err(|status| unknown(status.to_string()))?;
        let reply = replies.into_inner().message().await.map_err(|status| unknown(status.to_string()))?;
        let reply = reply.ok_or_else(|| unknown("the stream ended".to_owned()))?;
        let nonsense = |invalid| Outcome::Nonsense { what: Error::from(invalid).to_string() };
        let outcome = reply.into_result().map_err(nonsense)?;
        outcome.map_err(|retry| match retry.reason {
            RetryReason::OutcomeUnknown => unknown(retry.message),
            RetryReason::NotWritten | RetryReason::ResourceExhausted => failed(retry.message),
        })
    }
}
