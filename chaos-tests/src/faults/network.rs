//! The network between the hosts of a sandbox: cut, flapping, lossy, late or narrow.
//!
//! What one replica sends to another is dropped where it comes in, so each direction is cut by itself. Clients reach
//! every replica all the while, but where the fault is about them: whoever is cut off can be asked, and must not answer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::cluster::{Cluster, Filter, Host, Process, binary, filter_clients, until};
use crate::host::ToolFailed;

use super::target::Target;

/// Shortest and longest time of a link that flaps to be there, or away.
const FLAP_MS: std::ops::Range<u64> = 50..500;

/// Which links are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The leader from all other replicas.
    LeaderAlone,
    /// A follower from all other replicas.
    FollowerAlone,
    /// The leader and one more from all others.
    LeaderWithOne,
    /// What comes to the leader from other replicas.
    ToLeader,
    /// What the leader sends to other replicas.
    FromLeader,
    /// All but the links of a ring in which each replica sees a majority.
    Ring,
    /// The clients from all replicas but one.
    ClientsAtOne,
}

impl Link {
    /// Around whom it is cut.
    pub fn around(self) -> Target {
        match self {
            Self::FollowerAlone | Self::ClientsAtOne => Target::Follower,
            Self::LeaderAlone | Self::LeaderWithOne | Self::ToLeader | Self::FromLeader | Self::Ring => Target::Leader,
        }
    }

    /// Who can hear no majority, or not be heard by one.
    pub fn cut_off(self, cluster: &Cluster, around: u64) -> Vec<u64> {
        let ids: Vec<u64> = cluster.members.iter().map(|member| member.id).collect();
        match self {
            Self::LeaderAlone | Self::FollowerAlone | Self::ToLeader | Self::FromLeader => vec![around],
            Self::LeaderWithOne if ids.len() > 4 => vec![around, after(&ids, around, 1)],
            Self::LeaderWithOne | Self::Ring | Self::ClientsAtOne => Vec::new(),
        }
    }

    /// From whom to whom nothing comes, of replicas of these ids.
    fn blocked(self, ids: &[u64], around: u64) -> Vec<(u64, u64)> {
        let after = |id: u64, steps: usize| after(ids, id, steps);
        let blocked = |from: u64, to: u64| match self {
            Self::LeaderAlone | Self::FollowerAlone => from == around || to == around,
            Self::LeaderWithOne => {
                let inside = [around, after(around, 1)];
                inside.contains(&from) != inside.contains(&to)
            }
            Self::ToLeader => to == around,
            Self::FromLeader => from == around,
            Self::Ring if ids.len() <= 3 => [from, to].contains(&around) && [from, to].contains(&after(around, 1)),
            Self::Ring => after(from, 1) != to && after(to, 1) != from,
            Self::ClientsAtOne => false,
        };
        let pairs = ids.iter().flat_map(|from| ids.iter().map(|to| (*from, *to)));
        pairs.filter(|(from, to)| from != to && blocked(*from, *to)).collect()
    }
}

/// Who stands so many places after a replica, in a ring of all.
fn after(ids: &[u64], id: u64, steps: usize) -> u64 {
    let place = ids.iter().position(|other| *other == id).unwrap_or_default();
    ids[(place + steps) % ids.len()]
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LeaderAlone => "leader alone",
            Self::FollowerAlone => "follower alone",
            Self::LeaderWithOne => "leader with one",
            Self::ToLeader => "one way, to the leader",
            Self::FromLeader => "one way, from the leader",
            Self::Ring => "ring",
            Self::ClientsAtOne => "clients at one replica",
        })
    }
}

/// The hosts that have to be told, each with its rules.
fn rules(cluster: &Cluster, link: Link, around: u64) -> anyhow::Result<Vec<(Option<Host>, Vec<String>)>> {
    let ids: Vec<u64> = cluster.members.iter().map(|member| member.id).collect();
    if link == Link::ClientsAtOne {
        let hidden = ids.iter().filter(|id| **id != around);
        let rules = hidden.map(|id| Ok(format!("ip daddr {} drop", host(cluster, *id)?.ip())));
        return Ok(vec![(None, rules.collect::<anyhow::Result<_>>()?)]);
    }
    let blocked = link.blocked(&ids, around);
    let mut all = Vec::new();
    for to in ids {
        let from = blocked.iter().filter(|(_, other)| *other == to);
        let rules: Vec<String> = from
            .map(|(from, _)| Ok(format!("ip saddr {} drop", host(cluster, *from)?.ip())))
            .collect::<anyhow::Result<_>>()?;
        if !rules.is_empty() {
            all.push((Some(host(cluster, to)?.clone()), rules));
        }
    }
    Ok(all)
}

fn install(rules: &[(Option<Host>, Vec<String>)]) -> anyhow::Result<Vec<Filter>> {
    let one = |(host, rules): &(Option<Host>, Vec<String>)| match host {
        Some(host) => host.filter(rules),
        None => filter_clients(rules),
    };
    rules.iter().map(one).collect()
}

fn host(cluster: &Cluster, id: u64) -> anyhow::Result<&Host> {
    cluster.member(id).host.as_ref().context("the replicas have no hosts of their own")
}

/// Cuts links.
pub fn cut(cluster: &Cluster, link: Link, around: u64) -> anyhow::Result<Vec<Filter>> {
    install(&rules(cluster, link, around)?)
}

/// Cuts links and joins them again and again.
pub fn flap(cluster: &Cluster, link: Link, around: u64, seed: u64) -> anyhow::Result<Setting> {
    let rules = rules(cluster, link, around)?;
    let mut first = Some(install(&rules)?);
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        let mut random = SmallRng::seed_from_u64(seed);
        while !stopped.load(Ordering::SeqCst) {
            let filters = first.take().map_or_else(|| install(&rules), Ok)?;
            std::thread::sleep(Duration::from_millis(random.random_range(FLAP_MS)));
            drop(filters);
            std::thread::sleep(Duration::from_millis(random.random_range(FLAP_MS)));
        }
        Ok(())
    });
    Ok(Setting::Flapping { stop, thread: Some(thread) })
}

/// Loses packets of the replicas, in both directions.
pub fn lose(cluster: &Cluster, hit: &[u64], percent: u8) -> anyhow::Result<Vec<Filter>> {
    let rule = |way: &str| [format!("{way} eth0 numgen random mod 100 < {percent} drop")];
    let mut filters = Vec::new();
    for id in hit {
        let host = host(cluster, *id)?;
        filters.push(host.filter(&rule("iifname"))?);
        filters.push(host.filter_sent(&rule("oifname"))?);
    }
    Ok(filters)
}

/// Holds what the replicas send for a random time each, so that packets overtake each other.
pub async fn delay(cluster: &Cluster, hit: &[u64], max_ms: u16, seed: u64) -> anyhow::Result<Vec<Setting>> {
    let mut settings = Vec::new();
    for id in hit {
        let host = host(cluster, *id)?.clone();
        let mut command = host.enter();
        command.push(binary("unum-chaos")?.to_string_lossy().into_owned());
        let (max_ms, seed) = (max_ms.to_string(), seed.to_string());
        command.extend(["delay-packets", "--max-ms", &max_ms, "--seed", &seed].map(str::to_owned));
        let program = Process::spawn(command[0].as_ref(), &command[1..], &cluster.dir().join("delay.log"))?;
        // Until the queue is bound the rule lets everything pass.
        let is_bound = || host.sh(&["grep", "-q", ".", "/proc/self/net/netfilter/nfnetlink_queue"]).is_ok();
        until("a program holds the packets", async || is_bound().then_some(())).await?;
        let rule = ["OUTPUT", "-o", "eth0", "-j", "NFQUEUE", "--queue-num", "0", "--queue-bypass"];
        host.sh(&[&["iptables", "-A"], &rule[..]].concat())?;
        settings.push(Setting::Queued { host, rule: rule.map(str::to_owned).to_vec(), program });
    }
    Ok(settings)
}

/// Narrows what the replicas can send.
pub fn narrow(cluster: &Cluster, hit: &[u64], kbit: u32) -> anyhow::Result<Vec<Setting>> {
    let mut settings = Vec::new();
    for id in hit {
        let host = host(cluster, *id)?.clone();
        let rate = format!("{kbit}kbit");
        host.sh(&[
            "tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", &rate, "burst", "16kb", "latency", "400ms",
        ])?;
        settings.push(Setting::Narrow(host));
    }
    Ok(settings)
}

/// Something of the network that is set back when it is dropped. Where the host is gone, so is what was set.
#[derive(Debug)]
pub enum Setting {
    /// Links that come and go.
    Flapping {
        /// Ends it.
        stop: Arc<AtomicBool>,
        /// Who does it.
        thread: Option<std::thread::JoinHandle<anyhow::Result<()>>>,
    },
    /// Packets that a program holds.
    Queued {
        /// Whose.
        host: Host,
        /// The rule that sends them there.
        rule: Vec<String>,
        /// The program, ended with this.
        program: Process,
    },
    /// A rate.
    Narrow(Host),
}

impl Setting {
    /// Sets it back.
    ///
    /// # Errors
    /// When it was not there all the while.
    pub fn end(mut self) -> anyhow::Result<()> {
        match &mut self {
            Self::Flapping { stop, thread } => {
                stop.store(true, Ordering::SeqCst);
                match thread.take().map(std::thread::JoinHandle::join) {
                    Some(Ok(result)) => result,
                    _ => bail!(ToolFailed("what lets a link flap has panicked".to_owned())),
                }
            }
            Self::Queued { program, .. } => match program.ended()? {
                Some((code, log)) => bail!(ToolFailed(format!("what holds packets has ended with {code:?}: {log}"))),
                None => Ok(()),
            },
            Self::Narrow(_) => Ok(()),
        }
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        match self {
            Self::Flapping { stop, thread } => {
                stop.store(true, Ordering::SeqCst);
                // Its error counts when it is ended; this is another one's end.
                let _ = thread.take().map(std::thread::JoinHandle::join);
            }
            Self::Queued { host, rule, .. } => {
                let rule: Vec<&str> = rule.iter().map(String::as_str).collect();
                let _ = host.sh(&[&["iptables", "-D"], &rule[..]].concat());
            }
            Self::Narrow(host) => {
                let _ = host.sh(&["tc", "qdisc", "del", "dev", "eth0", "root"]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_ring_each_replica_sees_a_majority_and_not_all() {
        let ids = [1, 2, 3, 4, 5];
        let blocked = Link::Ring.blocked(&ids, 2);
        for id in ids {
            let unseen = blocked.iter().filter(|(from, _)| *from == id).count();
            assert_eq!(unseen, 2, "{id}: {blocked:?}");
        }
        assert_eq!(Link::Ring.blocked(&[1, 2, 3], 3), [(1, 3), (3, 1)]);
    }

    #[test]
    fn one_way_is_one_way() {
        assert_eq!(Link::ToLeader.blocked(&[1, 2, 3], 2), [(1, 2), (3, 2)]);
        assert_eq!(Link::FromLeader.blocked(&[1, 2, 3], 2), [(2, 1), (2, 3)]);
        assert_eq!(Link::LeaderWithOne.blocked(&[1, 2, 3, 4, 5], 5).len(), 12);
        assert_eq!(Link::LeaderAlone.blocked(&[1, 2, 3], 1), [(1, 2), (1, 3), (2, 1), (3, 1)]);
    }
}
