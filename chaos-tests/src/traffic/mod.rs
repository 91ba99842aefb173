//! Writers and readers whose every operation is taken down.
//!
//! Each writer is a node of its own that pushes its next value in two tables at once. Readers ask random replicas for
//! one, some or all nodes. No operation is tried twice here: the SDK does that, as it does for users.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;
use unum_client::{Client, DataType, Error, NodeDescription, NodeKey, Publisher, Table, TableSnapshot};

use crate::history::{Action, Operation, Outcome, Recorder};

/// The time that one operation has: longer than a failover, shorter than a partition.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Between two operations of one client, at most: a cluster at its limit finds fewer interleavings.
const PAUSE_MAX: Duration = Duration::from_millis(20);

/// Node type of the writers.
const NODE_TYPE: &str = "chaos";

/// Who loads the cluster.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Nodes, each with one writer.
    pub writers: u32,
    /// Readers.
    pub readers: u32,
}

/// Traffic that runs until it is stopped, or dropped.
#[derive(Debug)]
pub struct Traffic {
    recorder: Arc<Recorder>,
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

impl Traffic {
    /// Starts writers and readers at the replicas of these ids and addresses. The seed decides what they do, the machine
    /// when.
    pub fn start(replicas: &[(u64, String)], shape: Shape, seed: u64) -> Result<Self, Error> {
        let (recorder, stop) = (Arc::<Recorder>::default(), Arc::<AtomicBool>::default());
        let mut tasks = JoinSet::new();
        for node in 0..shape.writers {
            let mut endpoints: Vec<String> = replicas.iter().map(|(_, addr)| addr.clone()).collect();
            let turn = node as usize % endpoints.len();
            endpoints.rotate_left(turn);
            let client = Client::connect_lazy(endpoints)?.with_timeout(TIMEOUT);
            let publisher = client.publisher(NodeDescription::new(NodeKey::parse(NODE_TYPE, &id(node))?));
            let pace = Pace { random: SmallRng::seed_from_u64(seed ^ u64::from(node)), stop: Arc::clone(&stop) };
            tasks.spawn(write(publisher, node, pace, Arc::clone(&recorder)));
        }
        for reader in 0..shape.readers {
            // One client a replica: a session that spans replicas would hide a replica that is behind.
            let clients = replicas
                .iter()
                .map(|(id, addr)| Ok((*id, Client::connect_lazy([addr.clone()])?.with_timeout(TIMEOUT))));
            let clients = clients.collect::<Result<Vec<_>, Error>>()?;
            let number = shape.writers + reader;
            let pace = Pace { random: SmallRng::seed_from_u64(seed ^ u64::from(number)), stop: Arc::clone(&stop) };
            tasks.spawn(read(clients, number, shape.writers, pace, Arc::clone(&recorder)));
        }
        Ok(Self { recorder, stop, tasks })
    }

    /// The history so far.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Stops all; returns what they did.
    ///
    /// # Errors
    /// When a client panicked.
    pub async fn stop(mut self) -> anyhow::Result<Vec<Operation>> {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.tasks.join_next().await {
            ended?;
        }
        Ok(self.recorder.operations())
    }
}

/// When a client does its next operation, and whether.
struct Pace {
    random: SmallRng,
    stop: Arc<AtomicBool>,
}

impl Pace {
    async fn goes_on(&mut self) -> bool {
        tokio::time::sleep(PAUSE_MAX.mul_f64(self.random.random())).await;
        !self.stop.load(Ordering::SeqCst)
    }
}

fn id(node: u32) -> String {
    format!("n{node}")
}

/// The node's value in two tables: whoever sees them differ has seen half a push.
fn tables(value: u64) -> Vec<TableSnapshot> {
    let table = |name| {
        let table = Table::new(name, &[("value", DataType::UInt64, "counts pushes")]).expect("a legal schema");
        table.row([value.into()]).snapshot()
    };
    vec![table("register_a"), table("register_b")]
}

async fn write(mut publisher: Publisher, node: u32, mut pace: Pace, recorder: Arc<Recorder>) {
    let mut value = 0;
    while pace.goes_on().await {
        value += 1;
        let begin_us = recorder.now_us();
        let outcome = match publisher.push(tables(value)).await {
            Ok(ack) => Outcome::Done { end_us: recorder.now_us(), revision: ack.revision },
            Err(error) => failed(&error),
        };
        recorder.add(Operation { client: node, begin_us, action: Action::Write { node, value }, outcome });
    }
}

/// What an error of the SDK says of a write. A deadline says that nothing was done.
fn failed(error: &Error) -> Outcome {
    let why = error.to_string();
    match error {
        Error::OutcomeUnknown { .. } | Error::Protocol(_) => Outcome::Unknown { why },
        Error::Refused(_) | Error::NotPermitted(_) | Error::Unreachable { .. } | Error::Deadline { .. } => {
            Outcome::Failed { why }
        }
    }
}

async fn read(clients: Vec<(u64, Client)>, number: u32, writers: u32, mut pace: Pace, recorder: Arc<Recorder>) {
    while pace.goes_on().await {
        let (replica, client) = &clients[pace.random.random_range(0..clients.len())];
        // As often one node as some or all.
        let nodes: Vec<u32> = match pace.random.random_range(0..3) {
            0 => vec![pace.random.random_range(0..writers)],
            1 => (0..writers).filter(|_| pace.random.random()).collect(),
            _ => (0..writers).collect(),
        };
        let begin_us = recorder.now_us();
        let (seen, outcome) = match ask(client, &nodes).await {
            Ok((seen, revision)) => (seen, Outcome::Done { end_us: recorder.now_us(), revision }),
            Err(error) => (Vec::new(), Outcome::Failed { why: error.to_string() }),
        };
        let action = Action::Read { replica: *replica, seen };
        recorder.add(Operation { client: number, begin_us, action, outcome });
    }
}

/// The values of nodes and the revision. Half a push shows as a value that nobody wrote.
async fn ask(client: &Client, nodes: &[u32]) -> Result<(Vec<(u32, u64)>, u64), Error> {
    let ids: Vec<String> = nodes.iter().map(|node| format!("'{}'", id(*node))).collect();
    let wanted = if ids.is_empty() { "1 = 0".to_owned() } else { format!("a.node_id IN ({})", ids.join(", ")) };
    let sql = format!(
        "SELECT a.node_id, a.value AS a, b.value AS b FROM cluster_register_a a JOIN cluster_register_b b \
         ON a.node_type = b.node_type AND a.node_id = b.node_id WHERE a.node_type = '{NODE_TYPE}' AND {wanted}"
    );
    let result = client.query(&sql).await?;
    let mut seen: Vec<(u32, u64)> = nodes.iter().map(|node| (*node, 0)).collect();
    for row in result.rows() {
        let (node, a, b): (String, u64, u64) = (row.get("node_id")?, row.get("a")?, row.get("b")?);
        let value = if a == b { a } else { u64::MAX };
        let place = seen.iter_mut().find(|(number, _)| id(*number) == node);
        place.ok_or_else(|| Error::Protocol(format!("node {node} was not asked for")))?.1 = value;
    }
    Ok((seen, result.revision))
}
