//! openraft's type parameters, and short names for its types.

use std::fmt;

use openraft::impls::leader_id_std;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use unum_proto::model::ReplicaId;

use crate::catalog::Outcome;

openraft::declare_raft_types!(
    /// A log entry carries an encoded catalog command, which is decoded once, when it is applied.
    pub TypeConfig:
        D = CommandBytes,
        R = Reply,
        NodeId = ReplicaId,
        LeaderId = leader_id_std::LeaderId<u64, ReplicaId>,
);

/// A catalog command as the log keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandBytes(pub bytes::Bytes);

impl fmt::Debug for CommandBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl fmt::Display for CommandBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Serialize for CommandBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for CommandBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = CommandBytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the bytes of a command")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<CommandBytes, E> {
                Ok(CommandBytes(bytes::Bytes::copy_from_slice(bytes)))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

/// What applying an entry answers its proposer; none for entries without a command.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply(pub Option<Outcome>);

pub type Entry = openraft::alias::EntryOf<TypeConfig>;
pub type LogId = openraft::alias::LogIdOf<TypeConfig>;
pub type Vote = openraft::alias::VoteOf<TypeConfig>;
pub type Membership = openraft::Membership<ReplicaId, openraft::BasicNode>;
pub type StoredMembership = openraft::alias::StoredMembershipOf<TypeConfig>;
pub type SnapshotMeta = openraft::alias::SnapshotMetaOf<TypeConfig>;
pub type Metrics = openraft::RaftMetrics<TypeConfig>;
