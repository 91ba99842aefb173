//! Who fell silent: the leader watches, and proposes what it sees as a replicated fact.
//!
//! A node is stale when nothing came from it for its TTL, and down after three. The time is the leader's monotonic
//! clock since it saw the node's last push applied; a new leader gives every node a fresh full TTL. The proposal names
//! the push since which nothing came, so that one that comes in between wins. While the group itself cannot take pushes,
//! for want of a majority or of disk, nobody ages: silence would say nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use unum_proto::model::NodeKey;

use crate::base::clock;
use crate::base::disk::DiskSpace;
use crate::catalog::{Node, NodeStatus, Proposal, Silence, State, TTLS_UNTIL_DOWN};
use crate::consensus::Group;

/// Between two looks: a status is at most this late.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// All nodes are looked at this often, whatever happens.
const DUE_MAX: Duration = Duration::from_secs(60);

/// Silences of one command; more wait for the next look.
const SILENCES_MAX: usize = 1_000;

/// How long one proposal may take.
const PROPOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs as long as the replica; works while it leads.
pub async fn run(group: Group, disk: DiskSpace) {
    let mut ticks = tokio::time::interval(LOOK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watch = Watch::default();
    loop {
        ticks.tick().await;
        if !group.leads_with_majority() || disk.exhausted().is_some() {
            watch = Watch::default();
            continue;
        }
        let silences = watch.look(&group.state_reader().newest(), Instant::now());
        if silences.is_empty() {
            continue;
        }
        let proposal = Proposal::silences(clock::now_us(), silences);
        match tokio::time::timeout(PROPOSE_TIMEOUT, group.propose(&proposal)).await {
            Ok(Ok(_)) => {}
            // Who could not propose this could not take pushes either.
            Ok(Err(error)) => {
                tracing::debug!(%error, "the status of silent nodes was not taken");
                watch = Watch::default();
            }
            Err(_) => {
                tracing::debug!("the status of silent nodes was not decided in time");
                watch = Watch::default();
            }
        }
    }
}

/// When each node was last seen to push, by this leader.
#[derive(Debug, Default)]
struct Watch {
    seen: BTreeMap<NodeKey, Seen>,
    /// The revision of the last look, and the earliest moment at which a node of it will have been silent for too long. At
    /// the same revision and before that moment, looking again is pointless.
    nothing_before: Option<(u64, Instant)>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    push: (u64, u64),
    at: Instant,
}

impl Watch {
    /// Takes note of new pushes; returns the nodes whose status is to change.
    fn look(&mut self, state: &State, now: Instant) -> Vec<Silence> {
        if self.nothing_before.is_some_and(|(revision, due)| revision == state.revision && now < due) {
            return Vec::new();
        }
        let mut silences = Vec::new();
        let mut due = now + DUE_MAX;
        for (key, node) in &state.nodes {
            let push = (node.epoch, node.sequence);
            let fresh = Seen { push, at: now };
            let seen = match self.seen.get_mut(key) {
                Some(seen) => seen,
                None => self.seen.entry(key.clone()).or_insert(fresh),
            };
            if seen.push != push {
                *seen = fresh;
            }
            due = due.min(seen.at + changes_after(node).unwrap_or(DUE_MAX));
            let status = status(node, now - seen.at);
            if status != node.status && silences.len() < SILENCES_MAX {
                silences.push(Silence { node: key.clone(), epoch: node.epoch, sequence: node.sequence, status });
            }
        }
        self.nothing_before = silences.is_empty().then_some((state.revision, due));
        silences
    }
}

/// After how much silence a node is called something else; none if it never is.
fn changes_after(node: &Node) -> Option<Duration> {
    let ttl = Duration::from_millis(node.description.ttl_ms.into());
    match node.status {
        NodeStatus::Up => Some(ttl),
        NodeStatus::Stale => Some(ttl * TTLS_UNTIL_DOWN),
        NodeStatus::Down | NodeStatus::Removed => None,
    }
}

/// What a node is called after so much silence. Silence alone never makes it better.
fn status(node: &Node, silent: Duration) -> NodeStatus {
    let ttl = Duration::from_millis(node.description.ttl_ms.into());
    match node.status {
        NodeStatus::Up | NodeStatus::Stale if silent >= ttl * TTLS_UNTIL_DOWN => NodeStatus::Down,
        NodeStatus::Up if silent >= ttl => NodeStatus::Stale,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use unum_proto::model::{NodeDescription, Push};

    use super::*;
    use crate::catalog::Command;
    use crate::catalog::StampedPush;

    fn push(state: &mut State, sequence: u64) {
        let mut node = NodeDescription::new(NodeKey::parse("tikv", "a").unwrap());
        node.ttl_ms = 1_000;
        let push = StampedPush::new(Push::new(node, 1, sequence, Vec::new()).unwrap());
        state.apply(state.revision + 1, Command::Pushes { received_at_us: 0, pushes: vec![push] });
    }

    #[test]
    fn a_silent_node_is_stale_then_down_and_a_push_or_a_new_leader_gives_it_its_time_again() {
        let mut state = State::default();
        let mut watch = Watch::default();
        let start = Instant::now();
        let look = |watch: &mut Watch, state: &mut State, at_ms: u64| {
            let silences = watch.look(state, start + Duration::from_millis(at_ms));
            let revision = state.revision + 1;
            state.apply(revision, Command::Silences { at_us: 0, silences });
            state.nodes.values().next().unwrap().status
        };
        push(&mut state, 1);
        assert_eq!(look(&mut watch, &mut state, 0), NodeStatus::Up);
        assert_eq!(look(&mut watch, &mut state, 999), NodeStatus::Up);
        assert_eq!(look(&mut watch, &mut state, 1_000), NodeStatus::Stale);
        assert_eq!(look(&mut watch, &mut state, 3_000), NodeStatus::Down);
        push(&mut state, 2);
        assert_eq!(look(&mut watch, &mut state, 3_001), NodeStatus::Up);
        assert_eq!(
            look(&mut Watch::default(), &mut state, 9_000),
            NodeStatus::Up,
            "a new leader has just begun to look"
        );

        // A push that came after the look wins.
        let late = watch.look(&state, start + Duration::from_millis(9_000));
        assert_eq!(late.len(), 1);
        push(&mut state, 3);
        state.apply(state.revision + 1, Command::Silences { at_us: 0, silences: late });
        assert_eq!(state.nodes.values().next().unwrap().status, NodeStatus::Up);
    }
}
