//! Readers of random nodes at random replicas.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rand::Rng;
use unum_client::{Client, Error};

use super::context::{Context, NODE_TYPE, TIMEOUT, failed, id};
use crate::history::{Action, Operation, Outcome, Seen};

/// One read in so many is made by a client that knows nothing: a session would hide a replica that has gone back.
const STRANGER_ONE_IN: u32 = 4;

/// A reader's client of one replica: a session that spans several would hide one that is behind.
#[derive(Debug)]
pub struct At {
    replica: u64,
    addr: String,
    client: Client,
}

impl At {
    /// A client of the replica of this id at this address.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(replica: u64, addr: &str) -> Result<Self, Error> {
        Ok(Self { replica, addr: addr.to_owned(), client: client(addr)? })
    }
}

fn client(addr: &str) -> Result<Client, Error> {
    Client::builder([addr.to_owned()]).timeout(TIMEOUT).build()
}

/// Reads until it is told to stop.
pub async fn run(mut replicas: Vec<At>, all: u32, removable: Arc<[AtomicU32]>, mut context: Context) {
    while context.goes_on().await {
        let chosen = context.random.random_range(0..replicas.len());
        let At { replica, addr, client: known } = &mut replicas[chosen];
        if context.one_in(STRANGER_ONE_IN) {
            *known = client(addr).expect("an address that was one before");
        }
        // As often one node as some or all.
        let mut nodes: Vec<u32> = match context.random.random_range(0..3) {
            0 => vec![context.random.random_range(0..all)],
            1 => (0..all).filter(|_| context.random.random()).collect(),
            _ => (0..all).collect(),
        };
        nodes.extend(removable.iter().map(|node| node.load(Ordering::SeqCst)));
        let begin_us = context.recorder.now_us();
        let (seen, outcome) = match ask(known, &nodes).await {
            Ok((seen, revision)) => (seen, Outcome::Done { end_us: context.recorder.now_us(), revision }),
            // A read changes nothing, so that nothing is known of it is as good as that it failed.
            Err(error) => match failed(&context.recorder, &error) {
                Outcome::Unknown { why } => (Vec::new(), Outcome::Failed { why }),
                outcome => (Vec::new(), outcome),
            },
        };
        let action = Action::Read { replica: *replica, seen };
        context.recorder.add(Operation { client: context.client, begin_us, action, outcome });
    }
}

/// What the nodes had, and the revision.
async fn ask(client: &Client, nodes: &[u32]) -> Result<(Vec<Seen>, u64), Error> {
    let ids: Vec<String> = nodes.iter().map(|node| format!("'{}'", id(*node))).collect();
    let wanted = if ids.is_empty() { "1 = 0".to_owned() } else { format!("node_id IN ({})", ids.join(", ")) };
    // Not a join: of half a push it would show nothing. No other type of node pushes this: what has one is in the wrong place.
    let half = |table| {
        format!(
            "SELECT '{table}' AS half, node_type, node_id, value, owner, revision FROM cluster_register_{table} \
             WHERE node_type <> '{NODE_TYPE}' OR {wanted}"
        )
    };
    let result = client.query(&format!("{} UNION ALL {}", half("a"), half("b"))).await?;
    let mut halves: Vec<[Option<Seen>; 2]> = vec![[None; 2]; nodes.len()];
    for row in result.rows() {
        let name: String = row.get("node_id")?;
        let node_type: String = row.get("node_type")?;
        let place = nodes.iter().position(|node| node_type == NODE_TYPE && id(*node) == name);
        let place = place.ok_or_else(|| Error::Protocol(format!("a row of {node_type}/{name} that has none")))?;
        let table = usize::from(row.get::<String>("half")? == "b");
        let owner = u32::try_from(row.get::<u64>("owner")?).unwrap_or(u32::MAX);
        let value = row.get("value")?;
        let half = Seen { node: nodes[place], value, other: value, owner, revision: row.get("revision")? };
        if halves[place][table].replace(half).is_some() {
            return Err(Error::Protocol(format!("node {name} has two rows in one table")));
        }
    }
    let seen = nodes.iter().zip(halves).map(|(node, [one, other])| whole(*node, one, other));
    Ok((seen.collect::<Result<_, Error>>()?, result.revision))
}

/// What two tables say of one push.
fn whole(node: u32, one: Option<Seen>, other: Option<Seen>) -> Result<Seen, Error> {
    match (one, other) {
        (Some(one), Some(other)) if one.value == other.value && one != other => {
            Err(Error::Protocol(format!("one push has two rows that differ: {one:?} and {other:?}")))
        }
        (Some(one), Some(other)) => Ok(Seen { other: other.value, ..one }),
        (Some(one), None) => Ok(Seen { other: 0, ..one }),
        (None, Some(other)) => Ok(Seen { value: 0, ..other }),
        (None, None) => Ok(Seen::nothing(node)),
    }
}
