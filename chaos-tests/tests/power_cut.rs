//! The power goes: everything that was acknowledged is there when it comes back, and every directory opens.
//!
//! Each replica's directory is an ext4 of its own on a loop device. A cut stops the processes, copies the images as
//! they are, and goes on from the copies: what was in the page cache above the devices and not in them is gone, and so
//! is what the journal had not committed. Writes between are what a load of pushes does, acknowledged up to the cut.
//!
//! Needs root: `cargo test -p unum-chaos-tests --test power_cut -- --ignored --nocapture`.

use std::path::PathBuf;
use std::time::Duration;

use unum_chaos_tests::cluster::{Cluster, until};
use unum_chaos_tests::counter::read_counter;
use unum_chaos_tests::host::{Mount, can_run, make_ext4, sh};
use unum_chaos_tests::load::Load;

/// More than one value of the store may have: it has to be split.
const PAYLOAD_BYTES: usize = 20_000;

const IMAGE_MIB: u64 = 96;

/// Small bounds, so that raft snapshots and purges are under way when the power goes.
const CONFIG: &str = "[raft]\nraft_snapshot_entries = 60\nraft_log_entries_kept = 20\n\
                      [storage]\ndisk_reserve_bytes = 0\n";

struct Rig {
    cluster: Cluster,
    images: Vec<(u64, PathBuf)>,
    mounts: Vec<Mount>,
}

impl Rig {
    fn new(size: u64) -> anyhow::Result<Self> {
        let cluster = Cluster::prepare(size, CONFIG)?;
        let mut rig = Self { images: Vec::new(), mounts: Vec::new(), cluster };
        for id in 1..=size {
            let image = rig.cluster.dir().join(format!("{id}.img"));
            make_ext4(&image, IMAGE_MIB)?;
            rig.images.push((id, image));
        }
        rig.mount()?;
        Ok(rig)
    }

    fn mount(&mut self) -> anyhow::Result<()> {
        for (id, image) in &self.images {
            self.mounts.push(Mount::image(image, &self.cluster.member(*id).data_dir)?);
        }
        Ok(())
    }

    /// The power goes for all replicas at one moment, and comes back.
    async fn cut(&mut self) -> anyhow::Result<()> {
        for (id, _) in &self.images {
            self.cluster.process(*id)?.signal("STOP")?;
        }
        for (_, image) in &self.images {
            sh("cp", &["--sparse=always", &image.to_string_lossy(), &format!("{}.cut", image.display())])?;
        }
        for (id, _) in &self.images {
            self.cluster.kill(*id)?;
        }
        for mount in self.mounts.drain(..) {
            mount.unmount()?;
        }
        for (_, image) in &self.images {
            std::fs::rename(format!("{}.cut", image.display()), image)?;
        }
        self.mount()?;
        self.cluster.start_all().await
    }
}

/// Cuts the power again and again; returns how many pushes had been acknowledged before the cuts.
async fn cuts(size: u64, cuts: i64) -> anyhow::Result<i64> {
    let mut rig = Rig::new(size)?;
    rig.cluster.start_all().await?;
    let mut checked = 0;
    for cut in 0..cuts {
        let client = rig.cluster.client_of_all()?.with_timeout(Duration::from_secs(3));
        let load = Load::start_with(&client, 4, 0, PAYLOAD_BYTES).await?;
        // Each cut at another place of the work.
        let acked_at_least = 10 + (cut * 37) % 150;
        until("enough is acknowledged", async || (load.acked() > acked_at_least).then_some(())).await?;
        let acked = load.acked_by_node();
        rig.cut().await?;
        load.stop().await?;
        for (node, value) in acked {
            for (id, _) in &rig.images {
                let found = read_counter(&rig.cluster.client(*id)?, &node).await?;
                anyhow::ensure!(
                    found >= value,
                    "cut {cut}: replica {id} has {found} of {node}, acknowledged was {value}"
                );
            }
            checked += value;
        }
    }
    for (id, _) in &rig.images {
        anyhow::ensure!(rig.cluster.stop(*id)? == Some(0), "replica {id} does not stop");
    }
    for mount in rig.mounts.drain(..) {
        mount.unmount()?;
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
