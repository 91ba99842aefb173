//! Processes that are killed, paused and restarted.

use crate::cluster::Cluster;

use super::Undo;

/// SIGKILL to all, then they are waited for.
pub fn kill(cluster: &mut Cluster, hit: &[u64]) -> anyhow::Result<Undo> {
    for id in hit {
        cluster.kill(*id)?;
    }
    Ok(Undo::Start(hit.to_vec()))
}

/// SIGSTOP to all.
pub fn pause(cluster: &Cluster, hit: &[u64]) -> anyhow::Result<Undo> {
    let paused = hit.iter().map(|id| Paused::new(cluster.process(*id)?.id())).collect::<anyhow::Result<_>>()?;
    Ok(Undo::Continue(paused))
}

/// SIGTERM and a start, one after the other.
pub fn restart(cluster: &mut Cluster, hit: &[u64]) -> anyhow::Result<Undo> {
    for id in hit {
        let code = cluster.stop(*id)?;
        anyhow::ensure!(code == Some(0), "replica {id} ended with {code:?} on SIGTERM");
        cluster.spawn(*id)?;
    }
    Ok(Undo::Nothing)
}

/// A process that is stopped. Dropping it lets it go on, however the run ends.
#[derive(Debug)]
pub struct Paused(u32);

impl Paused {
    pub(super) fn new(process: u32) -> anyhow::Result<Self> {
        crate::cluster::signal(process, "STOP")?;
        Ok(Self(process))
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        // A process that is gone needs no SIGCONT.
        let _ = crate::cluster::signal(self.0, "CONT");
    }
}
