//! How the SDK makes connections: timeouts, keepalive, frames. Nothing else in it opens a socket; `unum bench` reads metrics by one of its own.

use std::time::Duration;

use tonic::transport::Channel;

use crate::Error;

/// A dead address must not use up the caller's time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Without keepalive a half-open connection hangs until TCP gives up, minutes later.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(3);

/// Bytes that a replica may send at a time: a piece of a result. By default it would be sixteen of them.
const FRAME_BYTES_MAX: u32 = 512 * 1024;

/// Makes connections.
#[derive(Debug, Clone)]
pub(crate) struct Dialer {
    /// How long a connection may take to be made.
    pub(crate) connect_timeout: Duration,
}

impl Default for Dialer {
    fn default() -> Self {
        Self { connect_timeout: CONNECT_TIMEOUT }
    }
}

impl Dialer {
    /// A connection to `host:port` that is made when it is first used, and made again when it breaks.
    pub(crate) fn channel(&self, addr: &str) -> Result<Channel, Error> {
        let invalid =
            || Error::Refused(format!("{addr:?} is not an endpoint; write host:port, for example 127.0.0.1:7400"));
        let (host, port) = addr.rsplit_once(':').ok_or_else(invalid)?;
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(invalid());
        }
        Ok(tonic::transport::Endpoint::from_shared(format!("http://{addr}"))
            .map_err(|_| invalid())?
            .connect_timeout(self.connect_timeout)
            .tcp_nodelay(true)
            .max_frame_size(FRAME_BYTES_MAX)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .connect_lazy())
    }

    /// Whether somebody listens at `host:port`; an error says why not.
    pub(crate) async fn probe(&self, addr: &str) -> Result<(), String> {
        let connected = tokio::time::timeout(self.connect_timeout, tokio::net::TcpStream::connect(addr)).await;
        connected.map_err(|_| "the connection timed out".to_owned())?.map(drop).map_err(|e| e.to_string())
    }
}
