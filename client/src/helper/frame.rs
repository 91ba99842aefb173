//! What goes through a pipe between a parent and a child: four bytes of length, and the message.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes of one message. The largest is all that a host has to tell of itself, or a file, with room to spare.
pub(super) const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of the length before a message.
pub(super) const LENGTH_BYTES: usize = 4;

pub(super) fn encoded<M: Serialize>(message: &M) -> Result<Vec<u8>, String> {
    let bytes = postcard::to_extend(message, vec![0; LENGTH_BYTES]).map_err(|e| format!("it cannot be sent: {e}"))?;
    let length = bytes.len() - LENGTH_BYTES;
    let too_long = || format!("a message of {length} bytes; the limit is {MESSAGE_BYTES_MAX}");
    let length = u32::try_from(length).ok().filter(|_| length <= MESSAGE_BYTES_MAX).ok_or_else(too_long)?;
    let mut bytes = bytes;
    bytes[..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
    Ok(bytes)
}

/// The bytes of the message behind this length.
pub(super) fn length(bytes: [u8; LENGTH_BYTES]) -> Result<usize, String> {
    let length = u32::from_le_bytes(bytes) as usize;
    if length > MESSAGE_BYTES_MAX {
        return Err(format!("a message of {length} bytes; the limit is {MESSAGE_BYTES_MAX}"));
    }
    Ok(length)
}

pub(super) fn decoded<M: DeserializeOwned>(bytes: &[u8]) -> Result<M, String> {
    postcard::from_bytes(bytes).map_err(|e| format!("what came is no message: {e}"))
}
