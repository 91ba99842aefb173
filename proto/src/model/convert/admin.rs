//! What administrators ask.

use super::parts::required;
use crate::model::{Change, ChangeRequest, Invalid, MemberStatus, ReplicaId, ReplicaStatus};
use crate::wire;

/// 0 is no replica.
fn replica(id: u64) -> Option<ReplicaId> {
    (id != 0).then_some(id.into())
}

impl TryFrom<wire::ChangeRequest> for ChangeRequest {
    type Error = Invalid;

    fn try_from(wire: wire::ChangeRequest) -> Result<Self, Invalid> {
        use wire::change_request::Change as Wire;
        let change = match required(wire.change, "change")? {
            Wire::MemberAdd(add) => Change::add_member(add.id.into(), add.addr)?,
            Wire::MemberPromote(promote) => Change::PromoteMember { id: promote.id.into() },
            Wire::MemberRemove(remove) => Change::RemoveMember { id: remove.id.into() },
            Wire::LeaderTransfer(transfer) => Change::TransferLeader { to: replica(transfer.to) },
            Wire::NodeRemove(remove) => Change::RemoveNode { node: required(remove.node, "node key")?.try_into()? },
        };
        Ok(Self { change, forwarded: wire.forwarded })
    }
}

impl From<&ChangeRequest> for wire::ChangeRequest {
    fn from(request: &ChangeRequest) -> Self {
        use wire::change_request::Change as Wire;
        let change = match &request.change {
            Change::AddMember { id, addr } => Wire::MemberAdd(wire::MemberAdd { id: (*id).into(), addr: addr.clone() }),
            Change::PromoteMember { id } => Wire::MemberPromote(wire::MemberPromote { id: (*id).into() }),
            Change::RemoveMember { id } => Wire::MemberRemove(wire::MemberRemove { id: (*id).into() }),
            Change::TransferLeader { to } => Wire::LeaderTransfer(wire::LeaderTransfer { to: to.map_or(0, u64::from) }),
            Change::RemoveNode { node } => Wire::NodeRemove(wire::NodeRemove { node: Some(node.into()) }),
        };
        Self { change: Some(change), forwarded: request.forwarded }
    }
}

impl From<&ReplicaStatus> for wire::StatusReply {
    fn from(status: &ReplicaStatus) -> Self {
        let member = |member: &MemberStatus| wire::Member {
            id: member.id.into(),
            addr: member.addr.clone(),
            role: member.role.clone(),
        };
        Self {
            cluster_id: status.cluster_id,
            replica: status.replica.into(),
            version: status.version.clone(),
            term: status.term,
            leader: status.leader.map_or(0, u64::from),
            revision: status.revision,
            state_hash: status.state_hash,
            members: status.members.iter().map(member).collect(),
        }
    }
}

impl From<wire::StatusReply> for ReplicaStatus {
    fn from(wire: wire::StatusReply) -> Self {
        let member = |member: wire::Member| MemberStatus { id: member.id.into(), addr: member.addr, role: member.role };
        Self {
            cluster_id: wire.cluster_id,
            replica: wire.replica.into(),
            version: wire.version,
            term: wire.term,
            leader: replica(wire.leader),
            revision: wire.revision,
            state_hash: wire.state_hash,
            members: wire.members.into_iter().map(member).collect(),
        }
    }
}
