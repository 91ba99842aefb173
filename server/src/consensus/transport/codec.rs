//! openraft's messages as bytes.

use serde::{Serialize, de::DeserializeOwned};

const VERSION: u8 = 2;

/// A message that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Of another version of Unum.
    #[error("the message has format version {0}, this unumd knows {VERSION}: run one version on all replicas")]
    Version(u8),
    /// Not a message.
    #[error("the message does not decode: {0}")]
    Malformed(String),
}

/// The bytes of a message.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    postcard::to_extend(message, vec![VERSION]).expect("raft messages always encode")
}

/// Reads what [`encode`] wrote.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    match bytes {
        [VERSION, body @ ..] => postcard::from_bytes(body).map_err(|e| CodecError::Malformed(e.to_string())),
        [version, ..] => Err(CodecError::Version(*version)),
        [] => Err(CodecError::Malformed("it is empty".into())),
    }
}
