//! The only place that tries again: over the endpoints, inside one deadline.
//!
//! What is retried must be safe to repeat: reads are, and pushes are by their sequence.

use std::future::Future;
use std::time::Duration;

use rand::Rng;
use tokio::time::Instant;

use crate::Error;
use crate::transport::{Endpoint, Endpoints};

/// The pause after the first lap over all endpoints that failed; it doubles with every further lap …
const PAUSE_MIN: Duration = Duration::from_millis(20);
/// … up to this: an election takes about as long.
const PAUSE_MAX: Duration = Duration::from_millis(320);

/// With several endpoints, one that does not answer gets this part of the time that is left, so that others get
/// their turn.
const SHARE_OF_REST: u32 = 3;

/// The least time for one attempt: two round trips over an ocean.
const ATTEMPT_MIN: Duration = Duration::from_millis(400);

/// Why one attempt at one endpoint failed.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// Another attempt would end the same way.
    Final(Error),
    /// No connection: ask another endpoint.
    NotReached(String),
    /// The replica was reached, and another, or the same later, may do better.
    Retry(String),
}

/// Runs `attempt` at one endpoint after another until one succeeds, refuses, or the time is over.
pub(crate) async fn over_endpoints<T, F>(
    endpoints: &Endpoints,
    timeout: Duration,
    mut attempt: impl FnMut(Endpoint, Duration) -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Attempt>>,
{
    let deadline = Instant::now() + timeout;
    let mut pause = PAUSE_MIN;
    let mut reached = false;
    let mut last = "there was no time for an attempt".to_owned();
    loop {
        for _ in 0..endpoints.len() {
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Err(give_up(endpoints, timeout, reached, last));
            }
            let time = if endpoints.len() == 1 { rest } else { rest.min((rest / SHARE_OF_REST).max(ATTEMPT_MIN)) };
            let endpoint = endpoints.current();
            match attempt(endpoint.clone(), time).await {
                Ok(value) => return Ok(value),
                Err(Attempt::Final(error)) => return Err(error),
                Err(Attempt::NotReached(why)) => last = why,
                Err(Attempt::Retry(why)) => {
                    reached = true;
                    last = why;
                }
            }
            endpoints.advance_from(&endpoint);
        }
        let jitter = rand::rng().random_range(0.5..1.0);
        tokio::time::sleep_until(deadline.min(Instant::now() + pause.mul_f64(jitter))).await;
        pause = PAUSE_MAX.min(pause * 2);
    }
}

fn give_up(endpoints: &Endpoints, timeout: Duration, reached: bool, last: String) -> Error {
    match reached {
        true => Error::Deadline { timeout, last },
        false => Error::Unreachable { endpoints: endpoints.addresses(), last },
    }
}
