//! How replicas talk: openraft's messages and our own over gRPC.
//!
//! - `dialer` makes connections; `channels` holds the long-lived ones: one each for heartbeats, log and raft snapshots to every
//!   replica, so that none waits behind another, and one for ReadIndex and relayed pushes.
//! - `network` is openraft's client side, [`PeerClient`] ours; [`inbound`] is the receiving side, which `frontend` calls.
//! - [`Peers`] keeps a wiped replica from coming back as itself.
//! - `codec` turns messages into bytes: postcard behind a version byte. A message of another version is refused, so
//!   a rolling upgrade across versions of this format is a restart of the group.

mod channels;
mod codec;
mod dialer;
pub mod error;
pub mod inbound;
mod network;
mod peer_client;
mod peers;
pub mod stop;

pub use channels::Channels;
pub use network::Network;
pub use peer_client::{PeerClient, PeerError, Report, ReportAnswer, stores_from_wire, stores_to_wire};
pub use peers::Peers;

/// Bytes of one message between replicas: one read of the log (1 MiB), or one entry beyond it, with room for both.
pub const REPLICA_MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
