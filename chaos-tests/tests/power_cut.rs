//! The power goes: everything that was acknowledged is there when it comes back, and every directory opens.
//!
//! Each replica's directory is an ext4 of its own on a loop device. A cut stops the processes, copies the images as
//! they are, and goes on from the copies: what was in the page cache above the devices and not in them is gone, and so
//! is what the journal had not committed. Writes between are what a load of pushes does, acknowledged up to the cut.
//!
//! Needs root: `cargo test -p unum-chaos-tests --test power_cut -- --ignored --nocapture`.

use std::time::Duration;

use unum_chaos_tests::cluster::{Cluster, Setup, until};
use unum_chaos_tests::counter::read_counter;
use unum_chaos_tests::faults::disk::cut_power;
use unum_chaos_tests::host::can_run;
use unum_chaos_tests::load::Load;

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
                anyhow::ensure!(
                    found >= value,
                    "cut {cut}: replica {id} has {found} of {node}, acknowledged was {value}"
                );
            }
            checked += value;
        }
    }
    for id in &all {
        anyhow::ensure!(cluster.stop(*id)? == Some(0), "replica {id} does not stop");
    }
    Ok(checked)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root and some minutes"]
async fn one_voter_loses_power() -> anyhow::Result<()> {
    const CUTS: i64 = 30;
    if can_run("one_voter_loses_power", true, &["mkfs.ext4", "losetup", "cp"]) {
        println!("{CUTS} cuts of the only voter: {} acknowledged pushes, none lost, all opened", cuts(1, CUTS).await?);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root and some minutes"]
async fn all_voters_lose_power() -> anyhow::Result<()> {
    const CUTS: i64 = 10;
    if can_run("all_voters_lose_power", true, &["mkfs.ext4", "losetup", "cp"]) {
        println!("{CUTS} cuts of all three: {} acknowledged pushes, none lost, all opened", cuts(3, CUTS).await?);
    }
    Ok(())
}
