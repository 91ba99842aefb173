//! Why a replica must not go on, as replicas tell each other.

use unum_proto::model::ReplicaId;

/// A replica that must not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Stop {
    /// Which one.
    pub replica: ReplicaId,
    /// Why.
    pub reason: StopReason,
}

/// Why a replica must not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// The group knows its id with another data directory.
    Wiped,
    /// It is no member any more.
    Removed,
    /// Its state is not the leader's at the same revision; with both hashes, for people.
    Diverged(String),
    /// One that only a newer version of Unum knows, in its words.
    Unknown(String),
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let replica = self.replica;
        match &self.reason {
            StopReason::Wiped => write!(
                f,
                "replica {replica} is known to the group with another data directory: this one was wiped, or is a copy's. \
                 Remove it with `unum member remove {replica}` and let it join under an id that was never used, with --join"
            ),
            StopReason::Removed => write!(
                f,
                "replica {replica} was removed from the group; wipe its directory, or let it join again under an id that \
                 was never used"
            ),
            StopReason::Diverged(how) => write!(
                f,
                "{how}: one of the two is corrupt, and the follower stops; keep its directory for a look, and let it join \
                 wiped and under a new id"
            ),
            StopReason::Unknown(why) => f.write_str(why),
        }
    }
}
