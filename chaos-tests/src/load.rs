//! A load whose answers are judged as they come: writers that count up, readers that must never see less than what was
//! acknowledged before they asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::JoinHandle;
use unum_client::Client;

use crate::counter::{counter, counter_with, publisher, read_counter};
use crate::promise::Promise;

/// What one writer or reader saw.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Acknowledged pushes.
    pub pushes: u64,
    /// Answered reads.
    pub reads: u64,
    /// Requests that failed in spite of the SDK's own retries, and stale answers.
    pub failures: Vec<String>,
    /// The longest that one push took.
    pub longest_push: Duration,
    /// The longest that one read took.
    pub longest_read: Duration,
    /// The last acknowledged push of each writer.
    pub last: Vec<Last>,
}

/// A writer's last acknowledged push.
#[derive(Debug, Clone)]
pub struct Last {
    /// The writer's node.
    pub node: String,
    /// What it pushed.
    pub value: i64,
    /// The revision that it was acknowledged with.
    pub revision: u64,
}

impl Tally {
    /// Nothing failed; and each writer's last push is what a replica has, at the revision it was acknowledged with: a
    /// push that is applied twice would have a later one.
    pub async fn check(&self, client: &Client) -> anyhow::Result<()> {
        anyhow::ensure!(self.failures.is_empty(), "{}", self.failures.join("\n"));
        for Last { node, value, revision } in &self.last {
            let sql = format!("SELECT value, revision FROM cluster_counter WHERE node_id = '{node}'");
            let result = client.query(&sql).await?;
            let row = result.rows().next().with_context(|| format!("{node} has no row"))?;
            let found: (i64, u64) = (row.get("value")?, row.get("revision")?);
            Promise::Lost.ensure(found == (*value, *revision), || {
                format!("{node} is at {found:?}, acknowledged {value} at {revision}")
            })?;
        }
        Ok(())
    }
}

/// Writers and readers that run until they are stopped.
#[derive(Debug)]
pub struct Load {
    acked: Arc<Vec<AtomicI64>>,
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<Tally>>,
}

impl Load {
    /// Starts writers and readers that share a client. Each writer has pushed once when this returns.
    pub async fn start(client: &Client, writers: usize, readers: usize) -> anyhow::Result<Self> {
        Self::start_with(client, writers, readers, 0).await
    }

    /// The same, with so many bytes of text beside each counter, in the same push.
    pub async fn start_with(client: &Client, writers: usize, readers: usize, payload: usize) -> anyhow::Result<Self> {
        let acked: Arc<Vec<_>> = Arc::new((0..writers).map(|_| AtomicI64::new(0)).collect());
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = Vec::new();
        for writer in 0..writers {
            let mut publisher = publisher(client, &node(writer));
            publisher.push(counter(1)).await?;
            acked[writer].store(1, Ordering::SeqCst);
            tasks.push(tokio::spawn(write(publisher, writer, payload, Arc::clone(&acked), Arc::clone(&stop))));
        }
        for reader in 0..readers {
            tasks.push(tokio::spawn(read(client.clone(), reader, Arc::clone(&acked), Arc::clone(&stop))));
        }
        Ok(Self { acked, stop, tasks })
    }

    /// All pushes that were acknowledged so far.
    pub fn acked(&self) -> i64 {
        self.acked.iter().map(|acked| acked.load(Ordering::SeqCst)).sum()
    }

    /// What each writer's node was last acknowledged with.
    pub fn acked_by_node(&self) -> Vec<(String, i64)> {
        let value = |(writer, acked): (usize, &AtomicI64)| (node(writer), acked.load(Ordering::SeqCst));
        self.acked.iter().enumerate().map(value).collect()
    }

    /// Stops all and adds up what they saw.
    pub async fn stop(self) -> anyhow::Result<Tally> {
        self.stop.store(true, Ordering::SeqCst);
        let mut sum = Tally::default();
        for task in self.tasks {
            let tally = task.await?;
            sum.pushes += tally.pushes;
            sum.reads += tally.reads;
            sum.failures.extend(tally.failures);
            sum.last.extend(tally.last);
            sum.longest_push = sum.longest_push.max(tally.longest_push);
            sum.longest_read = sum.longest_read.max(tally.longest_read);
        }
        Ok(sum)
    }
}

fn node(writer: usize) -> String {
    format!("writer_{writer}")
}

async fn write(
    mut publisher: unum_client::Publisher,
    writer: usize,
    payload: usize,
    acked: Arc<Vec<AtomicI64>>,
    stop: Arc<AtomicBool>,
) -> Tally {
    let mut tally = Tally::default();
    let mut value = 1;
    while !stop.load(Ordering::SeqCst) {
        value += 1;
        let asked = Instant::now();
        match publisher.push(counter_with(value, payload)).await {
            Ok(ack) => {
                acked[writer].store(value, Ordering::SeqCst);
                tally.pushes += 1;
                tally.last = vec![Last { node: node(writer), value, revision: ack.revision }];
            }
            Err(error) => tally.failures.push(format!("push {value} of writer {writer}: {error}")),
        }
        tally.longest_push = tally.longest_push.max(asked.elapsed());
    }
    tally
}

async fn read(client: Client, reader: usize, acked: Arc<Vec<AtomicI64>>, stop: Arc<AtomicBool>) -> Tally {
    let mut tally = Tally::default();
    for turn in reader.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let writer = turn % acked.len();
        let at_least = acked[writer].load(Ordering::SeqCst);
        let asked = Instant::now();
        match read_counter(&client, &node(writer)).await {
            Ok(value) if value >= at_least => tally.reads += 1,
            Ok(value) => {
                let stale = format!("read {value} of writer {writer} after {at_least}");
                tally.failures.push(Promise::Stale.broken(stale).to_string());
            }
            Err(error) => tally.failures.push(format!("read of writer {writer}: {error}")),
        }
        tally.longest_read = tally.longest_read.max(asked.elapsed());
    }
    tally
}
