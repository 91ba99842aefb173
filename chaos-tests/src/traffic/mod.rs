//! Clients whose every operation is taken down.
//!
//! - [`writers`]: each is a node of its own that pushes its next value in two tables at once; its agent dies now and then,
//!   and comes back under a new epoch.
//! - [`duplicate_pushes`] are nodes whose pushes arrive more than once, at several replicas, and late.
//! - [`readers`] ask random replicas for one, some or all nodes.
//! - [`removed_nodes`] are nodes that are removed, and come back.
//! - [`changes`] are made to the configuration, each only if there was no other since.
//!
//! No operation is tried twice here: the SDK does that, as it does for users.

mod changes;
mod context;
mod duplicate_pushes;
mod readers;
mod removed_nodes;
mod writers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::task::JoinSet;
use unum_client::Error;

use self::context::{Context, client_from};
pub use self::context::{FIRST_REMOVABLE, is_removable};
use crate::history::{Operation, Recorder};

/// Who loads the cluster.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// Nodes, each with one writer.
    pub writers: u32,
    /// Nodes whose pushes arrive more than once; their numbers follow those of the writers.
    pub duplicating: u32,
    /// Readers.
    pub readers: u32,
    /// Nodes that are removed and come back.
    pub removed: u32,
    /// Clients that change the configuration.
    pub changers: u32,
    /// Whether agents die, and come back under a new epoch.
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
    pub fn start(replicas: &[(u64, String)], workload: Workload, seed: u64) -> Result<Self, Error> {
        let (recorder, stop) = (Arc::<Recorder>::default(), Arc::<AtomicBool>::default());
        let mut tasks = JoinSet::new();
        let mut clients = 0;
        let mut context = || {
            clients += 1;
            let random = SmallRng::seed_from_u64(seed ^ u64::from(clients).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            Context { client: clients, random, stop: Arc::clone(&stop), recorder: Arc::clone(&recorder) }
        };
        for node in 0..workload.writers {
            let client = client_from(replicas, node as usize)?;
            tasks.spawn(writers::run(client, node, workload.agents_die, context()));
        }
        for node in workload.writers..workload.writers + workload.duplicating {
            let addrs = replicas.iter().map(|(_, addr)| addr.clone()).collect();
            tasks.spawn(duplicate_pushes::run(addrs, node, context()));
        }
        let removable: Arc<[AtomicU32]> =
            (0..workload.removed).map(|number| AtomicU32::new(FIRST_REMOVABLE + number)).collect();
        for number in 0..workload.removed {
            let client = client_from(replicas, number as usize)?;
            tasks.spawn(removed_nodes::run(client, Arc::clone(&removable), number as usize, context()));
        }
        let known = Arc::<AtomicBool>::default();
        if workload.changers > 0 {
            tasks.spawn(changes::run_node(client_from(replicas, 0)?, Arc::clone(&known), context()));
        }
        for number in 0..workload.changers {
            tasks.spawn(changes::run(client_from(replicas, number as usize)?, Arc::clone(&known), context()));
        }
        for _ in 0..workload.readers {
            let clients = replicas.iter().map(|(id, addr)| readers::At::new(*id, addr));
            let clients = clients.collect::<Result<Vec<_>, Error>>()?;
            tasks.spawn(readers::run(
                clients,
                workload.writers + workload.duplicating,
                Arc::clone(&removable),
                context(),
            ));
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
