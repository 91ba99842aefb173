//! A read index that the leader and the asker confirm between the two of them.
//!
//! ReadIndex asks a majority whether the leader still leads. The replica that asks is a member itself: where its own
//! word and the leader's make a majority, as in a group of three, nobody else has to be asked, and a round is one message
//! there and one back.
//!
//! The asker's word is the term of its stored vote, read when the round starts. That is enough: a write that was
//! acknowledged before then under a later term would have a majority that had promised that term, and every majority has
//! the asker or the leader in it. Writes of this term were acknowledged by the leader after it applied them. Those of
//! earlier terms stand in its log before the first entry of its own term, which it has to have applied.
//!
//! Where that is not so, or cannot be told at once, Raft runs a round with all members.

use openraft::ServerState;
use openraft::async_runtime::WatchReceiver;

use super::log_store::Promises;
use super::state_machine::Raft;
use super::types::{Membership, Metrics};

/// The term that a replica vouches for when it asks: it has promised nothing later. None before its first vote.
pub fn own_term(promises: &Promises) -> Option<u64> {
    promises.vote().map(|vote| vote.leader_id.term)
}

/// Whether what replica `me` has applied by now has everything that was acknowledged before `asker`, a replica whose
/// stored vote was of that term, asked.
pub fn confirms(raft: &Raft, promises: &Promises, me: u64, asker: u64, term: u64) -> bool {
    let metrics = raft.metrics();
    let metrics = metrics.borrow_watched();
    own_term(promises) == Some(term)
        && leads_in(&metrics, term)
        // Raft's metrics are a step behind Raft: a membership may be in the log that is not in them.
        && metrics.membership_config.log_id().is_some_and(|log_id| log_id.index >= promises.membership_at())
        && is_majority(metrics.membership_config.membership(), me, asker)
}

/// Whether the replica leads in that term, and has applied an entry of it.
fn leads_in(metrics: &Metrics, term: u64) -> bool {
    let applied_in = metrics.last_applied.as_ref().map(|log_id| log_id.committed_leader_id().term);
    metrics.state == ServerState::Leader && metrics.current_term == term && applied_in == Some(term)
}

/// Whether the two are a majority of the voters; while the voters change, of those before and of those after.
fn is_majority(membership: &Membership, me: u64, asker: u64) -> bool {
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

    fn membership(configs: &[&[u64]]) -> Membership {
        let configs: Vec<BTreeSet<u64>> = configs.iter().map(|voters| voters.iter().copied().collect()).collect();
        let nodes: BTreeMap<u64, BasicNode> = (1..=5).map(|id| (id, BasicNode::default())).collect();
        Membership::new(configs, nodes).unwrap()
    }

    #[test]
    fn two_are_a_majority_of_three_voters_and_not_of_more_nor_with_a_learner() {
        assert!(is_majority(&membership(&[&[1, 2, 3]]), 1, 3));
        assert!(is_majority(&membership(&[&[1, 2]]), 1, 2));
        assert!(is_majority(&membership(&[&[1]]), 1, 4), "the leader alone");
        assert!(!is_majority(&membership(&[&[1, 2, 3]]), 1, 4), "a learner");
        assert!(!is_majority(&membership(&[&[1, 2, 3]]), 1, 1), "one and the same");
        assert!(!is_majority(&membership(&[&[1, 2, 3, 4]]), 1, 2));
        assert!(!is_majority(&membership(&[&[1, 2, 3], &[1, 2, 3, 4, 5]]), 1, 2), "the voters change");
        assert!(!is_majority(&membership(&[&[1, 2, 3], &[3, 4, 5]]), 1, 2), "the voters change");
    }

    #[test]
    fn only_a_leader_that_has_applied_an_entry_of_its_term_confirms() {
        let mut metrics = Metrics::new_initial(1);
        metrics.state = ServerState::Leader;
        metrics.current_term = 3;
        metrics.last_applied = Some(log_id(3, 10));
        assert!(leads_in(&metrics, 3));
        assert!(!leads_in(&metrics, 2) && !leads_in(&metrics, 4));
        metrics.last_applied = Some(log_id(2, 10));
        assert!(!leads_in(&metrics, 3), "what an earlier leader acknowledged may not be applied yet");
        metrics.last_applied = Some(log_id(3, 10));
        metrics.state = ServerState::Follower;
        assert!(!leads_in(&metrics, 3));
    }
}
