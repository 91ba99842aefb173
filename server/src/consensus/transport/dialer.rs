//! How a replica makes connections to others: timeouts and keepalive. What it asks as a client, to join and to publish
//! itself, goes through the SDK, which has a dialer of its own.

use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

/// A dead address must not hold up an election.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// Without keepalive a half-open connection hangs until TCP gives up, minutes later.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(2);

/// Makes connections.
#[derive(Debug, Clone, Default)]
pub struct Dialer;

impl Dialer {
    /// A connection to `host:port` that is made when it is first used, and made again when it breaks. It runs on the
    /// runtime that this is called on.
    pub fn channel(&self, addr: &str) -> Result<Channel, tonic::transport::Error> {
        Ok(Endpoint::from_shared(format!("http://{addr}"))?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .connect_lazy())
    }
}
