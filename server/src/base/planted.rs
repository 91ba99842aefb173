//! Bugs that can be planted, to see that the chaos tests find them.
//!
//! Without the cargo feature `planted-bugs` nothing of it is in the program. With it, `UNUM_PLANTED_BUG` names the one bug
//! that the process has. Each is one line where a careless hand could have put it.

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A linearizable read takes the state that is there.
    SkipBarrier,
    /// A read joins a round that was answered before it came.
    ReuseRound,
    /// The leader confirms its lead with nobody.
    TrustOwnLead,
    /// A sync ends before the disk has it.
    AckBeforeSync,
    /// The vote is not stored.
    ForgetVote,
    /// A purge does not store up to where.
    LoseLastPurged,
    /// What a raft snapshot has is not in the records when the log is purged up to it.
    PurgeAhead,
    /// A push that was applied is applied again.
    DropDedup,
    /// A push of an older epoch is taken.
    AcceptOldEpoch,
    /// A push that was relayed is the relay's.
    StampRelay,
    /// Of every fifth push of a node the first table is applied, the others are not.
    HalfPush,
    /// Every fifth push of a node is refused.
    RefuseLegal,
    /// Rows that a raft snapshot does not have stay.
    Resurrect,
    /// Replicas apply the same entry to different states.
    Diverge,
    /// A change of configuration does not look at what it builds on.
    IgnoreRevision,
}

/// The variable that names the bug.
#[cfg(feature = "planted-bugs")]
pub const VARIABLE: &str = "UNUM_PLANTED_BUG";

#[cfg(feature = "planted-bugs")]
impl Bug {
    const ALL: [(&'static str, Self); 15] = [
        ("skip-barrier", Self::SkipBarrier),
        ("reuse-round", Self::ReuseRound),
        ("trust-own-lead", Self::TrustOwnLead),
        ("ack-before-sync", Self::AckBeforeSync),
        ("forget-vote", Self::ForgetVote),
        ("lose-last-purged", Self::LoseLastPurged),
        ("purge-ahead", Self::PurgeAhead),
        ("drop-dedup", Self::DropDedup),
        ("accept-old-epoch", Self::AcceptOldEpoch),
        ("stamp-relay", Self::StampRelay),
        ("half-push", Self::HalfPush),
        ("refuse-legal", Self::RefuseLegal),
        ("resurrect", Self::Resurrect),
        ("diverge", Self::Diverge),
        ("ignore-revision", Self::IgnoreRevision),
    ];
}

/// Whether this process has the bug.
#[cfg(feature = "planted-bugs")]
pub fn planted(bug: Bug) -> bool {
    static PLANTED: std::sync::OnceLock<Option<Bug>> = std::sync::OnceLock::new();
    let planted = PLANTED.get_or_init(|| {
        let name = std::env::var(VARIABLE).ok()?;
        let known = Bug::ALL.iter().find(|(known, _)| *known == name);
        Some(known.unwrap_or_else(|| panic!("{VARIABLE} is {name:?}, which is no bug of {:?}", Bug::ALL)).1)
    });
    *planted == Some(bug)
}

/// Whether this process has the bug: never.
#[cfg(not(feature = "planted-bugs"))]
pub const fn planted(_: Bug) -> bool {
    false
}
