//! Whether all replicas came to the same state.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cluster, until};

impl Cluster {
    /// Whether all replicas have the same state at the same entry. What is known of a replica is as old as its last
    /// report, so it is looked at until each was seen at an entry where another one was seen, too, and all hang together.
    pub async fn equal_states(&self) -> anyhow::Result<()> {
        let client = self.client_of_all()?;
        let states = async || -> anyhow::Result<Vec<(u64, u64, String)>> {
            let result = client.query("SELECT id, applied, state_hash FROM replicas").await?;
            result.rows().map(|row| Ok((row.get("id")?, row.get("applied")?, row.get("state_hash")?))).collect()
        };
        let mut seen: BTreeMap<u64, BTreeMap<u64, String>> = BTreeMap::new();
        let compared = async || {
            for (id, applied, hash) in states().await.ok()? {
                seen.entry(applied).or_default().insert(id, hash);
            }
            (linked(&seen).len() == self.members.len()).then_some(())
        };
        until("the replicas were seen at entries that link them all", compared).await?;
        for (applied, at) in &seen {
            let hashes: BTreeSet<&String> = at.values().collect();
            anyhow::ensure!(hashes.len() == 1, "the states differ at entry {applied}: {at:?}");
        }
        Ok(())
    }
}

/// The replicas that hang together with the first of the largest group, by entries at which several were seen.
fn linked(seen: &BTreeMap<u64, BTreeMap<u64, String>>) -> BTreeSet<u64> {
    let groups: Vec<BTreeSet<u64>> =
        seen.values().filter(|at| at.len() > 1).map(|at| at.keys().copied().collect()).collect();
    let mut linked = groups.iter().max_by_key(|group| group.len()).cloned().unwrap_or_default();
    while let Some(more) = groups.iter().find(|group| !group.is_disjoint(&linked) && !group.is_subset(&linked)) {
        linked.extend(more);
    }
    linked
}
