//! A read index that the leader and the asker confirm between the two of them.
//!
//! ReadIndex asks a majority whether the leader still leads. The replica that asks is a member itself: where its own
//! word and the leader's make a majority, as in a group of three, nobody else has to be asked, and a round is one message
//! there and one back.
//!
//! The asker's word is the term of its stored vote, read when the round starts. That is enough: a write that was
//! acknowledged, or seen by anybody, before then under a later term would have a majority that had promised that term,
//! and every majority has the asker or the leader in it. What was committed in this term, the leader's Raft knows before
//! any replica hears of it; what was committed in earlier ones stands in its log before the first entry of its own term,
//! which has to be committed.
//!
//! So the leader's part is read inside its Raft, where vote, membership and committed index are of one moment, and the
//! index is the committed one. What it has applied would not do: a follower may be quicker to apply, and a read there
//! has then seen more.
//!
//! Where that is not so, or cannot be told at once, Raft runs a round with all members.

use openraft::RaftState;
use unum_proto::model::ReplicaId;

use super::cancel_safe;
use super::log_store::StoredVote;
use super::state_machine::Raft;
use super::types::{LogId, Membership, TypeConfig, Vote};

/// The term that a replica vouches for when it asks: it has promised nothing later. None before its first vote.
pub fn own_term(stored_vote: &StoredVote) -> Option<u64> {
    stored_vote.vote().map(|vote| vote.leader_id.term)
}

/// The index that a reader at `asker`, a replica whose stored vote was of that term when it asked, must have applied. None
/// if replica `me` and the asker cannot tell between them.
pub async fn read_index(raft: &Raft, me: ReplicaId, asker: ReplicaId, term: u64) -> Option<u64> {
    let look = move |state: &RaftState<TypeConfig>| {
        let leads = leads_in(state.vote_ref(), state.cluster_committed(), me, term);
        let index = state.cluster_committed().map(|committed| committed.index);
        index.filter(|_| leads && is_majority(state.membership_state.effective().membership(), me, asker))
    };
    // A Raft that has stopped does not lead; the round with all says so.
    cancel_safe::call(raft, |raft| async move { raft.with_raft_state(look).await }).await.ok().flatten()
}

/// Whether a replica with that vote leads in that term, and has committed an entry of it.
fn leads_in(vote: &Vote, committed: Option<&LogId>, me: ReplicaId, term: u64) -> bool {
    let own = vote.committed && vote.leader_id.voted_for == me && vote.leader_id.term == term;
    own && committed.is_some_and(|committed| committed.committed_leader_id().term == term)
}

/// Whether the two are a majority of the voters; while the voters change, of those before and of those after.
fn is_majority(membership: &Membership, me: ReplicaId, asker: ReplicaId) -> bool {
    membership.get_joint_config().iter().all(|voters| {
        let two = voters.iter().filter(|voter| [me, asker].contains(voter)).count();
        2 * two > voters.len()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use openraft::BasicNode;

    use super::*;
    use crate::consensus::entry::log_id;

    fn is_majority_of(configs: &[&[u64]], me: u64, asker: u64) -> bool {
        let voters = |ids: &&[u64]| ids.iter().map(|id| ReplicaId::from(*id)).collect::<BTreeSet<_>>();
        let nodes: BTreeMap<ReplicaId, BasicNode> = (1..=5).map(|id: u64| (id.into(), BasicNode::default())).collect();
        let membership = Membership::new(configs.iter().map(voters).collect(), nodes).unwrap();
        is_majority(&membership, me.into(), asker.into())
    }

    fn committed(term: u64, leader: u64) -> Vote {
        Vote::new_committed(term, leader.into())
    }

    #[test]
    fn two_are_a_majority_of_three_voters_and_not_of_more_nor_with_a_learner() {
        assert!(is_majority_of(&[&[1, 2, 3]], 1, 3));
        assert!(is_majority_of(&[&[1, 2]], 1, 2));
        assert!(is_majority_of(&[&[1]], 1, 4), "the leader alone");
        assert!(!is_majority_of(&[&[1, 2, 3]], 1, 4), "a learner");
        assert!(!is_majority_of(&[&[1, 2, 3]], 1, 1), "one and the same");
        assert!(!is_majority_of(&[&[1, 2, 3, 4]], 1, 2));
        assert!(!is_majority_of(&[&[1, 2, 3], &[1, 2, 3, 4, 5]], 1, 2), "the voters change");
        assert!(!is_majority_of(&[&[1, 2, 3], &[3, 4, 5]], 1, 2), "the voters change");
    }

    #[test]
    fn only_a_leader_that_has_committed_an_entry_of_its_term_confirms() {
        let (me, newest) = (ReplicaId::from(1), log_id(3, 10));
        assert!(leads_in(&committed(3, 1), Some(&newest), me, 3));
        assert!(!leads_in(&committed(3, 1), Some(&newest), me, 2), "the asker is behind");
        assert!(!leads_in(&committed(3, 1), Some(&newest), me, 4), "the asker has promised more");
        assert!(!leads_in(&committed(3, 2), Some(&newest), me, 3), "another one leads");
        assert!(!leads_in(&Vote::new(3, me), Some(&newest), me, 3), "a candidate");
        let before = log_id(2, 10);
        assert!(
            !leads_in(&committed(3, 1), Some(&before), me, 3),
            "what earlier leaders committed may not be known yet"
        );
    }
}
