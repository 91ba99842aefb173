//! Doing something many times at once, and how long each time took.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use hdrhistogram::Histogram;
use tokio::time::Instant;
use unum_client::Error;

/// The longest latency that is told apart from longer ones.
const LATENCY_US_MAX: u64 = 600_000_000;

/// Significant digits of a latency.
const DIGITS: u8 = 3;

/// What came of a load.
#[derive(Debug)]
pub struct Measured {
    /// Latencies of what succeeded, microseconds.
    pub latencies: Histogram<u64>,
    /// What failed.
    pub errors: u64,
    /// Why the first of these did.
    pub first_error: Option<String>,
    /// How long all of it took.
    pub took: Duration,
}

impl Measured {
    /// Nothing yet.
    pub fn none() -> Self {
        let latencies = Histogram::new_with_bounds(1, LATENCY_US_MAX, DIGITS).expect("the bounds are legal");
        Self { latencies, errors: 0, first_error: None, took: Duration::ZERO }
    }

    /// One operation more, which began then, or should have.
    pub fn add<T>(&mut self, since: Instant, result: Result<T, Error>) {
        match result {
            Ok(_) => self.latencies.saturating_record(since.elapsed().as_micros() as u64),
            Err(error) => {
                self.errors += 1;
                self.first_error.get_or_insert_with(|| error.to_string());
            }
        }
    }

    /// The sum of what ran side by side.
    pub async fn sum(tasks: Vec<tokio::task::JoinHandle<Self>>, started: Instant) -> Self {
        let mut sum = Self::none();
        for task in tasks {
            match task.await {
                Ok(part) => {
                    sum.latencies.add(&part.latencies).expect("all have the same bounds");
                    sum.errors += part.errors;
                    sum.first_error = sum.first_error.take().or(part.first_error);
                }
                Err(panicked) => {
                    sum.errors += 1;
                    sum.first_error.get_or_insert_with(|| panicked.to_string());
                }
            }
        }
        sum.took = started.elapsed();
        sum
    }
}

/// Does something with each item, so many at a time; the results are in the order of the items.
pub async fn each<T, R>(
    items: Vec<T>,
    at_a_time: usize,
    what: impl AsyncFn(T) -> Result<R, Error>,
) -> Result<Vec<R>, Error> {
    stream::iter(items).map(|item| what(item)).buffered(at_a_time).try_collect().await
}
