//! Whom a fault hits.

use std::fmt;
use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

use crate::cluster::{Cluster, until_in};

/// Nobody is hit if nobody leads for so long: another fault may be the cause.
const LEADER_PATIENCE: Duration = Duration::from_secs(5);

/// Whom a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Whoever leads at that moment.
    Leader,
    /// A voter that does not lead.
    Follower,
    /// A replica without a vote.
    Learner,
    /// As many voters as leave no majority.
    Majority,
    /// All at once.
    All,
}

impl Target {
    /// The replicas that it is now, of those that run and are not spared; None if there is none for some seconds.
    pub(super) async fn choose(self, cluster: &Cluster, spared: &[u64], random: &mut SmallRng) -> Option<Vec<u64>> {
        let running = cluster.members.iter().filter(|member| member.runs()).map(|member| member.id);
        let running: Vec<u64> = running.filter(|id| !spared.contains(id)).collect();
        if running.is_empty() || self == Self::All {
            return Some(running).filter(|some| !some.is_empty());
        }
        let look = async || {
            let roles = tokio::time::timeout(LEADER_PATIENCE, cluster.roles()).await.ok()?.ok()?;
            Some(self.of(&running, &roles, random)).filter(|some| !some.is_empty())
        };
        until_in(LEADER_PATIENCE, "somebody can be hit", look).await.ok()
    }

    /// Those of the running replicas that it is by their roles.
    fn of(self, running: &[u64], roles: &[(u64, String)], random: &mut SmallRng) -> Vec<u64> {
        let with = |role: &str| {
            let ids = roles.iter().filter(|(id, is)| is == role && running.contains(id));
            ids.map(|(id, _)| *id).collect::<Vec<u64>>()
        };
        let (leaders, followers) = (with("leader"), with("follower"));
        match self {
            Self::Leader => leaders,
            Self::Follower => one(&followers, random),
            Self::Learner => one(&with("learner"), random),
            Self::Majority => {
                let mut voters: Vec<u64> = leaders.into_iter().chain(followers).collect();
                // Now and then it is the leader that is left alone.
                voters.shuffle(random);
                let lost = voters.len().div_ceil(2);
                voters.into_iter().take(lost).collect()
            }
            Self::All => running.to_vec(),
        }
    }
}

fn one(ids: &[u64], random: &mut SmallRng) -> Vec<u64> {
    if ids.is_empty() { Vec::new() } else { vec![ids[random.random_range(0..ids.len())]] }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Leader => "leader",
            Self::Follower => "follower",
            Self::Learner => "learner",
            Self::Majority => "majority",
            Self::All => "all",
        })
    }
}
