//! What administrators ask: a look at one replica, a change of the group or of the catalog.

use super::invalid::quoted;
use super::{Invalid, NodeKey, ReplicaId};

/// A change that is made by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A replica joins as a learner.
    AddMember {
        /// Its id; never one that was used before.
        id: ReplicaId,
        /// Its gRPC address, as the others reach it.
        addr: String,
    },
    /// A learner becomes a voter.
    PromoteMember {
        /// The learner.
        id: ReplicaId,
    },
    /// A replica leaves the group.
    RemoveMember {
        /// The replica.
        id: ReplicaId,
    },
    /// Another voter takes the lead.
    TransferLeader {
        /// Which; the one that is furthest if none is named.
        to: Option<ReplicaId>,
    },
    /// A node's rows leave the catalog; only a new epoch brings it back.
    RemoveNode {
        /// The node.
        node: NodeKey,
    },
}

impl Change {
    /// A new learner with a legal address.
    pub fn add_member(id: ReplicaId, addr: String) -> Result<Self, Invalid> {
        if u64::from(id) == 0 {
            return Err(Invalid::new("replica id 0 is not legal", "count from 1"));
        }
        let port = addr.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
        match port {
            Some(Ok(_)) => Ok(Self::AddMember { id, addr }),
            _ => Err(Invalid::new(
                format!("the address of replica {id} is {}", quoted(&addr)),
                "write HOST:PORT as the other replicas reach it",
            )),
        }
    }
}

/// A change, and whether another replica has handed it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRequest {
    /// The change.
    pub change: Change,
    /// It goes one hop: the receiver must lead.
    pub forwarded: bool,
}

/// How one replica sees the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaStatus {
    /// The cluster.
    pub cluster_id: u64,
    /// The replica that answers.
    pub replica: ReplicaId,
    /// The version it runs.
    pub version: String,
    /// The term that it is in.
    pub term: u64,
    /// Who leads, as far as it knows.
    pub leader: Option<ReplicaId>,
    /// The revision of its state.
    pub revision: u64,
    /// The hash of that state.
    pub state_hash: u64,
    /// All members by id.
    pub members: Vec<MemberStatus>,
}

/// A member as another one knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberStatus {
    /// The replica.
    pub id: ReplicaId,
    /// Its gRPC address.
    pub addr: String,
    /// leader, follower or learner.
    pub role: String,
}
