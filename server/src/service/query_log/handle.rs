//! A query that runs, for all that have to do with it: who runs it, who shows it, who kills it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use unum_proto::model::QueryId;

use super::end::{End, EndSignal};
use crate::sql::{Digest, Prepared, QueryMemory, StatementText};

/// Who asks.
#[derive(Debug, Clone)]
pub struct Request {
    /// As the client says.
    pub user: String,
    /// The client's address.
    pub host: String,
    /// The schema of names without one.
    pub schema: String,
    /// What it may hold.
    pub memory_bytes_max: usize,
}

/// A query that runs. It has no text until its statement was prepared: nobody else knows what of it may be shown.
#[derive(Debug)]
pub struct QueryHandle {
    /// Its id: unique in the group, and what KILL takes.
    pub id: QueryId,
    /// What it holds.
    pub memory: Arc<QueryMemory>,
    /// Its end.
    pub end: EndSignal,
    pub(super) request: Request,
    pub(super) started: Instant,
    statement: OnceLock<(StatementText, Arc<Digest>)>,
    stage: Mutex<&'static str>,
    rows: AtomicU64,
    may_have_changed: AtomicBool,
    times: Mutex<Times>,
}

/// How long the stages of a query took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Times {
    pub(super) barrier: Duration,
    pub(super) plan: Duration,
}

impl QueryHandle {
    pub(super) fn new(id: QueryId, request: Request) -> Self {
        let end = EndSignal::default();
        Self {
            id,
            memory: QueryMemory::new(request.memory_bytes_max, end.token().clone()),
            end,
            request,
            started: Instant::now(),
            statement: OnceLock::new(),
            stage: Mutex::new("preparing"),
            rows: AtomicU64::new(0),
            may_have_changed: AtomicBool::new(false),
            times: Mutex::default(),
        }
    }

    /// The stage that it is in from now on.
    pub fn set_stage(&self, stage: &'static str) {
        *lock(&self.stage) = stage;
    }

    /// How long it waited for the read barrier.
    pub fn set_barrier_time(&self, time: Duration) {
        lock(&self.times).barrier = time;
    }

    /// How long it was planned.
    pub fn set_plan_time(&self, time: Duration) {
        lock(&self.times).plan = time;
    }

    /// It made so many rows more.
    pub fn add_rows(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// From now on it is shown as what its statement was found to be.
    pub fn set_statement(&self, prepared: &Prepared) {
        let _ = self.statement.set((prepared.text.clone(), Arc::clone(&prepared.digest)));
    }

    /// It asks Raft for a change: however it ends from here on, the change may have been made.
    pub fn set_may_have_changed(&self) {
        self.may_have_changed.store(true, Ordering::Release);
    }

    /// The change that it asked for was refused.
    pub fn set_has_not_changed(&self) {
        self.may_have_changed.store(false, Ordering::Release);
    }

    /// Whether it may have changed the catalog.
    pub fn may_have_changed(&self) -> bool {
        self.may_have_changed.load(Ordering::Acquire)
    }

    pub(super) fn stage(&self) -> &'static str {
        *lock(&self.stage)
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    pub(super) fn times(&self) -> Times {
        *lock(&self.times)
    }

    /// What is shown of its text.
    pub(super) fn text(&self) -> &str {
        self.statement.get().map_or(StatementText::HIDDEN, |(text, _)| text.shown())
    }

    /// What it has in common with others, if its statement was understood.
    pub(super) fn digest(&self) -> Option<&Arc<Digest>> {
        self.statement.get().map(|(_, digest)| digest)
    }

    /// Why it failed, as far as others than its author may know: an error can quote what is not shown.
    pub(super) fn failure(&self, end: &End) -> Option<String> {
        let may_be_quoted = || self.statement.get().is_some_and(|(text, _)| text.may_be_quoted());
        match end {
            End::Finished => None,
            End::Failed(_) if self.statement.get().is_none() => Some("the statement does not parse".to_owned()),
            End::Failed(_) if !may_be_quoted() => {
                Some("the statement was refused (its values are not shown)".to_owned())
            }
            other => Some(other.to_string()),
        }
    }
}

/// How a query went.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) at_us: i64,
    pub(super) took: Duration,
    pub(super) times: Times,
    pub(super) rows: u64,
    pub(super) memory_bytes: u64,
    pub(super) failed: Option<String>,
}

/// Locks what a panic elsewhere leaves whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is guarded is plain data: a panic elsewhere leaves it whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
