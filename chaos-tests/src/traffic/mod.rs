//! Clients whose every operation is taken down.
//!
//! - [`writers`]: each is a node of its own that pushes its next value in two tables at once; its agent dies, and lives
//!   again, now and then.
//! - [`echoes`] are nodes whose pushes arrive more than once, at several replicas, and late.
//! - [`readers`] ask random replicas for one, some or all nodes.
//! - [`mortals`] are nodes that are removed, and come back.
//! - [`changes`] are made to the configuration, each only if there was no other since.
//!
//! No operation is tried twice here: the SDK does that, as it does for users.

mod changes;
mod echoes;
mod mortals;
mod readers;
mod writers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;
use unum_client::{Client, DataType, Error, NodeDescription, NodeKey, Publisher, Table, TableSnapshot};

use crate::history::{Operation, Outcome, Recorder};

/// The time that one operation has: longer than a failover, so that those that a replica's end interrupts are answered by
/// another one, and shorter than most partitions, so that there are some that fail.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Between two operations of one client, at most: a cluster at its limit finds fewer interleavings.
const PAUSE_MAX: Duration = Duration::from_millis(20);

/// Node type of all that push.
const NODE_TYPE: &str = "chaos";

/// Nodes from this number on are removed now and then.
pub const FIRST_MORTAL: u32 = 1000;

/// Whether a node may be removed.
pub fn mortal(node: u32) -> bool {
    node >= FIRST_MORTAL
}

/// Who loads the cluster.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Nodes, each with one writer.
    pub writers: u32,
    /// Nodes whose pushes arrive more than once; their numbers follow those of the writers.
    pub echoes: u32,
    /// Readers.
    pub readers: u32,
    /// Nodes that are removed and come back.
    pub mortals: u32,
    /// Clients that change the configuration.
    pub changers: u32,
    /// Whether agents die and live again.
    pub agents_die: bool,
}

/// Traffic that runs until it is stopped, or dropped.
#[derive(Debug)]
pub struct Traffic {
    recorder: Arc<Recorder>,
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

impl Traffic {
    /// Starts all clients at the replicas of these ids and addresses. The seed decides what they do, the machine when.
    ///
    /// # Errors
    /// When an address is none.
    pub fn start(replicas: &[(u64, String)], shape: Shape, seed: u64) -> Result<Self, Error> {
        let (recorder, stop) = (Arc::<Recorder>::default(), Arc::<AtomicBool>::default());
        let mut tasks = JoinSet::new();
        let mut clients = 0;
        let mut context = || {
            clients += 1;
            let random = SmallRng::seed_from_u64(seed ^ u64::from(clients).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            Context { client: clients, random, stop: Arc::clone(&stop), recorder: Arc::clone(&recorder) }
        };
        for node in 0..shape.writers {
            let client = client_from(replicas, node as usize)?;
            tasks.spawn(writers::run(client, node, shape.agents_die, context()));
        }
        for node in shape.writers..shape.writers + shape.echoes {
            let addrs = replicas.iter().map(|(_, addr)| addr.clone()).collect();
            tasks.spawn(echoes::run(addrs, node, context()));
        }
        let mortals: Arc<[AtomicU32]> =
            (0..shape.mortals).map(|number| AtomicU32::new(FIRST_MORTAL + number)).collect();
        for number in 0..shape.mortals {
            let client = client_from(replicas, number as usize)?;
            tasks.spawn(mortals::run(client, Arc::clone(&mortals), number as usize, context()));
        }
        let known = Arc::<AtomicBool>::default();
        if shape.changers > 0 {
            tasks.spawn(changes::run_node(client_from(replicas, 0)?, Arc::clone(&known), context()));
        }
        for number in 0..shape.changers {
            tasks.spawn(changes::run(client_from(replicas, number as usize)?, Arc::clone(&known), context()));
        }
        for _ in 0..shape.readers {
            let clients = replicas.iter().map(|(id, addr)| readers::At::new(*id, addr));
            let clients = clients.collect::<Result<Vec<_>, Error>>()?;
            tasks.spawn(readers::run(clients, shape.writers + shape.echoes, Arc::clone(&mortals), context()));
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

/// What each client has.
struct Context {
    client: u32,
    random: SmallRng,
    stop: Arc<AtomicBool>,
    recorder: Arc<Recorder>,
}

impl Context {
    /// Waits a random while; false when the traffic is to stop.
    async fn goes_on(&mut self) -> bool {
        tokio::time::sleep(PAUSE_MAX.mul_f64(self.random.random())).await;
        !self.stop.load(Ordering::SeqCst)
    }

    fn one_in(&mut self, many: u32) -> bool {
        self.random.random_range(0..many) == 0
    }

    /// One time in four waits a random while.
    async fn rest_now_and_then(&mut self, at_most: Duration) {
        if self.one_in(4) {
            tokio::time::sleep(at_most.mul_f64(self.random.random())).await;
        }
    }
}

/// A client of all replicas that begins with another one each.
fn client_from(replicas: &[(u64, String)], turn: usize) -> Result<Client, Error> {
    let mut endpoints: Vec<String> = replicas.iter().map(|(_, addr)| addr.clone()).collect();
    endpoints.rotate_left(turn % replicas.len());
    Ok(Client::connect_lazy(endpoints)?.with_timeout(TIMEOUT))
}

fn id(node: u32) -> String {
    format!("n{node}")
}

fn key(node: u32) -> NodeKey {
    NodeKey::parse(NODE_TYPE, &id(node)).expect("a legal key")
}

/// A new life of a node's agent.
fn agent(client: &Client, node: u32) -> Publisher {
    client.publisher(NodeDescription::new(key(node)))
}

/// The node's value in two tables, one of which names it.
fn tables(node: u32, value: u64) -> Vec<TableSnapshot> {
    let columns = [("value", DataType::UInt64, "counts pushes"), ("owner", DataType::UInt64, "the node that pushes")];
    let table = |name| {
        let table = Table::new(name, &columns).expect("a legal schema");
        table.row([value.into(), u64::from(node).into()]).snapshot()
    };
    vec![table("register_a"), table("register_b")]
}

/// What an error of the SDK says of an operation that ended just now. A deadline says that nothing was done.
fn failed(recorder: &Recorder, error: &Error) -> Outcome {
    let why = error.to_string();
    match error {
        Error::OutcomeUnknown { .. } => Outcome::Unknown { why },
        Error::Protocol(_) => Outcome::Nonsense { what: why },
        Error::Refused(_) | Error::NotPermitted(_) => Outcome::Refused { end_us: recorder.now_us(), why },
        Error::Unreachable { .. } | Error::Deadline { .. } => Outcome::Failed { why },
    }
}
