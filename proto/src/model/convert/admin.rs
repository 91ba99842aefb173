//! What administrators ask.

use super::parts::required;
use crate::model::{Change, ChangeRequest, Invalid, MemberStatus, ReplicaStatus};
use crate::wire;

impl TryFrom<wire::ChangeRequest> for ChangeRequest {
    type Error = Invalid;

    fn try_from(wire: wire::ChangeRequest) -> Result<Self, Invalid> {
        use wire::change_request::Change as Wire;
        let change = match required(wire.change, "change")? {
            Wire::MemberAdd(add) => Change::add_member(add.id, add.addr)?,
            Wire::MemberPromote(promote) => Change::PromoteMember { id: promote.id },
            Wire::MemberRemove(remove) => Change::RemoveMember { id: remove.id },
            Wire::LeaderTransfer(transfer) => Change::TransferLeader { to: (transfer.to != 0).then_some(transfer.to) },
            Wire::NodeRemove(remove) => Change::RemoveNode { node: required(remove.node, "node key")?.try_into()? },
        };
        Ok(Self { change, forwarded: wire.forwarded })
    }
}

impl From<&ChangeRequest> for wire::ChangeRequest {
    fn from(request: &ChangeRequest) -> Self {
        use wire::change_request::Change as Wire;
        let change = match &request.change {
            Change::AddMember { id, addr } => Wire::MemberAdd(wire::MemberAdd { id: *id, addr: addr.clone() }),
            Change::PromoteMember { id } => Wire::MemberPromote(wire::MemberPromote { id: *id }),
            Change::RemoveMember { id } => Wire::MemberRemove(wire::MemberRemove { id: *id }),
            Change::TransferLeader { to } => Wire::LeaderTransfer(wire::LeaderTransfer { to: to.unwrap_or_default() }),
            Change::RemoveNode { node } => Wire::NodeRemove(wire::NodeRemove { node: Some(node.into()) }),
        };
        Self { change: Some(change), forwarded: request.forwarded }
    }
}

impl From<&ReplicaStatus> for wire::StatusReply {
    fn from(status: &ReplicaStatus) -> Self {
        let member = |member: &MemberStatus| wire::Member {
            id: member.id,
            addr: member.addr.clone(),
            role: member.role.clone(),
        };
        Self {
            cluster_id: status.cluster_id,
            replica: status.replica,
            version: status.version.clone(),
            term: status.term,
            leader: status.leader.unwrap_or_default(),
            revision: status.revision,
            state_hash: status.state_hash,
            members: status.members.iter().map(member).collect(),
        }
    }
}

impl From<wire::StatusReply> for ReplicaStatus {
    fn from(wire: wire::StatusReply) -> Self {
        let member = |member: wire::Member| MemberStatus { id: member.id, addr: member.addr, role: member.role };
        Self {
            cluster_id: wire.cluster_id,
            replica: wire.replica,
            version: wire.version,
            term: wire.term,
            leader: (wire.leader != 0).then_some(wire.leader),
            revision: wire.revision,
            state_hash: wire.state_hash,
            members: wire.members.into_iter().map(member).collect(),
        }
    }
}
