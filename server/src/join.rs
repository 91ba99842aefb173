//! A replica that comes into a group that runs: it asks any member to be taken in as a learner.

use std::time::Duration;

use anyhow::Context;
use unum_client::{Change, Client};

use crate::consensus::Group;

/// How long the group may take to answer.
const JOIN_TIMEOUT: Duration = Duration::from_secs(30);

fn client(endpoint: &str) -> anyhow::Result<Client> {
    Ok(Client::builder([endpoint]).timeout(JOIN_TIMEOUT).build()?)
}

/// The cluster that the replica at `endpoint` belongs to.
pub async fn cluster_id(endpoint: &str) -> anyhow::Result<u64> {
    let status = client(endpoint)?.status().await;
    Ok(status.with_context(|| format!("cannot join at {endpoint}; name a replica of the group that runs"))?.cluster_id)
}

/// Joins, unless the group has taken this replica in before.
pub async fn join(group: &Group, endpoint: &str, advertise: &str) -> anyhow::Result<()> {
    let replica = group.replica();
    if group.members().members.iter().any(|member| member.id == replica) {
        return Ok(());
    }
    let change = Change::add_member(replica, advertise.to_owned())?;
    let done = client(endpoint)?.change(change).await;
    let done = done.with_context(|| format!("replica {replica} is not taken in by the group at {endpoint}"))?;
    tracing::info!(done, "joined");
    Ok(())
}
