//! gRPC statuses as attempts.

use tonic::{Code, ConnectError, Status};

use crate::Error;
use crate::retry::Attempt;

/// What a failed call at `addr` means for the next attempt.
pub(super) fn to_attempt(addr: &str, status: &Status) -> Attempt {
    let message = status.message();
    match status.code() {
        Code::Unavailable if not_connected(status) => Attempt::NotReached(format!("{addr}: {}", innermost(status))),
        // A status that was made here is a connection that broke, whatever its code.
        _ if std::error::Error::source(status).is_some() => Attempt::Unknown(format!("{addr}: {}", innermost(status))),
        // ABORTED is a query that was killed: whoever did that does not want it again.
        Code::InvalidArgument
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::ResourceExhausted
        | Code::NotFound
        | Code::Aborted => Attempt::Final(Error::Refused(message.to_owned())),
        Code::PermissionDenied | Code::Unauthenticated => Attempt::Final(Error::NotPermitted(message.to_owned())),
        Code::Internal | Code::DataLoss => Attempt::Final(Error::Protocol(format!("{addr}: {message}"))),
        // A replica that says so has done nothing: of a change that may have been made it says UNKNOWN.
        Code::Unavailable | Code::FailedPrecondition | Code::DeadlineExceeded => {
            Attempt::Retry(format!("{addr}: {message}"))
        }
        _ => Attempt::Unknown(format!("{addr}: {message}")),
    }
}

/// The same for a statement. A replica that finds it wrong, or too large, says so of its text: no other one has made a change
/// of it. What is refused as things stand, it calls ABORTED.
pub(super) fn to_attempt_at_statement(addr: &str, status: &Status) -> Attempt {
    match (to_attempt(addr, status), status.code()) {
        (Attempt::Final(error), Code::InvalidArgument | Code::ResourceExhausted) => Attempt::Certain(error),
        // A change that was killed, or whose session's time is over; a status that was made here is none of the replica's.
        (Attempt::Unknown(why), Code::Cancelled) if std::error::Error::source(status).is_none() => Attempt::Ended(why),
        (attempt, _) => attempt,
    }
}

/// Whether the status was made here because there is no connection, and not sent by a replica.
fn not_connected(status: &Status) -> bool {
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        if error.downcast_ref::<ConnectError>().is_some() {
            return true;
        }
        source = error.source();
    }
    false
}

fn innermost(status: &Status) -> String {
    let mut error: &dyn std::error::Error = status;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
