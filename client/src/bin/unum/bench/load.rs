//! Doing something many times at once, and how long each time took.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
#[derive(Debug, Clone)]
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

/// Takes down what comes of a load. Clones share it: a histogram is large, and one for each of 10,000 nodes would be
/// most of what a bench does.
#[derive(Debug, Clone)]
pub struct Recorder(Arc<Mutex<Measured>>);

impl Recorder {
    /// Nothing yet.
    pub fn new() -> Self {
        let latencies = Histogram::new_with_bounds(1, LATENCY_US_MAX, DIGITS).expect("the bounds are legal");
        let measured = Measured { latencies, errors: 0, first_error: None, took: Duration::ZERO };
        Self(Arc::new(Mutex::new(measured)))
    }

    fn measured(&self) -> MutexGuard<'_, Measured> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One operation more, which began then, or should have.
    pub fn add<T>(&self, since: Instant, result: Result<T, Error>) {
        let took = since.elapsed();
        match result {
            Ok(_) => self.measured().latencies.saturating_record(took.as_micros() as u64),
            Err(error) => self.failed(error.to_string()),
        }
    }

    fn failed(&self, why: String) {
        let mut measured = self.measured();
        measured.errors += 1;
        measured.first_error.get_or_insert(why);
    }

    /// All of it, once what ran side by side since then has ended.
    pub async fn sum(self, tasks: Vec<tokio::task::JoinHandle<()>>, started: Instant) -> Measured {
        for task in tasks {
            if let Err(panicked) = task.await {
                self.failed(panicked.to_string());
            }
        }
        let mut measured = self.measured();
        measured.took = started.elapsed();
        measured.clone()
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
