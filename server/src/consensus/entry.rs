//! The disk formats of Raft's own things: entries, log ids, votes, memberships.
//!
//! They are ours, not openraft's serde: an upgrade of openraft must not change what is on disk. Each starts with a
//! version byte.

use std::collections::{BTreeMap, BTreeSet};

use openraft::entry::RaftEntry;
use openraft::impls::leader_id_std;
use openraft::{BasicNode, EntryPayload};
use serde::{Deserialize, Serialize};
use unum_proto::model::ReplicaId;

use super::types::{CommandBytes, Entry, LogId, Membership, StoredMembership, TypeConfig, Vote};
use crate::storage::Error;

const VERSION: u8 = 1;

const BLANK: u8 = 0;
const COMMAND: u8 = 1;
const MEMBERSHIP: u8 = 2;

/// version, kind, term (8, big endian), index (8), body.
const HEADER_BYTES: usize = 18;

/// The bytes of a log entry.
pub fn encode(entry: &Entry) -> Vec<u8> {
    let (kind, body) = match &entry.payload {
        EntryPayload::Blank => (BLANK, Vec::new()),
        EntryPayload::Normal(CommandBytes(bytes)) => (COMMAND, bytes.to_vec()),
        EntryPayload::Membership(membership) => (MEMBERSHIP, to_bytes(&MembershipRecord::from(membership))),
    };
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
    bytes.extend([VERSION, kind]);
    bytes.extend(term(&entry.log_id).to_be_bytes());
    bytes.extend(entry.log_id.index.to_be_bytes());
    bytes.extend(body);
    bytes
}

/// Reads what [`encode`] wrote.
pub fn decode(bytes: &[u8]) -> Result<Entry, Error> {
    let Some((header, body)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(corrupt("a log entry is too short"));
    };
    let [version, kind, ids @ ..] = header;
    if *version != VERSION {
        return Err(unknown_version("log entry", *version));
    }
    let (term, index) = ids.split_at(8);
    let number = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().expect("the halves of 16 bytes"));
    let log_id = log_id(number(term), number(index));
    let payload = match *kind {
        BLANK => EntryPayload::Blank,
        COMMAND => EntryPayload::Normal(CommandBytes(bytes::Bytes::copy_from_slice(body))),
        MEMBERSHIP => EntryPayload::Membership(from_bytes::<MembershipRecord>("membership", body)?.try_into()?),
        other => return Err(corrupt(&format!("log entry {index:?} has the unknown kind {other}"))),
    };
    Ok(Entry::new(log_id, payload))
}

/// Term and index.
pub fn log_id(term: u64, index: u64) -> LogId {
    LogId { leader_id: openraft::alias::CommittedLeaderIdOf::<TypeConfig>::new(term), index }
}

/// The term of a log id.
pub fn term(log_id: &LogId) -> u64 {
    log_id.leader_id.term
}

/// The bytes of a record with a version in front.
fn to_bytes<T: Serialize>(record: &T) -> Vec<u8> {
    let body = postcard::to_stdvec(record).expect("records always encode");
    [&[VERSION][..], &body].concat()
}

fn from_bytes<T: for<'de> Deserialize<'de>>(what: &str, bytes: &[u8]) -> Result<T, Error> {
    match bytes {
        [VERSION, body @ ..] => {
            postcard::from_bytes(body).map_err(|e| corrupt(&format!("a {what} does not decode: {e}")))
        }
        [version, ..] => Err(unknown_version(what, *version)),
        [] => Err(corrupt(&format!("a {what} is empty"))),
    }
}

fn corrupt(why: &str) -> Error {
    Error::Corrupt(why.to_owned())
}

fn unknown_version(what: &str, version: u8) -> Error {
    Error::Refused(format!(
        "a {what} has format version {version}, this unumd knows {VERSION}; run the version that wrote it"
    ))
}

#[derive(Serialize, Deserialize)]
struct MembershipRecord {
    configs: Vec<BTreeSet<ReplicaId>>,
    addresses: BTreeMap<ReplicaId, String>,
}

impl From<&Membership> for MembershipRecord {
    fn from(membership: &Membership) -> Self {
        Self {
            configs: membership.get_joint_config().clone(),
            addresses: membership.nodes().map(|(id, node)| (*id, node.addr.clone())).collect(),
        }
    }
}

impl TryFrom<MembershipRecord> for Membership {
    type Error = Error;

    fn try_from(record: MembershipRecord) -> Result<Self, Error> {
        if record.configs.is_empty() {
            return Ok(Self::default());
        }
        let nodes: BTreeMap<ReplicaId, BasicNode> =
            record.addresses.into_iter().map(|(id, addr)| (id, BasicNode { addr })).collect();
        Self::new(record.configs, nodes).map_err(|e| corrupt(&format!("a membership is not valid: {e}")))
    }
}

/// The bytes of the last purged log id and of the chain up to it.
pub fn encode_purged(log_id: &LogId, chain: u64) -> Vec<u8> {
    to_bytes(&(term(log_id), log_id.index, chain))
}

/// Reads what [`encode_purged`] wrote.
pub fn decode_purged(bytes: &[u8]) -> Result<(LogId, u64), Error> {
    let (term, index, chain) = from_bytes("purged log id", bytes)?;
    Ok((log_id(term, index), chain))
}

/// The bytes of a vote.
pub fn encode_vote(vote: &Vote) -> Vec<u8> {
    to_bytes(&(vote.leader_id.term, vote.leader_id.voted_for, vote.committed))
}

/// Reads what [`encode_vote`] wrote.
pub fn decode_vote(bytes: &[u8]) -> Result<Vote, Error> {
    let (term, voted_for, committed): VoteParts = from_bytes("vote", bytes)?;
    let leader_id = leader_id_std::LeaderId { term, voted_for };
    Ok(Vote { leader_id, committed })
}

/// What the state machine had applied, the membership as of then, and the state hash.
pub fn encode_applied(applied: Option<LogId>, membership: &StoredMembership, hash: u64) -> Vec<u8> {
    let ids = |log_id: Option<LogId>| log_id.map(|log_id| (term(&log_id), log_id.index));
    to_bytes(&(ids(applied), ids(*membership.log_id()), MembershipRecord::from(membership.membership()), hash))
}

/// Reads what [`encode_applied`] wrote.
pub fn decode_applied(bytes: &[u8]) -> Result<(Option<LogId>, StoredMembership, u64), Error> {
    type Ids = Option<(u64, u64)>;
    let (applied, membership_at, membership, hash): (Ids, Ids, MembershipRecord, u64) =
        from_bytes("applied state", bytes)?;
    let ids = |ids: Ids| ids.map(|(term, index)| log_id(term, index));
    Ok((ids(applied), StoredMembership::new(ids(membership_at), membership.try_into()?), hash))
}

/// How far the log and the vote were synced: kept outside the store, which may lose its end without a word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HighWater {
    /// The last log entry, and the chain up to it.
    pub last: Option<(LogId, u64)>,
    /// The vote.
    pub vote: Option<Vote>,
}

type VoteParts = (u64, ReplicaId, bool);

/// The bytes of a high-water mark.
pub fn encode_high_water(mark: &HighWater) -> Vec<u8> {
    let last = mark.last.map(|(log_id, chain)| (term(&log_id), log_id.index, chain));
    let vote: Option<VoteParts> = mark.vote.map(|vote| (vote.leader_id.term, vote.leader_id.voted_for, vote.committed));
    to_bytes(&(last, vote))
}

/// Reads what [`encode_high_water`] wrote.
pub fn decode_high_water(bytes: &[u8]) -> Result<HighWater, Error> {
    let (last, vote): (Option<(u64, u64, u64)>, Option<VoteParts>) = from_bytes("high-water mark", bytes)?;
    let vote = vote
        .map(|(term, voted_for, committed)| Vote { leader_id: leader_id_std::LeaderId { term, voted_for }, committed });
    Ok(HighWater { last: last.map(|(term, index, chain)| (log_id(term, index), chain)), vote })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn membership() -> Membership {
        let node = |addr: &str| BasicNode { addr: addr.into() };
        let nodes = BTreeMap::from([(1.into(), node("a:1")), (2.into(), node("b:2"))]);
        Membership::new(vec![BTreeSet::from([1.into()])], nodes).unwrap()
    }

    #[test]
    fn the_bytes_of_entries_are_frozen() {
        let command = CommandBytes(bytes::Bytes::from_static(&[7, 8]));
        let payloads = [EntryPayload::Blank, EntryPayload::Normal(command), EntryPayload::Membership(membership())];
        let hex = |payload| {
            let entry = Entry::new(log_id(3, 258), payload);
            let bytes = encode(&entry);
            assert_eq!(decode(&bytes).unwrap(), entry);
            bytes.iter().map(|b| format!("{b:02x}")).collect::<String>()
        };
        insta::assert_snapshot!(payloads.map(hex).join("\n"));
    }

    #[test]
    fn votes_and_applied_states_survive_encoding() {
        let vote = Vote { leader_id: leader_id_std::LeaderId { term: 9, voted_for: 2.into() }, committed: true };
        assert_eq!(decode_vote(&encode_vote(&vote)).unwrap(), vote);
        let stored = StoredMembership::new(Some(log_id(1, 2)), membership());
        let decoded = decode_applied(&encode_applied(Some(log_id(3, 4)), &stored, 7)).unwrap();
        assert_eq!(decoded, (Some(log_id(3, 4)), stored, 7));
        let mark = HighWater { last: Some((log_id(5, 6), 8)), vote: Some(vote) };
        assert_eq!(decode_high_water(&encode_high_water(&mark)).unwrap(), mark);
    }

    #[test]
    fn what_is_not_an_entry_is_told() {
        assert!(matches!(decode(&[]), Err(Error::Corrupt(_))));
        assert!(matches!(decode(&[2; 20]), Err(Error::Refused(_))));
        assert!(matches!(decode_vote(&[VERSION]), Err(Error::Corrupt(_))));
    }
}
