//! The scenarios.

use std::time::Duration;

use super::scenario::{Must, Rig, Scenario, Step};
use crate::faults::Target::{All, Follower, Leader, Learner, Majority};
use crate::faults::{Fault, Link};
use crate::traffic::Workload;

/// Bounds so small that raft snapshots, purges and followers that need one are part of every run.
const SMALL_LOG: &str = "[raft]\nraft_snapshot_entries = 200\nraft_log_entries_kept = 50\n";

/// Small disks: less room than the reserve of a machine, and some that is free.
const SMALL_DISK: &str = "[raft]\nraft_snapshot_entries = 200\nraft_log_entries_kept = 50\n\
                          [storage]\ndisk_reserve_bytes = 16777216\n";

const WORKLOAD: Workload =
    Workload { writers: 7, duplicating: 1, readers: 8, removed: 2, changers: 2, agents_die: true };

const PLAIN: Rig = Rig {
    voters: 3,
    learners: 0,
    hosts: false,
    disks: false,
    clocks: false,
    tools: &[],
    config: SMALL_LOG,
    workload: WORKLOAD,
};
const WITH_LEARNER: Rig = Rig { learners: 1, ..PLAIN };
const HOSTS: Rig = Rig { hosts: true, ..PLAIN };
const FIVE_HOSTS: Rig = Rig { voters: 5, ..HOSTS };
const QUEUES: Rig = Rig { tools: &["iptables", "tc"], ..HOSTS };
const FIVE_QUEUES: Rig = Rig { voters: 5, ..QUEUES };
const DISKS: Rig = Rig { disks: true, tools: &["mkfs.ext4", "losetup", "cp", "fsfreeze"], config: SMALL_DISK, ..PLAIN };
const FIVE_DISKS: Rig =
    Rig { voters: 5, clocks: true, tools: &["mkfs.ext4", "losetup", "cp", "fsfreeze", "strace"], ..DISKS };
const TRACED: Rig = Rig { tools: &["strace"], ..PLAIN };
const CLOCKS: Rig = Rig { clocks: true, ..PLAIN };
const EVERYTHING: Rig = Rig {
    hosts: true,
    disks: true,
    clocks: true,
    tools: &["mkfs.ext4", "losetup", "cp", "fsfreeze", "strace", "iptables", "tc"],
    config: SMALL_DISK,
    ..PLAIN
};

const fn step(fault: Fault, ms: u64) -> Step {
    Step { fault, hold: Duration::from_millis(ms), no_majority: false }
}

/// A fault that leaves no majority.
const fn stop(fault: Fault, ms: u64) -> Step {
    Step { no_majority: true, ..step(fault, ms) }
}

const fn scenario(
    name: &'static str,
    about: &'static str,
    rig: Rig,
    steps: &'static [Step],
    must: &'static [Must],
) -> Scenario {
    Scenario { name, about, rig, steps, at_once: 1, must }
}

const READ: Must = Must::ReadDuringFaults;
const MOVE: Must = Must::MoveTheLead;
const INSTALL: Must = Must::InstallSnapshots;
const REPLACE: Must = Must::Happen("replace");
const JOIN: Must = Must::Happen("join, promote, leave");

/// All of them.
pub const ALL: &[Scenario] = &[
    scenario(
        "calm",
        "no fault but agents that die, pushes that arrive twice or late, nodes that are removed, changes that race",
        PLAIN,
        &[],
        &[Must::RefuseOldEpochs, Must::RaceChanges, Must::RemoveNodes, Must::CopyPushes],
    ),
    scenario(
        "kill-leader",
        "the leader dies, and is back at once or after others were elected",
        PLAIN,
        &[step(Fault::Kill(Leader), 0), step(Fault::Kill(Leader), 2000)],
        &[READ, MOVE],
    ),
    scenario(
        "kill-follower",
        "a follower or the learner dies and comes back",
        WITH_LEARNER,
        &[step(Fault::Kill(Follower), 0), step(Fault::Kill(Follower), 2000), step(Fault::Kill(Learner), 1000)],
        &[READ],
    ),
    scenario(
        "kill-many",
        "all replicas die at one moment, or so many that no majority is left",
        PLAIN,
        &[stop(Fault::Kill(All), 100), stop(Fault::Kill(Majority), 2500)],
        &[MOVE],
    ),
    scenario(
        "pause-leader",
        "the leader stands still beyond the election timeout while reads are in flight, and wakes up",
        PLAIN,
        &[step(Fault::Pause(Leader), 2000), step(Fault::Pause(Leader), 500)],
        &[READ, MOVE],
    ),
    scenario(
        "pause-follower",
        "a follower, or a majority, stands still and wakes up",
        PLAIN,
        &[step(Fault::Pause(Follower), 2000), step(Fault::Pause(Follower), 500), stop(Fault::Pause(Majority), 1500)],
        &[READ],
    ),
    scenario(
        "restart",
        "replicas are restarted in order, one or all; the lead is handed over",
        PLAIN,
        &[
            step(Fault::Restart(Leader), 0),
            step(Fault::Restart(Follower), 0),
            step(Fault::Restart(All), 0),
            step(Fault::TransferLead, 0),
        ],
        &[READ, MOVE],
    ),
    scenario(
        "partition",
        "the leader or a follower is cut off, whole or one way, and clients ask it all the while",
        HOSTS,
        &[
            step(Fault::Cut(Link::LeaderAlone), 2500),
            step(Fault::Cut(Link::FollowerAlone), 2500),
            step(Fault::Cut(Link::ToLeader), 2500),
            step(Fault::Cut(Link::FromLeader), 2500),
            step(Fault::Cut(Link::Ring), 2500),
            step(Fault::Cut(Link::ClientsAtOne), 1500),
        ],
        &[READ, MOVE],
    ),
    scenario(
        "partition-of-five",
        "five replicas: the leader with one other, a ring in which each sees a majority, the leader alone",
        FIVE_HOSTS,
        &[
            step(Fault::Cut(Link::LeaderWithOne), 2500),
            step(Fault::Cut(Link::Ring), 2500),
            step(Fault::Cut(Link::LeaderAlone), 2500),
        ],
        &[READ, MOVE],
    ),
    scenario(
        "flapping",
        "links that come and go every 50 to 500 ms",
        HOSTS,
        &[
            step(Fault::Flap(Link::LeaderAlone), 4000),
            step(Fault::Flap(Link::FollowerAlone), 4000),
            step(Fault::Flap(Link::ToLeader), 4000),
            step(Fault::Flap(Link::Ring), 4000),
        ],
        &[READ],
    ),
    scenario(
        "blackhole",
        "a follower is away until what it missed is not in the log any more",
        HOSTS,
        &[step(Fault::Cut(Link::FollowerAlone), 8000)],
        &[READ, INSTALL],
    ),
    scenario(
        "bad-network",
        "packets are lost, late, overtaken, or queue up behind a narrow link",
        QUEUES,
        &[
            step(Fault::Loss(Leader, 10), 3000),
            step(Fault::Loss(All, 3), 3000),
            step(Fault::Delay(Leader, 50), 3000),
            step(Fault::Delay(Follower, 200), 3000),
            step(Fault::Narrow(Leader, 1000), 3000),
        ],
        &[READ],
    ),
    scenario(
        "power-cut",
        "the power goes for one or all, and what no sync brought to the disk is gone",
        DISKS,
        &[stop(Fault::PowerCut(All), 100), step(Fault::PowerCut(Leader), 1000), step(Fault::PowerCut(Follower), 1000)],
        &[READ, MOVE],
    ),
    scenario(
        "bad-disk",
        "a disk is full, or frozen, or bits of a store are flipped",
        DISKS,
        &[
            step(Fault::FullDisk(Leader), 2000),
            step(Fault::FullDisk(Follower), 2000),
            step(Fault::FrozenDisk(Leader), 2500),
            step(Fault::FrozenDisk(Follower), 2500),
            step(Fault::FlippedBits(Follower), 0),
        ],
        &[READ, Must::Happen("full disk"), Must::Happen("frozen disk")],
    ),
    scenario(
        "bad-sync",
        "a sync fails, or each takes 200 ms more",
        TRACED,
        &[
            step(Fault::SyncFails(Leader), 200),
            step(Fault::SyncFails(Follower), 200),
            step(Fault::SlowSync(Leader), 3000),
            step(Fault::SlowSync(Follower), 3000),
        ],
        &[READ, Must::Happen("failing sync"), Must::Happen("slow sync")],
    ),
    scenario(
        "clocks",
        "wall clocks jump by an hour, forwards and backwards",
        CLOCKS,
        &[
            step(Fault::Clock(Leader, 60), 2000),
            step(Fault::Clock(Leader, -60), 2000),
            step(Fault::Clock(Follower, 60), 2000),
            step(Fault::Clock(Follower, -60), 2000),
            step(Fault::Kill(Leader), 500),
        ],
        &[READ, Must::Happen("clock jump")],
    ),
    Scenario {
        at_once: 2,
        ..scenario(
            "members",
            "of five, replicas join, are promoted, leave and are replaced, while another dies, stands still, is cut off or \
             has a bad network",
            FIVE_QUEUES,
            &[
                step(Fault::JoinAndLeave, 0),
                step(Fault::Replace(Follower), 0),
                step(Fault::Replace(Leader), 0),
                step(Fault::TransferLead, 0),
                step(Fault::Kill(Leader), 1000),
                step(Fault::Pause(Leader), 1500),
                step(Fault::Pause(Follower), 1500),
                step(Fault::Cut(Link::LeaderAlone), 1500),
                step(Fault::Cut(Link::FollowerAlone), 1500),
                step(Fault::Flap(Link::FollowerAlone), 1500),
                step(Fault::Loss(All, 3), 1500),
                step(Fault::Delay(Follower, 200), 1500),
                step(Fault::Narrow(Leader, 1000), 1500),
            ],
            &[READ, JOIN, REPLACE],
        )
    },
    Scenario {
        at_once: 2,
        ..scenario(
            "members-bad-disk",
            "of five, replicas join, leave and are replaced, while another's disk is full, slow, frozen or fails, its power \
             goes, or its clock jumps",
            FIVE_DISKS,
            &[
                step(Fault::JoinAndLeave, 0),
                step(Fault::Replace(Follower), 0),
                step(Fault::Replace(Leader), 0),
                step(Fault::FullDisk(Follower), 1000),
                step(Fault::SlowSync(Follower), 1000),
                step(Fault::FrozenDisk(Follower), 1000),
                step(Fault::SyncFails(Follower), 200),
                step(Fault::PowerCut(Follower), 1000),
                step(Fault::Clock(Leader, 60), 1000),
                step(Fault::Clock(Follower, -60), 1000),
            ],
            &[READ, JOIN, REPLACE],
        )
    },
    Scenario {
        at_once: 3,
        ..scenario(
            "storm",
            "several faults at once: of processes, disks, clocks and the network, and members that come and go",
            EVERYTHING,
            &[
                step(Fault::Kill(Leader), 1000),
                step(Fault::Kill(Follower), 1000),
                step(Fault::Pause(Leader), 1500),
                step(Fault::Pause(Follower), 1500),
                step(Fault::Restart(Leader), 0),
                step(Fault::Cut(Link::LeaderAlone), 2000),
                step(Fault::Cut(Link::Ring), 2000),
                step(Fault::Cut(Link::FromLeader), 2000),
                step(Fault::Flap(Link::FollowerAlone), 3000),
                step(Fault::Loss(All, 3), 3000),
                step(Fault::Delay(Leader, 50), 3000),
                step(Fault::PowerCut(All), 100),
                step(Fault::PowerCut(Follower), 1000),
                step(Fault::FullDisk(Follower), 2000),
                step(Fault::FrozenDisk(Leader), 2000),
                step(Fault::SlowSync(Follower), 3000),
                step(Fault::Clock(Leader, 60), 2000),
                step(Fault::Clock(Follower, -60), 2000),
                step(Fault::TransferLead, 0),
            ],
            &[READ, MOVE],
        )
    },
];

impl Scenario {
    /// The scenario of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|scenario| scenario.name == name)
    }
}
