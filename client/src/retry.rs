//! The only place that tries again: over the endpoints, inside one deadline.
//!
//! What is repeated must be safe to repeat, and the caller says whether it is: reads are, pushes are by their sequence, statements
//! by their change key. Anything else is never sent again once it may have been done.

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
    /// The replica was reached and did nothing; another, or the same later, may do better.
    Retry(String),
    /// The replica was reached and did nothing; it says when the same may be asked again.
    Busy { why: String, retry_after: Duration },
    /// Whatever came of earlier attempts, they have changed nothing either.
    Certain(Error),
    /// It may have been done.
    Unknown(String),
    /// It may have been done, and was ended on purpose: nobody wants it again.
    Ended(String),
}

/// What may be done again after an unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It changes nothing: always.
    Read,
    /// It is done once however often it is sent: always, but who gives up does not know whether it was.
    Idempotent,
    /// Never.
    Once,
}

/// The time of one attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time {
    /// For a sign that the replica does it: then others have their turn.
    pub(crate) share: Duration,
    /// For all of it, once there was that sign.
    pub(crate) rest: Duration,
}

/// Runs `attempt` at one endpoint after another until one succeeds, refuses, or the time is over.
pub(crate) async fn over_endpoints<T, F>(
    endpoints: &Endpoints,
    timeout: Duration,
    repeat: Repeat,
    mut attempt: impl FnMut(Endpoint, Time) -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Attempt>>,
{
    let deadline = Instant::now() + timeout;
    let mut pause = PAUSE_MIN;
    let mut so_far = SoFar { reached: false, unknown: false, last: "there was no time for an attempt".to_owned() };
    loop {
        let mut busy_for = Duration::ZERO;
        for _ in 0..endpoints.len() {
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Err(so_far.give_up(endpoints, timeout));
            }
            let share = if endpoints.len() == 1 { rest } else { rest.min((rest / SHARE_OF_REST).max(ATTEMPT_MIN)) };
            let endpoint = endpoints.current();
            match attempt(endpoint.clone(), Time { share, rest }).await {
                Ok(value) => return Ok(value),
                // The refusal is of this attempt: an earlier one may have been done, and may even be why.
                Err(Attempt::Final(Error::Refused(why))) if so_far.unknown => {
                    let last = format!("an earlier attempt was not answered, and this one refused: {why}");
                    return Err(Error::OutcomeUnknown { timeout, last });
                }
                Err(Attempt::Final(error) | Attempt::Certain(error)) => return Err(error),
                Err(Attempt::Ended(last)) => return Err(Error::OutcomeUnknown { timeout, last }),
                Err(Attempt::NotReached(why)) => so_far.last = why,
                Err(Attempt::Retry(why)) => {
                    so_far.reached = true;
                    so_far.last = why;
                }
                Err(Attempt::Busy { why, retry_after }) => {
                    so_far.reached = true;
                    so_far.last = why;
                    busy_for = busy_for.max(retry_after);
                }
                Err(Attempt::Unknown(why)) => {
                    so_far.reached = true;
                    so_far.unknown |= repeat != Repeat::Read;
                    so_far.last = why;
                    if repeat == Repeat::Once {
                        return Err(so_far.give_up(endpoints, timeout));
                    }
                }
            }
            endpoints.advance_from(&endpoint);
        }
        let jitter = rand::rng().random_range(0.5..1.0);
        tokio::time::sleep_until(deadline.min(Instant::now() + busy_for.max(pause.mul_f64(jitter)))).await;
        pause = PAUSE_MAX.min(pause * 2);
    }
}

/// What all attempts together say.
struct SoFar {
    reached: bool,
    unknown: bool,
    last: String,
}

impl SoFar {
    fn give_up(self, endpoints: &Endpoints, timeout: Duration) -> Error {
        let Self { reached, unknown, last } = self;
        match (unknown, reached) {
            (true, _) => Error::OutcomeUnknown { timeout, last },
            (false, true) => Error::Deadline { timeout, last },
            (false, false) => Error::Unreachable { endpoints: endpoints.addresses(), last },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::transport::Dialer;

    async fn refused_after(first: fn() -> Attempt) -> Error {
        ended_after(first, || Attempt::Final(Error::Refused("a newer epoch has the name".into()))).await
    }

    async fn ended_after(first: fn() -> Attempt, then: fn() -> Attempt) -> Error {
        let endpoints = Endpoints::parse(vec!["127.0.0.1:1".into(), "127.0.0.1:2".into()], &Dialer::default())
            .expect("legal addresses");
        let tries = AtomicUsize::new(0);
        let attempt = |_: Endpoint, _: Time| {
            let earlier = tries.fetch_add(1, Ordering::SeqCst);
            async move {
                match earlier {
                    0 => Err::<(), _>(first()),
                    1 => Err(then()),
                    _ => panic!("it was sent again after its end"),
                }
            }
        };
        over_endpoints(&endpoints, Duration::from_secs(5), Repeat::Idempotent, attempt).await.expect_err("refused")
    }

    #[tokio::test]
    async fn a_refusal_does_not_say_that_an_unanswered_attempt_was_not_done() {
        let unknown = refused_after(|| Attempt::Unknown("no answer".into())).await;
        assert!(matches!(unknown, Error::OutcomeUnknown { .. }), "{unknown}");
        let refused = refused_after(|| Attempt::NotReached("no connection".into())).await;
        assert!(matches!(refused, Error::Refused(_)), "{refused}");
    }

    #[tokio::test]
    async fn what_is_wrong_wherever_it_is_sent_is_refused_and_what_was_killed_is_not_sent_again() {
        let unanswered = || Attempt::Unknown("no answer".into());
        let refused = ended_after(unanswered, || Attempt::Certain(Error::Refused("no such table".into()))).await;
        assert!(matches!(refused, Error::Refused(_)), "{refused}");
        let killed = ended_after(unanswered, || Attempt::Ended("query 7 was killed".into())).await;
        assert!(matches!(&killed, Error::OutcomeUnknown { last, .. } if last.contains("killed")), "{killed}");
    }
}
