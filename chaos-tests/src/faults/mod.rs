//! Means to hurt a cluster of processes on this machine, each of which ends by itself or with its guard.
//!
//! What needs the network or the disk of a machine of its own is not here yet.

use std::fmt;
use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;

use crate::cluster::{Cluster, Process};

/// Whom a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Whoever leads at that moment.
    Leader,
    /// One that does not lead.
    Follower,
    /// All at once.
    All,
}

/// One kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9`, and a start after a while; at once if that is nothing.
    Kill(Target, Duration),
    /// SIGSTOP, and SIGCONT after a while.
    Pause(Target, Duration),
    /// SIGTERM, and a start when it has ended.
    Restart(Target),
}

/// What came of asking for a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installed {
    /// It was there, and is over; with what it hit.
    Yes(Vec<u64>),
    /// It could not be, for that reason.
    Skipped(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = |target: &Target| match target {
            Target::Leader => "the leader",
            Target::Follower => "a follower",
            Target::All => "all",
        };
        match self {
            Self::Kill(whom, down) => write!(f, "kill -9 {}, back after {} ms", target(whom), down.as_millis()),
            Self::Pause(whom, time) => write!(f, "pause {} for {} ms", target(whom), time.as_millis()),
            Self::Restart(whom) => write!(f, "restart {}", target(whom)),
        }
    }
}

/// A process that is stopped. Dropping it lets it go on, however the run ends.
struct Paused<'a>(&'a Process);

impl<'a> Paused<'a> {
    fn new(process: &'a Process) -> anyhow::Result<Self> {
        process.signal("STOP")?;
        Ok(Self(process))
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        // A process that is gone needs no SIGCONT.
        let _ = self.0.signal("CONT");
    }
}

impl Fault {
    /// Brings the fault about, and ends it.
    ///
    /// # Errors
    /// When the cluster is not what it was before: a replica does not start, or does not stop.
    pub async fn happen(self, cluster: &mut Cluster, random: &mut SmallRng) -> anyhow::Result<Installed> {
        let whom = match self {
            Self::Kill(target, _) | Self::Pause(target, _) | Self::Restart(target) => target,
        };
        let hit = match targets(cluster, whom, random).await {
            Ok(hit) => hit,
            Err(error) => return Ok(Installed::Skipped(error.to_string())),
        };
        match self {
            Self::Kill(_, down) => {
                for id in &hit {
                    cluster.kill(*id)?;
                }
                tokio::time::sleep(down).await;
                for id in &hit {
                    cluster.spawn(*id)?;
                }
            }
            Self::Pause(_, time) => {
                let paused =
                    hit.iter().map(|id| Paused::new(cluster.process(*id)?)).collect::<anyhow::Result<Vec<_>>>()?;
                tokio::time::sleep(time).await;
                drop(paused);
            }
            Self::Restart(_) => {
                for id in &hit {
                    let code = cluster.stop(*id)?;
                    anyhow::ensure!(code == Some(0), "replica {id} ended with {code:?} on SIGTERM");
                    cluster.spawn(*id)?;
                }
            }
        }
        Ok(Installed::Yes(hit))
    }
}

async fn targets(cluster: &Cluster, whom: Target, random: &mut SmallRng) -> anyhow::Result<Vec<u64>> {
    let all: Vec<u64> = cluster.members.iter().map(|member| member.id).collect();
    if whom == Target::All {
        return Ok(all);
    }
    let leader = cluster.leader_of_any().await?;
    if whom == Target::Leader {
        return Ok(vec![leader]);
    }
    let followers: Vec<u64> = all.into_iter().filter(|id| *id != leader).collect();
    Ok(vec![followers[random.random_range(0..followers.len())]])
}
