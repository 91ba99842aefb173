//! The replicas that a client may ask, and which one it asks now.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tonic::transport::Channel;

use super::arrow_result::Schemas;
use crate::Error;

/// A dead address must not use up the caller's time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Without keepalive a half-open connection hangs until TCP gives up, minutes later.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(3);

/// Bytes that a replica may send at a time: a piece of a result. By default it would be sixteen of them.
const FRAME_BYTES_MAX: u32 = 512 * 1024;

/// One replica's address, and a connection that is made when it is first used.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    position: usize,
    pub(crate) addr: String,
    pub(crate) channel: Channel,
    pub(crate) schemas: Schemas,
}

/// All endpoints of a client. Clones share which one is current: what one call learns serves the next.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    all: Arc<Vec<Endpoint>>,
    current: Arc<AtomicUsize>,
}

impl Endpoints {
    /// Endpoints from `host:port` texts.
    pub(crate) fn parse<S: Into<String>>(addresses: impl IntoIterator<Item = S>) -> Result<Self, Error> {
        let endpoint = |(position, addr): (usize, String)| -> Result<Endpoint, Error> {
            let invalid =
                || Error::Refused(format!("{addr:?} is not an endpoint; write host:port, for example 127.0.0.1:7400"));
            let (host, port) = addr.rsplit_once(':').ok_or_else(invalid)?;
            if host.is_empty() || port.parse::<u16>().is_err() {
                return Err(invalid());
            }
            let channel = tonic::transport::Endpoint::from_shared(format!("http://{addr}"))
                .map_err(|_| invalid())?
                .connect_timeout(CONNECT_TIMEOUT)
                .tcp_nodelay(true)
                .max_frame_size(FRAME_BYTES_MAX)
                .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
                .keep_alive_timeout(KEEPALIVE_TIMEOUT)
                .keep_alive_while_idle(true)
                .connect_lazy();
            Ok(Endpoint { position, addr: addr.clone(), channel, schemas: Schemas::default() })
        };
        let all: Vec<_> = addresses.into_iter().map(Into::into).enumerate().map(endpoint).collect::<Result<_, _>>()?;
        if all.is_empty() {
            return Err(Error::Refused("no endpoint is named; write host:port, for example 127.0.0.1:7400".into()));
        }
        Ok(Self { all: Arc::new(all), current: Arc::default() })
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The endpoint to ask now.
    pub(crate) fn current(&self) -> Endpoint {
        self.all[self.current.load(Ordering::Relaxed) % self.all.len()].clone()
    }

    /// All of them, in the order in which they were named.
    pub(crate) fn all(&self) -> &[Endpoint] {
        &self.all
    }

    /// After `failed` did not answer: the next one, unless another call has moved on already.
    pub(crate) fn advance_from(&self, failed: &Endpoint) {
        let next = (failed.position + 1) % self.all.len();
        // Losing the race means that another call has moved on: that is as good.
        let _ = self.current.compare_exchange(failed.position, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub(crate) fn addresses(&self) -> Vec<String> {
        self.all.iter().map(|endpoint| endpoint.addr.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_not_an_address_is_refused_with_the_value() {
        for addr in ["", "localhost", "localhost:x", ":7400", "a b:1"] {
            let error = Endpoints::parse([addr]).unwrap_err().to_string();
            assert!(error.contains(&format!("{addr:?}")), "{error}");
        }
        assert!(Endpoints::parse(Vec::<String>::new()).is_err());
        assert!(Endpoints::parse(["[::1]:7400", "localhost:7400"]).is_ok());
    }
}
