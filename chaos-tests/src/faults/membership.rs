//! Members that come, go and are replaced; leads that are handed over; clocks that jump.

use std::time::Duration;

use unum_client::{Change, Client, Error, ReplicaId};

use crate::cluster::{Cluster, PATIENCE, until};

/// One change may take so long: a raft snapshot, an election, or both.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(5);

/// Asks for a change until it is there. One whose outcome is not known is looked for before it is asked for again.
async fn change(cluster: &Cluster, change: Change) -> anyhow::Result<()> {
    let client = cluster.client_of_all()?.with_timeout(CHANGE_TIMEOUT);
    let mut last = None;
    let done = until(&format!("{change:?}"), async || {
        if is_there(&client, &change).await == Some(true) {
            return Some(());
        }
        match client.change(change.clone()).await {
            Ok(_) => Some(()),
            Err(error) => {
                last = Some(error);
                None
            }
        }
    })
    .await;
    done.map_err(|error| match last {
        Some(last) => error.context(format!("last: {last}")),
        None => error,
    })
}

/// Whether a change of members was made already.
async fn is_there(client: &Client, change: &Change) -> Option<bool> {
    let role = async |id: &ReplicaId| -> Result<Option<String>, Error> {
        let result = client.query(&format!("SELECT role FROM replicas WHERE id = {id}")).await?;
        result.rows().next().map(|row| row.get("role")).transpose()
    };
    Some(match change {
        Change::AddMember { id, .. } => role(id).await.ok()?.is_some(),
        Change::PromoteMember { id } => role(id).await.ok()?.is_some_and(|role| role != "learner"),
        Change::RemoveMember { id } => role(id).await.ok()?.is_none(),
        _ => false,
    })
}

/// A replica joins under a new id, is promoted, and leaves.
pub async fn join_and_leave(cluster: &mut Cluster) -> anyhow::Result<()> {
    cluster.join_at_one_that_answers().await?;
    let id = cluster.next_id();
    cluster.join(id)?;
    cluster.wait_until_answers(id).await?;
    change(cluster, Change::PromoteMember { id: id.into() }).await?;
    change(cluster, Change::RemoveMember { id: id.into() }).await?;
    let (code, log) = cluster.wait_until_ended(id).await?;
    anyhow::ensure!(code == Some(1), "replica {id} was removed and ended with {code:?}:\n{log}");
    cluster.forget(id);
    Ok(())
}

/// A replica is removed and its directory wiped; one with a new id joins at the same address.
pub async fn replace(cluster: &mut Cluster, id: u64) -> anyhow::Result<()> {
    if cluster.member(id).runs() {
        match cluster.ended(id)? {
            None => cluster.kill(id)?,
            Some((code, log)) => {
                anyhow::ensure!(code == Some(1), "replica {id} had ended with {code:?}:\n{log}");
            }
        }
    }
    change(cluster, Change::RemoveMember { id: id.into() }).await?;
    cluster.join_at_one_that_answers().await?;
    let new = cluster.succeed(id)?;
    cluster.wait_until_answers(new).await?;
    change(cluster, Change::PromoteMember { id: new.into() }).await?;
    Ok(())
}

/// The lead is handed to whoever is furthest. That nobody can take it is an answer, too: then with why.
pub async fn transfer_lead(cluster: &Cluster) -> anyhow::Result<Result<(), String>> {
    let client = cluster.client_of_all()?.with_timeout(PATIENCE);
    match client.change(Change::TransferLeader { to: None }).await {
        Ok(_) => Ok(Ok(())),
        Err(Error::Refused(why)) => Ok(Err(why)),
        Err(error @ Error::OutcomeUnknown { .. }) => Ok(Err(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// Moves the wall clocks of these replicas.
pub fn move_clocks(cluster: &Cluster, hit: &[u64], minutes: i32) -> anyhow::Result<()> {
    for id in hit {
        cluster.set_clock(*id, minutes)?;
    }
    Ok(())
}
