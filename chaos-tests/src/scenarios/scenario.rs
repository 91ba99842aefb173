//! What a scenario is.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cluster::Setup;
use crate::faults::Fault;
use crate::host::{is_root, is_there};
use crate::report::Covered;
use crate::sandbox;
use crate::traffic::Workload;

/// A named run.
#[derive(Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// What it runs on.
    pub rig: Rig,
    /// One of these at a time, or several of different groups.
    pub steps: &'static [Step],
    /// How many at a time, at most.
    pub at_once: usize,
    /// What it must have seen.
    pub must: &'static [Must],
}

/// A fault, and how long it is there.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The fault.
    pub fault: Fault,
    /// How long.
    pub hold: Duration,
    /// Whether no majority is left meanwhile.
    pub no_majority: bool,
}

/// What a scenario runs on.
#[derive(Debug, Clone, Copy)]
pub struct Rig {
    /// Voters.
    pub voters: u64,
    /// Replicas without a vote.
    pub learners: u64,
    /// Whether each has a host of its own.
    pub hosts: bool,
    /// Whether each has a disk of its own.
    pub disks: bool,
    /// Whether their clocks can be moved.
    pub clocks: bool,
    /// Programs that the faults need.
    pub tools: &'static [&'static str],
    /// TOML of their `--config`.
    pub config: &'static str,
    /// Who loads it.
    pub workload: Workload,
}

/// What a run must have seen, or it counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Must {
    /// Reads that were answered while a fault was there.
    ReadDuringFaults,
    /// The lead moved.
    MoveTheLead,
    /// A replica caught up by a raft snapshot.
    InstallSnapshots,
    /// Agents that began a new epoch, and pushes of older epochs that were refused.
    RefuseOldEpochs,
    /// A change of configuration that lost to another one, and one that won.
    RaceChanges,
    /// A node that was removed and looked for afterwards.
    RemoveNodes,
    /// Copies of pushes that were sent beside them, or late.
    CopyPushes,
    /// A fault of this kind.
    Happen(&'static str),
}

impl Must {
    /// What a run lacks that did not see it; `kinds` are the faults that happened, by kind.
    pub(super) fn missing(self, covered: &Covered, kinds: &BTreeMap<String, u64>) -> Option<String> {
        let (there, without) = match self {
            Self::Happen(kind) => return (!kinds.contains_key(kind)).then(|| format!("there was no {kind}")),
            Self::ReadDuringFaults => (covered.reads_during_faults > 0, "no read was answered during a fault"),
            Self::MoveTheLead => (covered.lead_changes > 0, "the lead never moved"),
            Self::InstallSnapshots => (covered.snapshots_installed > 0, "no raft snapshot was installed"),
            Self::RefuseOldEpochs => (covered.old_epochs_refused > 0, "no push of an older epoch was refused"),
            Self::RaceChanges if covered.changed == 0 => (false, "no change of configuration happened"),
            Self::RaceChanges => (covered.not_changed > 0, "no change of configuration lost"),
            Self::CopyPushes if covered.copies == 0 => (false, "no copy of a push was answered"),
            Self::CopyPushes => (covered.copies_refused > 0, "no copy of a push came too late"),
            Self::RemoveNodes => (covered.removed > 0, "no node was removed"),
        };
        (!there).then(|| without.to_owned())
    }
}

impl Scenario {
    /// Why it cannot run here, if it cannot.
    pub fn unavailable(&self) -> Option<String> {
        let rig = &self.rig;
        if rig.hosts && !sandbox::is_inside() {
            return Some(sandbox::unavailable().unwrap_or_else(|| "it runs in a sandbox only".into()));
        }
        // A tracer of a process that is not its child needs root, too.
        if (rig.disks || rig.tools.contains(&"strace")) && !is_root() {
            return Some("it needs root".into());
        }
        if rig.clocks
            && let Some(why) = Setup::clocks_unavailable()
        {
            return Some(why);
        }
        let missing = rig.tools.iter().find(|tool| !is_there(tool))?;
        Some(format!("{missing} is not installed"))
    }
}
