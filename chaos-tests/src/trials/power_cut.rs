//! The power goes: everything that was acknowledged is there when it comes back, and every directory opens.
//!
//! Each replica's directory is an ext4 of its own on a loop device. A cut stops the processes, copies the images as
//! they are, and goes on from the copies: what was in the page cache above the devices and not in them is gone, and so
//! is what the journal had not committed. Writes between are what a load of pushes does, acknowledged up to the cut.
//!
//! Needs root.

use std::time::Duration;

use super::trial::{Trial, cannot_run, case};
use crate::cluster::{Cluster, Setup, until};
use crate::counter::read_counter;
use crate::faults::disk::cut_power;
use crate::host::{missing, tell};
use crate::load::Load;
use crate::promise::Promise;

pub(super) const TRIAL: Trial = Trial {
    name: "power-cut",
    about: "the power goes, and what was acknowledged is there when it comes back (root)",
    cases: &[case!(long 900 one_voter_loses_power), case!(long 900 all_voters_lose_power)],
};

/// More than one value of the store may have: it has to be split.
const PAYLOAD_BYTES: usize = 20_000;

const IMAGE_MIB: u64 = 96;

/// Small bounds, so that raft snapshots and purges are under way when the power goes.
const CONFIG: &str = "[raft]\nraft_snapshot_entries = 60\nraft_log_entries_kept = 20\n\
                      [storage]\ndisk_reserve_bytes = 0\n";

/// Cuts the power again and again; returns how many pushes had been acknowledged before the cuts.
async fn cuts(size: u64, cuts: i64) -> anyhow::Result<i64> {
    let mut cluster = Cluster::prepare_with(Setup { disk_mib: Some(IMAGE_MIB), ..Setup::plain(size, CONFIG) })?;
    cluster.start_all().await?;
    let all: Vec<u64> = (1..=size).collect();
    let mut checked = 0;
    for cut in 0..cuts {
        let client = cluster.client_of_all()?.with_timeout(Duration::from_secs(3));
        let load = Load::start_with(&client, 4, 0, PAYLOAD_BYTES).await?;
        // Each cut at another place of the work.
        let acked_at_least = 10 + (cut * 37) % 150;
        until("enough is acknowledged", async || (load.acked() > acked_at_least).then_some(())).await?;
        let acked = load.acked_by_node();
        cut_power(&mut cluster, &all)?;
        cluster.start_all().await?;
        load.stop().await?;
        for (node, value) in acked {
            for id in &all {
                let found = read_counter(&cluster.client(*id)?, &node).await?;
                Promise::Lost.ensure(found >= value, || {
                    format!("cut {cut}: replica {id} has {found} of {node}, acknowledged was {value}")
                })?;
            }
            checked += value;
        }
    }
    for id in &all {
        anyhow::ensure!(cluster.stop(*id)? == Some(0), "replica {id} does not stop");
    }
    Ok(checked)
}

async fn one_voter_loses_power(_: u64) -> anyhow::Result<()> {
    const CUTS: i64 = 30;
    cannot_run(missing(true, &["mkfs.ext4", "losetup", "cp"]))?;
    let pushes = cuts(1, CUTS).await?;
    tell(&format!("{CUTS} cuts of the only voter: {pushes} acknowledged pushes, none lost, all opened"));
    Ok(())
}

async fn all_voters_lose_power(_: u64) -> anyhow::Result<()> {
    const CUTS: i64 = 10;
    cannot_run(missing(true, &["mkfs.ext4", "losetup", "cp"]))?;
    let pushes = cuts(3, CUTS).await?;
    tell(&format!("{CUTS} cuts of all three: {pushes} acknowledged pushes, none lost, all opened"));
    Ok(())
}
