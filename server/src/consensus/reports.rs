//! The replicas tell each other how far they are, and who must not go on.
//!
//! A follower reports to the leader; without a leader to any other member, because it may have been removed while it
//! was away.

use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use tokio::time::MissedTickBehavior;

use super::error::ProposeError;
use super::group::Group;
use super::membership::Member;
use super::progress::Progress;

/// Between two reports of a follower to the leader.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Why a progress report has no answer.
#[derive(Debug)]
pub enum ReportError {
    /// Ask the leader.
    NotLeader(ProposeError),
    /// The reporter has another state than the leader at the same revision, or was removed.
    MustStop(String),
}

impl Group {
    /// What this replica tells of itself.
    fn own_progress(&self) -> Progress {
        let state = self.published.state();
        Progress {
            replica: self.replica(),
            last_log: self.raft.metrics().borrow_watched().last_log_index.unwrap_or(0),
            revision: state.revision,
            state_hash: state.hash,
        }
    }

    pub(super) fn remember_own_progress(&self) {
        // Of its own hash it cannot differ.
        let _ = self.published.progress().report(self.own_progress());
    }

    /// Takes in how far another replica is; returns how far all are, or why that one must not go on.
    pub fn report(&self, progress: Progress) -> Result<Vec<Progress>, ReportError> {
        if let Some(why) = self.removed(progress.replica, progress.revision) {
            return Err(ReportError::MustStop(why));
        }
        if !self.leads() {
            let leader = self.leader().map(|(leader, _)| leader);
            return Err(ReportError::NotLeader(ProposeError::NotLeader { replica: self.replica(), leader }));
        }
        self.remember_own_progress();
        self.published.progress().report(progress).map_err(|diverged| {
            ReportError::MustStop(format!(
                "{diverged}: one of the two is corrupt, and the follower stops; keep its directory for a look, and let \
                 it join wiped and under a new id"
            ))
        })?;
        Ok(self.published.progress().all())
    }

    /// Why a replica that is at `revision` is no member any more, if that is certain: the membership has to be
    /// committed, and not older than what that replica knows.
    fn removed(&self, replica: u64, revision: u64) -> Option<String> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let applied = metrics.last_applied?;
        let committed = *metrics.membership_config.log_id() <= Some(applied) && applied.index >= revision;
        let member = metrics.membership_config.membership().get_node(&replica).is_some();
        (committed && !member && metrics.membership_config.log_id().is_some()).then(|| {
            format!(
                "replica {replica} was removed from the group; wipe its directory, or let it join again under an id \
                 that was never used"
            )
        })
    }

    /// Tells the leader now and then how far this replica is, and stops it when the group says so.
    pub(super) async fn report_progress(self) {
        let mut ticks = tokio::time::interval(REPORT_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Without a leader any other member will do: it may know that this one was removed.
        for turn in 0.. {
            ticks.tick().await;
            let own = self.own_progress();
            if let Some(why) = self.removed(self.replica(), own.revision) {
                self.peers.cast_out(why);
            }
            let others: Vec<Member> = self.members().members.into_iter().filter(|m| m.id != self.replica()).collect();
            let leader = self.leader().map(|(leader, _)| leader);
            let asked = others.iter().find(|member| Some(member.id) == leader && turn % 4 != 3);
            let asked = asked.or_else(|| others.get(turn % others.len().max(1)));
            let Some(asked) = asked.filter(|_| leader != Some(self.replica())) else { continue };
            match self.leader_link().report(&asked.addr, own, REPORT_INTERVAL).await {
                Ok(Ok(all)) => self.published.progress().replace(all),
                Ok(Err(why)) => self.peers.cast_out(why),
                Err(error) => tracing::debug!(replica = asked.id, %error, "the progress report was not taken"),
            }
        }
    }
}
