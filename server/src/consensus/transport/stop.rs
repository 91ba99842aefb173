//! A [`Stop`] on the wire: in a reply of its own, or in the details of a status that refuses a message.

use prost::Message;
use tonic::{Code, Status};
use unum_proto::wire;

use crate::consensus::stop::{Stop, StopReason};

impl From<&Stop> for wire::Stop {
    fn from(stop: &Stop) -> Self {
        use wire::stop::Reason;
        let (reason, detail) = match &stop.reason {
            StopReason::Wiped => (Reason::Wiped, ""),
            StopReason::Removed => (Reason::Removed, ""),
            StopReason::Diverged(how) => (Reason::Diverged, how.as_str()),
            StopReason::Unknown(why) => (Reason::Unspecified, why.as_str()),
        };
        Self { replica: stop.replica.into(), reason: reason.into(), detail: detail.to_owned() }
    }
}

impl From<wire::Stop> for Stop {
    fn from(wire: wire::Stop) -> Self {
        use wire::stop::Reason;
        let wire::Stop { replica, reason, detail } = wire;
        let reason = match Reason::try_from(reason) {
            Ok(Reason::Wiped) => StopReason::Wiped,
            Ok(Reason::Removed) => StopReason::Removed,
            Ok(Reason::Diverged) => StopReason::Diverged(detail),
            Ok(Reason::Unspecified) => StopReason::Unknown(detail),
            Err(_) => StopReason::Unknown(format!("replica {replica} must stop, for reason {reason}: {detail}")),
        };
        Self { replica: replica.into(), reason }
    }
}

/// The status that refuses a message because of a replica that must not go on: the sender, or the receiver itself.
pub fn to_status(stop: &Stop) -> Status {
    let details = wire::Stop::from(stop).encode_to_vec();
    Status::with_details(Code::PermissionDenied, stop.to_string(), details.into())
}

/// Who must not go on, if that is what a status says.
pub(super) fn from_status(status: &Status) -> Option<Stop> {
    if status.code() != Code::PermissionDenied || status.details().is_empty() {
        return None;
    }
    wire::Stop::decode(status.details()).ok().map(Stop::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_decides_and_not_the_words() {
        for reason in [StopReason::Wiped, StopReason::Removed, StopReason::Diverged("how".into())] {
            let stop = Stop { replica: 3.into(), reason };
            assert_eq!(from_status(&to_status(&stop)), Some(stop));
        }
        let words = Stop { replica: 3.into(), reason: StopReason::Wiped }.to_string();
        assert_eq!(from_status(&Status::permission_denied(words)), None);
        let newer = wire::Stop { replica: 3, reason: 99, detail: "it is too old".into() };
        assert_eq!(Stop::from(newer).to_string(), "replica 3 must stop, for reason 99: it is too old");
    }
}
