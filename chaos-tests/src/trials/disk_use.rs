//! The disk that a replica uses is bounded: it does not grow with the number of pushes.
//!
//! A measurement, on a release build.

use std::path::Path;
use std::time::Instant;

use super::trial::{Trial, case};
use crate::cluster::Cluster;
use crate::counter::{counter_with, publisher};
use crate::host::tell;
use anyhow::Context;
use unum_client::Client;

pub(super) const TRIAL: Trial = Trial {
    name: "disk-use",
    about: "the disk that a replica uses is bounded",
    cases: &[case!(long 1800 the_directory_does_not_grow_with_the_number_of_pushes)],
};

const NODES: usize = 100;
const PUSHES: i64 = 200_000;
const PAYLOAD_BYTES: usize = 1_000;

fn size(dir: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        bytes += if kind.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}

/// Pushes from all nodes at once, each its share.
async fn push_all(client: &Client, pushes: i64) -> anyhow::Result<()> {
    let node = |node: usize| {
        let mut publisher = publisher(client, &format!("n{node}"));
        async move {
            for value in 0..pushes / NODES as i64 {
                publisher.push(counter_with(value * NODES as i64 + node as i64, PAYLOAD_BYTES)).await?;
            }
            anyhow::Ok(())
        }
    };
    let nodes: Vec<_> = (0..NODES).map(|id| tokio::spawn(node(id))).collect();
    for node in nodes {
        node.await??;
    }
    Ok(())
}

async fn the_directory_does_not_grow_with_the_number_of_pushes(_: u64) -> anyhow::Result<()> {
    let cluster = Cluster::start(3).await?;
    let client = cluster.client_of_all()?;
    let started = Instant::now();
    let (mut live_max, mut sizes) = (0.0f64, Vec::new());
    for part in 1..=8 {
        push_all(&client, PUSHES / 4).await?;
        let mut largest = 0;
        for id in 1..=3 {
            let metric = |name| cluster.metric(id, name).with_context(|| format!("{name} is not in /metrics"));
            let live = metric("unum_catalog_bytes")? + metric("unum_log_bytes")?;
            live_max = live_max.max(live);
            largest = largest.max(size(&cluster.member(id).data_dir)?);
        }
        sizes.push(largest);
        tell(&format!(
            "{} pushes in {} s: the largest directory has {} KiB; the most that was live (catalog and log) is {} KiB",
            part * PUSHES / 4,
            started.elapsed().as_secs(),
            largest / 1024,
            live_max as u64 / 1024,
        ));
    }
    let (first_half, second_half) = (sizes[..4].iter().max(), sizes[4..].iter().max());
    tell(&format!("largest in the first {PUSHES}: {first_half:?} bytes, in the next {PUSHES}: {second_half:?}"));
    let largest = *sizes.iter().max().expect("eight sizes") as f64;
    assert!(largest <= 8.0 * live_max, "{largest} bytes for {live_max} live ones");
    Ok(())
}
