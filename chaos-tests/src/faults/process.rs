//! Processes that are killed, paused and restarted.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::cluster::Cluster;
use crate::host::ToolFailed;

/// How long a thread that waits for a core may take to see that it is to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(5);

/// SIGKILL to all, then they are waited for.
pub fn kill(cluster: &mut Cluster, hit: &[u64]) -> anyhow::Result<()> {
    for id in hit {
        cluster.kill(*id)?;
    }
    Ok(())
}

/// SIGSTOP to all. They stand still when this returns.
pub fn pause(cluster: &Cluster, hit: &[u64]) -> anyhow::Result<Vec<Paused>> {
    Paused::all(cluster, hit)
}

/// SIGTERM and a start, one after the other.
pub fn restart(cluster: &mut Cluster, hit: &[u64]) -> anyhow::Result<()> {
    for id in hit {
        let code = cluster.stop(*id)?;
        anyhow::ensure!(code == Some(0), "replica {id} ended with {code:?} on SIGTERM");
        cluster.spawn(*id)?;
    }
    Ok(())
}

/// A process that is stopped. Dropping it lets it go on, however the run ends.
#[derive(Debug)]
pub struct Paused(u32);

impl Paused {
    /// Stops these, and waits until they stand still: a thread goes on until it next has a core, and that was 80 ms after
    /// the signal on a host with many threads that wait.
    pub(super) fn all(cluster: &Cluster, hit: &[u64]) -> anyhow::Result<Vec<Self>> {
        let stop = |id: &u64| {
            let process = cluster.process(*id)?.id();
            crate::cluster::signal(process, "STOP")?;
            Ok(Self(process))
        };
        let paused = hit.iter().map(stop).collect::<anyhow::Result<Vec<_>>>()?;
        let sent = Instant::now();
        while !paused.iter().map(Self::stands_still).collect::<anyhow::Result<Vec<_>>>()?.into_iter().all(|still| still)
        {
            if sent.elapsed() > STOPS_WITHIN {
                bail!(ToolFailed(format!("replicas {hit:?} run on {} s after SIGSTOP", STOPS_WITHIN.as_secs())));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(paused)
    }

    /// Whether every thread of it is stopped, by the signal or by who traces it.
    fn stands_still(&self) -> anyhow::Result<bool> {
        for thread in Path::new("/proc").join(self.0.to_string()).join("task").read_dir()? {
            // One that ended meanwhile runs no more.
            let Ok(stat) = std::fs::read_to_string(thread?.path().join("stat")) else { continue };
            // `id (name) state ...`, and a name may have anything in it.
            let state = stat.rsplit(')').next().and_then(|rest| rest.trim_start().chars().next());
            if !matches!(state, Some('T' | 't' | 'Z' | 'X')) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        // A process that is gone needs no SIGCONT.
        let _ = crate::cluster::signal(self.0, "CONT");
    }
}
