//! Disks that lose power, fail, get full, stand still or slow down, and bits that flip in a store.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use rand::Rng;
use rand::rngs::SmallRng;

use crate::cluster::{Cluster, Frozen, PATIENCE, Process, run, until, until_in};
use crate::host::ToolFailed;

use super::membership;
use super::process::Paused;

/// Time that the process has to end after a failed sync. It is syncing all the time.
const ENDS_WITHIN: Duration = Duration::from_secs(20);

/// Syncs that still succeed before the one that fails.
const GOOD_SYNCS: std::ops::Range<u32> = 5..60;

/// Counts the writes that a replica's storage has made.
const ROUNDS: &str = "unum_storage_write_seconds_count";

/// Bits that are flipped, one in each of so many bytes.
const FLIPPED: usize = 8;

/// The power goes for these replicas at one moment: their processes end, and their disks are what the device had.
pub fn cut_power(cluster: &mut Cluster, hit: &[u64]) -> anyhow::Result<()> {
    // Held until all are dead: whatever fails here, none is left standing.
    let stopped = Paused::all(cluster, hit)?;
    let images: Vec<_> = hit.iter().map(|id| cluster.disk(*id)?.copy()).collect::<anyhow::Result<_>>()?;
    for (id, image) in hit.iter().zip(images) {
        cluster.kill(*id)?;
        cluster.disk_mut(*id)?.replace_by(image)?;
    }
    drop(stopped);
    Ok(())
}

/// Lets one sync of each fail; the process has to end by itself.
pub async fn fail_sync(cluster: &mut Cluster, hit: &[u64], random: &mut SmallRng) -> anyhow::Result<()> {
    for id in hit {
        let inject = format!("inject=fdatasync:error=EIO:when={}", random.random_range(GOOD_SYNCS));
        let _tracer = Tracer::attach(cluster, *id, &inject).await?;
        let (code, log) = cluster.wait_until_ended_within(*id, ENDS_WITHIN).await?;
        anyhow::ensure!(code == Some(1), "replica {id} ended with {code:?} after a failed sync:\n{log}");
    }
    Ok(())
}

/// Holds the syncs of each.
pub async fn slow_sync(cluster: &Cluster, hit: &[u64]) -> anyhow::Result<Vec<Tracer>> {
    let mut tracers = Vec::new();
    for id in hit {
        tracers.push(Tracer::attach(cluster, *id, "inject=fdatasync:delay_enter=200000").await?);
    }
    Ok(tracers)
}

/// A tracer that interferes with the system calls of a running replica. Dropping it lets the replica go.
#[derive(Debug)]
pub struct Tracer {
    replica: u64,
    traced: u32,
    strace: Process,
}

impl Tracer {
    /// Attaches to all threads of a replica.
    async fn attach(cluster: &Cluster, id: u64, inject: &str) -> anyhow::Result<Self> {
        let traced = cluster.process(id)?.id();
        let args = ["-f", "-qq", "-o", "/dev/null", "-p", &traced.to_string(), "-e", inject].map(str::to_owned);
        let strace = Process::spawn("strace".as_ref(), &args, &cluster.dir().join("strace.log"))?;
        let mut tracer = Self { replica: id, traced, strace };
        let attached = async || match tracer.strace.ended() {
            Ok(None) => is_traced(traced).then_some(Ok(())),
            Ok(Some((_, log))) => Some(Err(ToolFailed(format!("strace: {log}")))),
            Err(error) => Some(Err(ToolFailed(format!("strace: {error:#}")))),
        };
        until("strace is attached", attached).await??;
        Ok(tracer)
    }

    /// Lets the replica go.
    ///
    /// # Errors
    /// When it had let go before, and the replica is still there.
    pub fn end(mut self, cluster: &Cluster) -> anyhow::Result<()> {
        if let Some((code, log)) = self.strace.ended()? {
            // With a replica that was replaced meanwhile its tracer ends, too.
            let is_member = !cluster.still_members(&[self.replica]).is_empty();
            if is_member && cluster.process(self.replica)?.id() == self.traced {
                bail!(ToolFailed(format!("strace has ended with {code:?}: {log}")));
            }
            return Ok(());
        }
        // By SIGTERM it detaches from each thread where none is in a call; then it ends by that signal itself.
        self.strace.terminate(PATIENCE)?;
        Ok(())
    }
}

/// Whether each thread of a process has a tracer.
fn is_traced(process: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else { return false };
    let traced = |status: String| status.lines().any(|line| line.starts_with("TracerPid:") && !line.ends_with("\t0"));
    threads.flatten().all(|thread| std::fs::read_to_string(thread.path().join("status")).is_ok_and(traced))
}

/// With -D the tracer is the grandchild: the process that is started is the replica itself.
pub fn traced(inject: &str) -> [&str; 9] {
    ["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", inject]
}

/// A file that takes all room of a disk. Dropping it removes it.
#[derive(Debug)]
pub struct Ballast(PathBuf);

impl Drop for Ballast {
    fn drop(&mut self) {
        // The disk may be gone with the run.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Fills the disks of these replicas to the last block.
pub fn fill(cluster: &mut Cluster, hit: &[u64]) -> anyhow::Result<Vec<Ballast>> {
    let mut all = Vec::new();
    for id in hit {
        let path = cluster.disk(*id)?.dir().join("ballast");
        let mut file = std::fs::File::create(&path)?;
        all.push(Ballast(path));
        while file.write_all(&[1; 64 * 1024]).is_ok() {}
        while file.write_all(&[1; 512]).is_ok() {}
    }
    Ok(all)
}

/// A replica that had no room goes on, or ends and is started. Which of the two is seen by its writes: it ends a moment
/// after the write that failed, and makes no further one.
pub async fn start_if_it_ends(cluster: &mut Cluster, id: u64) -> anyhow::Result<()> {
    let mut before = None;
    let what = format!("replica {id}, which has room again, writes or ends");
    let ended = until(&what, async || match cluster.ended(id) {
        Ok(Some(ended)) => Some(Some(ended)),
        _ => {
            let rounds = cluster.metric(id, ROUNDS)?;
            (rounds > *before.get_or_insert(rounds)).then_some(None)
        }
    });
    if let Some((code, log)) = ended.await? {
        anyhow::ensure!(code == Some(1), "replica {id} ended with {code:?}:\n{log}");
        cluster.spawn(id)?;
    }
    Ok(())
}

/// Freezes the file systems of these replicas.
pub fn freeze(cluster: &mut Cluster, hit: &[u64]) -> anyhow::Result<Vec<Frozen>> {
    let frozen: Vec<Frozen> = hit.iter().map(|id| cluster.disk(*id)?.freeze()).collect::<anyhow::Result<_>>()?;
    Ok(frozen)
}

/// Flips bits in the store of a replica that is killed first. It has to start with nothing missing, or to say that it
/// cannot; then it is replaced.
pub async fn flip_bits(cluster: &mut Cluster, id: u64, random: &mut SmallRng) -> anyhow::Result<()> {
    cluster.kill(id)?;
    let store = cluster.member(id).data_dir.join("sled/db");
    let mut file = std::fs::File::options().read(true).write(true).open(&store).context("the store's file")?;
    let length = file.metadata()?.len();
    for _ in 0..FLIPPED {
        let place = random.random_range(0..length);
        let mut byte = [0];
        file.seek(SeekFrom::Start(place))?;
        file.read_exact(&mut byte)?;
        byte[0] ^= 1 << random.random_range(0..8);
        file.seek(SeekFrom::Start(place))?;
        file.write_all(&byte)?;
    }
    drop(file);
    cluster.spawn(id)?;
    // It answers, or it has ended.
    let came_up = until_in(ENDS_WITHIN, "it answers or ends", async || match cluster.ended(id) {
        Ok(Some((code, log))) => Some(Err((code, log))),
        _ => cluster.answers(id).await.then_some(Ok(())),
    })
    .await?;
    if let Err((code, log)) = came_up {
        anyhow::ensure!(code == Some(1), "replica {id} ended with {code:?} over flipped bits:\n{log}");
        let check =
            run(&cluster.program()?, &["check", "--data-dir", &cluster.member(id).data_dir.to_string_lossy()], "")?;
        anyhow::ensure!(
            check.code == Some(1),
            "replica {id} does not start, and its directory passes: {check:?}\n{log}"
        );
        return membership::replace(cluster, id).await;
    }
    Ok(())
}
