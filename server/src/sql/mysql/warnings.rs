//! Warnings about values: a text that is no number or no time, a division by 0. The rows go on, as in MySQL.
//!
//! A statement runs in a [`scope`]; what is told while it is planned and run, also in tasks of DataFusion's, is [`taken`] at
//! its end. Outside of one, nobody listens. It keeps the first [`SESSION_WARNINGS_MAX`] and does not count the rest.

use std::any::Any;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use datafusion::common::runtime::{JoinSetTracer, set_join_set_tracer};
use futures::FutureExt;
use futures::future::BoxFuture;
use unum_proto::model::limits::SESSION_WARNINGS_MAX;

/// MySQL's codes: of what has none of its own, of a value that is none of its type, of a division by 0.
const ER_UNKNOWN_ERROR: i64 = 1105;
const ER_TRUNCATED_WRONG_VALUE: i64 = 1292;
const ER_DIVISION_BY_ZERO: i64 = 1365;

/// How warnings begin: those of a text that has more in it than a number, of a value that is no time, of a division by 0.
const TRUNCATED: &str = "Truncated incorrect ";
const INCORRECT: &str = "Incorrect ";
const DIVISION_BY_ZERO: &str = "Division by 0";

/// Characters of a value that a warning shows.
const SHOWN_MAX: usize = 64;

/// What a statement has told, each once.
type Told = Arc<Mutex<BTreeSet<String>>>;

tokio::task_local! {
    static TOLD: Told;
}

/// Runs a statement.
pub async fn scope<T>(statement: impl Future<Output = T>) -> T {
    static FOLLOWED: OnceLock<()> = OnceLock::new();
    FOLLOWED.get_or_init(|| {
        // There can be another one only where a program has set its own; then its tasks tell nothing.
        if let Err(other) = set_join_set_tracer(&Follows) {
            tracing::warn!("warnings about values are not complete: {other}");
        }
    });
    TOLD.scope(Told::default(), statement).await
}

/// What the statement that runs has told so far; it is not told again.
pub fn taken() -> Vec<String> {
    let take = |told: &Told| std::mem::take(&mut *told.lock().unwrap_or_else(PoisonError::into_inner));
    TOLD.try_with(take).unwrap_or_default().into_iter().collect()
}

/// MySQL's number of a warning.
pub fn code(warning: &str) -> i64 {
    match warning {
        DIVISION_BY_ZERO => ER_DIVISION_BY_ZERO,
        value if value.starts_with(TRUNCATED) || value.starts_with(INCORRECT) => ER_TRUNCATED_WRONG_VALUE,
        _ => ER_UNKNOWN_ERROR,
    }
}

fn tell(warning: impl FnOnce() -> String) {
    let add = |told: &Told| {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < SESSION_WARNINGS_MAX {
            told.insert(warning());
        }
    };
    // Nobody listens outside of a statement.
    TOLD.try_with(add).unwrap_or_default();
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_MAX).collect()
}

/// A text has more in it than the number that it begins with.
pub fn truncated(of: &str, text: &str) {
    tell(|| format!("{TRUNCATED}{of} value: '{}'", shown(text)));
}

/// A value is no time.
pub fn no_time(of: &str, text: &str) {
    tell(|| format!("{INCORRECT}{of} value: '{}'", shown(text)));
}

/// Something was divided by 0.
pub fn division_by_zero() {
    tell(|| DIVISION_BY_ZERO.to_owned());
}

/// Tasks of a statement tell what they tell for it.
struct Follows;

impl JoinSetTracer for Follows {
    fn trace_future(&self, task: BoxFuture<'static, Box<dyn Any + Send>>) -> BoxFuture<'static, Box<dyn Any + Send>> {
        match TOLD.try_with(Arc::clone) {
            Ok(told) => TOLD.scope(told, task).boxed(),
            Err(_) => task,
        }
    }

    fn trace_block(
        &self,
        task: Box<dyn FnOnce() -> Box<dyn Any + Send> + Send>,
    ) -> Box<dyn FnOnce() -> Box<dyn Any + Send> + Send> {
        match TOLD.try_with(Arc::clone) {
            Ok(told) => Box::new(move || TOLD.sync_scope(told, task)),
            Err(_) => task,
        }
    }
}
