//! Errors as gRPC statuses, by what the caller does next.
//!
//! INVALID_ARGUMENT: correct it. RESOURCE_EXHAUSTED: ask for less, or later. UNAVAILABLE: ask another replica.
//! ABORTED: it was ended on purpose, or a change is refused as things stand; do not repeat it. CANCELLED: a change was ended
//! on purpose and may have been made; do not repeat it. DEADLINE_EXCEEDED: no answer in time, for example without a
//! majority, and nothing was changed. FAILED_PRECONDITION: between replicas, ask the leader. UNKNOWN: a change that may have
//! been made; with its key it may be sent again. PERMISSION_DENIED: between replicas, one of the two was wiped. INTERNAL: a bug.

use tonic::{Code, Status};
use unum_proto::model::Invalid;

use crate::consensus::transport::error::InboundError;
use crate::consensus::transport::stop;
use crate::consensus::{BarrierError, ProposeError};
use crate::service::query;
use crate::sql;

pub fn from_invalid(error: Invalid) -> Status {
    Status::invalid_argument(error.to_string())
}

pub fn from_query(error: query::Error) -> Status {
    let code = match &error {
        query::Error::Barrier(BarrierError::NoQuorum { .. }) | query::Error::Deadline(_) => Code::DeadlineExceeded,
        // Another replica may answer at once.
        query::Error::Barrier(BarrierError::Overloaded { .. } | BarrierError::Stopping { .. })
        | query::Error::TooMany(_)
        | query::Error::Stopping { .. } => Code::Unavailable,
        query::Error::Gone | query::Error::ChangeEnded(_) => Code::Cancelled,
        query::Error::ChangeUnknown(_) => Code::Unknown,
        query::Error::Interrupted(_)
        | query::Error::Killed(_)
        | query::Error::KillFailed { .. }
        | query::Error::ChangeRefused(_) => Code::Aborted,
        query::Error::Sql(sql::Error::Invalid(_) | sql::Error::ReadsOnly(_)) => Code::InvalidArgument,
        query::Error::Sql(sql::Error::TooLarge(_)) => Code::ResourceExhausted,
        query::Error::Sql(sql::Error::Internal(_)) => Code::Internal,
    };
    if code == Code::Internal {
        tracing::error!(%error, "query failed");
    }
    Status::new(code, error.to_string())
}

pub fn from_propose(error: ProposeError) -> Status {
    match error {
        ProposeError::NotLeader { .. } => Status::failed_precondition(error.to_string()),
        ProposeError::Refused(_) => Status::invalid_argument(error.to_string()),
        ProposeError::Unavailable(_) => Status::unavailable(error.to_string()),
        ProposeError::OutcomeUnknown(_) => Status::unknown(error.to_string()),
    }
}

pub fn from_inbound(error: InboundError) -> Status {
    match error {
        InboundError::Misdirected(_) | InboundError::Codec(_) => {
            tracing::warn!(%error, "message refused");
            Status::failed_precondition(error.to_string())
        }
        // Told once, where it was found out.
        InboundError::Wiped(who) => stop::to_status(&who),
        InboundError::Snapshot(_) => Status::data_loss(error.to_string()),
        InboundError::Raft(_) => Status::unavailable(error.to_string()),
    }
}
