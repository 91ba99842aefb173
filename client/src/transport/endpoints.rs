//! The replicas that a client may ask, and which one it asks now.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tonic::transport::Channel;

use super::arrow_result::Schemas;
use super::dialer::Dialer;
use crate::Error;

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
    pub(crate) fn parse(addresses: Vec<String>, dialer: &Dialer) -> Result<Self, Error> {
        let endpoint = |(position, addr): (usize, String)| -> Result<Endpoint, Error> {
            Ok(Endpoint { position, channel: dialer.channel(&addr)?, addr, schemas: Schemas::default() })
        };
        let all: Vec<_> = addresses.into_iter().enumerate().map(endpoint).collect::<Result<_, _>>()?;
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
        let parse = |addresses: &[&str]| {
            Endpoints::parse(addresses.iter().map(|addr| (*addr).to_owned()).collect(), &Dialer::default())
        };
        for addr in ["", "localhost", "localhost:x", ":7400", "a b:1"] {
            let error = parse(&[addr]).unwrap_err().to_string();
            assert!(error.contains(&format!("{addr:?}")), "{error}");
        }
        assert!(parse(&[]).is_err());
        assert!(parse(&["[::1]:7400", "localhost:7400"]).is_ok());
    }
}
