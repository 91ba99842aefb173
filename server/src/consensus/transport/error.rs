//! Why a message of another replica is not handled.

use super::codec::CodecError;
use crate::consensus::stop::Stop;

/// Why a message is not handled.
#[derive(Debug, thiserror::Error)]
pub enum InboundError {
    /// It is meant for somebody else.
    #[error("{0}")]
    Misdirected(String),
    /// The sender or this replica has another data directory than it once had.
    #[error(transparent)]
    Wiped(Stop),
    /// It cannot be read.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A raft snapshot that is not whole.
    #[error("raft snapshot: {0}")]
    Snapshot(String),
    /// Raft has stopped.
    #[error("raft: {0}")]
    Raft(String),
}
