//! Means to hurt a cluster. A fault begins, is there for a while, and ends; whatever it needs is undone by a guard, or by
//! the sandbox that it lives in.
//!
//! - [`process`]: killed, paused and restarted processes
//! - [`network`]: partitions, loss, delay and narrow links between the hosts of a sandbox
//! - [`disk`]: power cuts, failing, slow, full and frozen disks, flipped bits
//! - [`membership`]: members that come, go and are replaced; clocks that jump are there, too

pub mod disk;
pub mod membership;
pub mod network;
pub mod process;
mod target;

use std::fmt;

use rand::Rng;
use rand::rngs::SmallRng;

use crate::cluster::{Cluster, Filter, Frozen};

pub use network::Link;
pub use process::Paused;
pub use target::Target;

/// What a fault is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Wall clocks.
    Clock,
    /// What is between replicas.
    Network,
    /// A replica's process and its disk.
    Replica,
    /// Who is a member, and who leads.
    Members,
}

/// One kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9`, and a start at the end.
    Kill(Target),
    /// SIGSTOP, and SIGCONT at the end.
    Pause(Target),
    /// SIGTERM, and a start when it has ended; one after the other.
    Restart(Target),
    /// Links between replicas, or to the clients, that carry nothing.
    Cut(Link),
    /// A partition that comes and goes every 50 to 500 ms.
    Flap(Link),
    /// So many percent of all packets of a replica are lost.
    Loss(Target, u8),
    /// Packets of a replica are late, by so many ms at most, and overtake each other.
    Delay(Target, u16),
    /// A replica sends no more than so many kbit/s.
    Narrow(Target, u32),
    /// The power goes, and comes back: what no sync has brought to the disk is gone.
    PowerCut(Target),
    /// A sync fails once: the process has to end.
    SyncFails(Target),
    /// Each sync takes 200 ms more.
    SlowSync(Target),
    /// The disk is full to the last block.
    FullDisk(Target),
    /// The file system is frozen: whoever writes stands still.
    FrozenDisk(Target),
    /// Bits of a stopped replica's store are flipped; it is replaced if it says so.
    FlippedBits(Target),
    /// The wall clock of a replica jumps by so many minutes, and back.
    Clock(Target, i32),
    /// A replica joins, is promoted, and leaves.
    JoinAndLeave,
    /// A replica is removed and wiped, and another one joins in its place under a new id.
    Replace(Target),
    /// Another voter is asked to lead.
    TransferLead,
}

impl Fault {
    /// Its kind, without what differs from run to run.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Kill(_) => "kill",
            Self::Pause(_) => "pause",
            Self::Restart(_) => "restart",
            Self::Cut(_) => "partition",
            Self::Flap(_) => "flapping partition",
            Self::Loss(..) => "packet loss",
            Self::Delay(..) => "delay and reordering",
            Self::Narrow(..) => "narrow link",
            Self::PowerCut(_) => "power cut",
            Self::SyncFails(_) => "failing sync",
            Self::SlowSync(_) => "slow sync",
            Self::FullDisk(_) => "full disk",
            Self::FrozenDisk(_) => "frozen disk",
            Self::FlippedBits(_) => "flipped bits",
            Self::Clock(..) => "clock jump",
            Self::JoinAndLeave => "join, promote, leave",
            Self::Replace(_) => "replace",
            Self::TransferLead => "transfer of the lead",
        }
    }

    /// Faults of one group are never there at the same time; those of a later group come last.
    pub fn group(self) -> Group {
        match self {
            Self::Cut(_) | Self::Flap(_) | Self::Loss(..) | Self::Delay(..) | Self::Narrow(..) => Group::Network,
            Self::Clock(..) => Group::Clock,
            Self::JoinAndLeave | Self::Replace(_) | Self::TransferLead => Group::Members,
            _ => Group::Replica,
        }
    }

    /// Brings the fault about, beside others that cut these replicas off.
    ///
    /// # Errors
    /// When the cluster did not behave: a replica does not stop, start, join or leave.
    pub async fn begin(
        self,
        cluster: &mut Cluster,
        cut_off: &[u64],
        random: &mut SmallRng,
    ) -> anyhow::Result<Installed> {
        // Who comes in the place of one that is cut off is cut off, too, and cannot join.
        let spared = if matches!(self, Self::Replace(_)) { cut_off } else { &[] };
        let Some(hit) = self.target().choose(cluster, spared, random).await else {
            return Ok(Installed::Skipped(format!("there was no {}", self.target())));
        };
        let mut cut_off = Vec::new();
        let undo = match self {
            Self::Kill(_) => {
                process::kill(cluster, &hit)?;
                Undo::Start(hit)
            }
            Self::Pause(_) => Undo::Continue(process::pause(cluster, &hit)?),
            Self::Restart(_) => {
                process::restart(cluster, &hit)?;
                Undo::Nothing
            }
            Self::Cut(link) => {
                cut_off = link.cut_off(cluster, hit[0]);
                Undo::Filters(network::cut(cluster, link, hit[0])?)
            }
            Self::Flap(link) => Undo::Network(vec![network::flap(cluster, link, hit[0], random.random())?]),
            Self::Loss(_, percent) => Undo::Filters(network::lose(cluster, &hit, percent)?),
            Self::Delay(_, ms) => Undo::Network(network::delay(cluster, &hit, ms, random.random()).await?),
            Self::Narrow(_, kbit) => Undo::Network(network::narrow(cluster, &hit, kbit)?),
            Self::PowerCut(_) => {
                disk::cut_power(cluster, &hit)?;
                Undo::Start(hit)
            }
            Self::SyncFails(_) => {
                disk::fail_sync(cluster, &hit, random).await?;
                Undo::Start(hit)
            }
            Self::SlowSync(_) => Undo::Tracers(disk::slow_sync(cluster, &hit).await?),
            Self::FullDisk(_) => Undo::Ballast(disk::fill(cluster, &hit)?, hit),
            Self::FrozenDisk(_) => Undo::Thaw(disk::freeze(cluster, &hit)?),
            Self::FlippedBits(_) => {
                disk::flip_bits(cluster, hit[0], random).await?;
                Undo::Nothing
            }
            Self::Clock(_, minutes) => {
                membership::move_clocks(cluster, &hit, minutes)?;
                Undo::Clocks(hit)
            }
            Self::JoinAndLeave => {
                membership::join_and_leave(cluster).await?;
                Undo::Nothing
            }
            Self::Replace(_) => {
                membership::replace(cluster, hit[0]).await?;
                Undo::Nothing
            }
            Self::TransferLead => match membership::transfer_lead(cluster).await? {
                Ok(()) => Undo::Nothing,
                Err(why) => return Ok(Installed::Skipped(why)),
            },
        };
        Ok(Installed::Yes(Active { undo, cut_off }))
    }

    /// Whom it hits.
    fn target(self) -> Target {
        match self {
            Self::Kill(target)
            | Self::Pause(target)
            | Self::Restart(target)
            | Self::Loss(target, _)
            | Self::Delay(target, _)
            | Self::Narrow(target, _)
            | Self::PowerCut(target)
            | Self::SyncFails(target)
            | Self::SlowSync(target)
            | Self::FullDisk(target)
            | Self::FrozenDisk(target)
            | Self::FlippedBits(target)
            | Self::Clock(target, _)
            | Self::Replace(target) => target,
            Self::Cut(link) | Self::Flap(link) => link.around(),
            Self::JoinAndLeave | Self::TransferLead => Target::Leader,
        }
    }
}

/// What came of asking for a fault.
#[derive(Debug)]
pub enum Installed {
    /// It is there.
    Yes(Active),
    /// It cannot be, for that reason.
    Skipped(String),
}

/// A fault that is there. Dropping it undoes what outlives a process; ending it brings all processes back, too.
#[derive(Debug)]
pub struct Active {
    undo: Undo,
    cut_off: Vec<u64>,
}

/// What ends a fault.
#[derive(Debug)]
pub enum Undo {
    /// It is over.
    Nothing,
    /// Processes that have to be started.
    Start(Vec<u64>),
    /// Tracers that let go of their replicas.
    Tracers(Vec<disk::Tracer>),
    /// Processes that go on.
    Continue(Vec<Paused>),
    /// Rules that are removed.
    Filters(Vec<Filter>),
    /// Something of the network that is set back.
    Network(Vec<network::Setting>),
    /// Files that take all room, and the replicas whose processes may have ended over it.
    Ballast(Vec<disk::Ballast>, Vec<u64>),
    /// File systems that thaw.
    Thaw(Vec<Frozen>),
    /// Clocks that are set right.
    Clocks(Vec<u64>),
}

impl Active {
    /// Replicas that may answer nothing while it is there and no member comes or goes.
    pub fn cut_off(&self) -> &[u64] {
        &self.cut_off
    }

    /// Ends the fault.
    ///
    /// # Errors
    /// When a replica does not come back, or the fault turns out not to have been there all the while.
    pub async fn end(self, cluster: &mut Cluster) -> anyhow::Result<()> {
        match self.undo {
            Undo::Nothing => {}
            Undo::Start(ids) => {
                for id in cluster.still_members(&ids) {
                    cluster.spawn(id)?;
                }
            }
            Undo::Tracers(tracers) => tracers.into_iter().try_for_each(|tracer| tracer.end(cluster))?,
            Undo::Continue(paused) => drop(paused),
            Undo::Filters(filters) => drop(filters),
            Undo::Network(settings) => settings.into_iter().try_for_each(network::Setting::end)?,
            Undo::Ballast(ballast, ids) => {
                drop(ballast);
                for id in cluster.still_members(&ids) {
                    disk::start_if_it_ends(cluster, id).await?;
                }
            }
            Undo::Thaw(frozen) => drop(frozen),
            Undo::Clocks(ids) => {
                for id in cluster.still_members(&ids) {
                    cluster.set_clock(id, 0)?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, target) = (self.kind(), self.target());
        match self {
            Self::Cut(link) | Self::Flap(link) => write!(f, "{kind}: {link}"),
            Self::Loss(_, percent) => write!(f, "{kind}: {target}, {percent} %"),
            Self::Delay(_, ms) => write!(f, "{kind}: {target}, up to {ms} ms"),
            Self::Narrow(_, kbit) => write!(f, "{kind}: {target}, {kbit} kbit/s"),
            Self::Clock(_, minutes) => write!(f, "{kind}: {target}, {minutes:+} min"),
            Self::JoinAndLeave | Self::TransferLead => f.write_str(kind),
            _ => write!(f, "{kind}: {target}"),
        }
    }
}
