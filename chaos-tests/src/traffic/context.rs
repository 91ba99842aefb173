//! What all clients of the traffic have in common: their time, their names, their tables, and what an error means.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;
use unum_client::{Client, DataType, Error, NodeDescription, NodeKey, Publisher, Table, TableSnapshot};

use crate::history::{Outcome, Recorder};

/// The time that one operation has: longer than a failover, so that those that a replica's end interrupts are answered by
/// another one, and shorter than most partitions, so that there are some that fail.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);

/// Between two operations of one client, at most: a cluster at its limit finds fewer interleavings.
pub(super) const PAUSE_MAX: Duration = Duration::from_millis(20);

/// Node type of all that push.
pub(super) const NODE_TYPE: &str = "chaos";

/// Nodes from this number on are removed now and then.
pub const FIRST_REMOVABLE: u32 = 1000;

/// Whether a node may be removed.
pub fn is_removable(node: u32) -> bool {
    node >= FIRST_REMOVABLE
}

/// What each client has.
pub(super) struct Context {
    pub(super) client: u32,
    pub(super) random: SmallRng,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) recorder: Arc<Recorder>,
}

impl Context {
    /// Waits a random while; false when the traffic is to stop.
    pub(super) async fn goes_on(&mut self) -> bool {
        tokio::time::sleep(PAUSE_MAX.mul_f64(self.random.random())).await;
        !self.stop.load(Ordering::SeqCst)
    }

    pub(super) fn one_in(&mut self, many: u32) -> bool {
        self.random.random_range(0..many) == 0
    }

    /// One time in four waits a random while.
    pub(super) async fn rest_now_and_then(&mut self, at_most: Duration) {
        if self.one_in(4) {
            tokio::time::sleep(at_most.mul_f64(self.random.random())).await;
        }
    }
}

/// A client of all replicas that begins with another one each.
pub(super) fn client_from(replicas: &[(u64, String)], turn: usize) -> Result<Client, Error> {
    let mut endpoints: Vec<String> = replicas.iter().map(|(_, addr)| addr.clone()).collect();
    endpoints.rotate_left(turn % replicas.len());
    Client::builder(endpoints).timeout(TIMEOUT).build()
}

pub(super) fn id(node: u32) -> String {
    format!("n{node}")
}

pub(super) fn key(node: u32) -> NodeKey {
    NodeKey::parse(NODE_TYPE, &id(node)).expect("a legal key")
}

/// A new epoch of a node's agent.
pub(super) fn agent(client: &Client, node: u32) -> Publisher {
    client.publisher(NodeDescription::new(key(node)))
}

/// The node's value in two tables, one of which names it.
pub(super) fn tables(node: u32, value: u64) -> Vec<TableSnapshot> {
    let columns = [("value", DataType::UInt64, "counts pushes"), ("owner", DataType::UInt64, "the node that pushes")];
    let table = |name| {
        let table = Table::new(name, &columns).expect("a legal schema");
        table.row([value.into(), u64::from(node).into()]).snapshot()
    };
    vec![table("register_a"), table("register_b")]
}

/// What an error of the SDK says of an operation that ended just now. A deadline says that nothing was done.
pub(super) fn failed(recorder: &Recorder, error: &Error) -> Outcome {
    let why = error.to_string();
    match error {
        Error::OutcomeUnknown { .. } => Outcome::Unknown { why },
        Error::Protocol(_) => Outcome::Nonsense { what: why },
        Error::Refused(_) | Error::NameHeld(_) | Error::NotPermitted(_) => {
            Outcome::Refused { end_us: recorder.now_us(), why }
        }
        Error::Unreachable { .. } | Error::Deadline { .. } => Outcome::Failed { why },
    }
}
