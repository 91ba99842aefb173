//! The replicas tell each other how far they are, and who must not go on.
//!
//! A follower reports to the leader; without a leader to any other member, because it may have been removed while it
//! was away.

use std::sync::atomic::Ordering;
use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use tokio::time::MissedTickBehavior;
use unum_proto::model::ReplicaId;

use super::error::ProposeError;
use super::group::Group;
use super::membership::Member;
use super::replica_progress::Progress;
use super::stop::{Stop, StopReason};
use super::transport::error::InboundError;
use super::transport::{Report, ReportAnswer};

/// Between two reports of a follower to the leader.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Why a progress report has no answer.
#[derive(Debug)]
pub enum ReportError {
    /// Ask the leader.
    NotLeader(ProposeError),
    /// The reporter has another state than the leader at the same revision, or was removed.
    MustStop(Stop),
}

impl Group {
    /// What this replica tells of itself.
    pub(super) fn own_progress(&self) -> Progress {
        let state = self.newest.state();
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let membership = &metrics.membership_config;
        if membership.membership().get_node(&self.replica()).is_some() {
            let index = membership.log_id().map_or(0, |log_id| log_id.index);
            self.member_at.fetch_max(index + 1, Ordering::AcqRel);
        }
        Progress {
            replica: self.replica(),
            last_log: metrics.last_log_index.unwrap_or(0),
            revision: state.revision,
            state_hash: state.hash,
            member_at: self.member_at.load(Ordering::Acquire).checked_sub(1),
        }
    }

    /// Takes in how far another replica is; returns how far all are, or why that one must not go on.
    pub async fn report(&self, report: Report) -> Result<ReportAnswer, ReportError> {
        let progress = report.progress;
        if let Some(why) = self.removed(progress.replica, progress.member_at) {
            return Err(ReportError::MustStop(why));
        }
        self.must_lead().map_err(ReportError::NotLeader)?;
        // A replica that was never a member in its own eyes may be on its way in; only a leader of now knows.
        if progress.member_at.is_none() && !self.is_member(progress.replica) {
            self.confirm_read_index().await.map_err(ReportError::NotLeader)?;
            if !self.is_member(progress.replica) {
                return Err(ReportError::MustStop(removed(progress.replica)));
            }
        }
        let unknown = |e: InboundError| ReportError::NotLeader(ProposeError::Unavailable(e.to_string()));
        self.peers.learn(report.stores).await.map_err(unknown)?;
        // From its own hash it cannot differ.
        let _ = self.newest.progress().report(self.own_progress());
        self.newest.progress().report(progress).map_err(|diverged| {
            ReportError::MustStop(Stop { replica: progress.replica, reason: StopReason::Diverged(diverged) })
        })?;
        Ok(ReportAnswer { all: self.newest.progress().all(), stores: self.peers.all() })
    }

    fn is_member(&self, replica: ReplicaId) -> bool {
        self.raft.metrics().borrow_watched().membership_config.membership().get_node(&replica).is_some()
    }

    /// Why a replica that was a member at log index `member_at` is none any more, if that is certain here: the
    /// membership has to be committed, and newer than that.
    fn removed(&self, replica: ReplicaId, member_at: Option<u64>) -> Option<Stop> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let membership = &metrics.membership_config;
        let at = (*membership.log_id())?;
        let committed = Some(at) <= metrics.last_applied;
        let newer = member_at.is_some_and(|member_at| at.index > member_at);
        let member = membership.membership().get_node(&replica).is_some();
        (committed && newer && !member).then(|| removed(replica))
    }

    /// Tells the leader now and then how far this replica is, and stops it when the group says so.
    pub(super) async fn report_progress(self) {
        let mut ticks = tokio::time::interval(REPORT_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Without a leader any other member will do: it may know that this one was removed.
        for turn in 0.. {
            ticks.tick().await;
            let progress = self.own_progress();
            if let Some(why) = self.removed(self.replica(), progress.member_at) {
                self.peers.stop(why);
            }
            let others: Vec<Member> = self.members().members.into_iter().filter(|m| m.id != self.replica()).collect();
            let leader = self.leader().map(|leader| leader.replica);
            let asked = others.iter().find(|member| Some(member.id) == leader && turn % 4 != 3);
            let asked = asked.or_else(|| others.get(turn % others.len().max(1)));
            let Some(asked) = asked.filter(|_| leader != Some(self.replica())) else { continue };
            let report = Report { progress, stores: self.peers.all() };
            match self.peer_client().report(&asked.addr, report, REPORT_INTERVAL).await {
                Ok(Ok(answer)) => {
                    self.newest.progress().replace(answer.all);
                    if let Err(error) = self.peers.learn(answer.stores).await {
                        tracing::warn!(%error, "what is known of other data directories was not kept");
                    }
                }
                Ok(Err(why)) => self.peers.stop(why),
                Err(error) => {
                    tracing::debug!(replica = u64::from(asked.id), %error, "the progress report was not taken")
                }
            }
        }
    }
}

fn removed(replica: ReplicaId) -> Stop {
    Stop { replica, reason: StopReason::Removed }
}
