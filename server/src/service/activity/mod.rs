//! What this replica runs and ran: the queries that run now, the slow ones, and all of them by digest.
//!
//! It owns the ids of queries, their end by KILL, and the bound on how many run at a time. It keeps everything in
//! memory; the replica publishes it as tables ([`Activity::running_table`], [`Activity::history_tables`]), which makes it part of the catalog.

pub mod processlist;
pub mod slow_query;
pub mod statements_summary;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use unum_client::Table;
use unum_proto::model::{Invalid, Row, TableSnapshot};
use xxhash_rust::xxh3::xxh3_64;

use self::slow_query::SlowQueries;
use self::statements_summary::Summaries;
use crate::base::clock;
use crate::base::tunable::Tunable;
use crate::sql::tables::Columns;
use crate::sql::{Digest, QueryMemory, digest};

/// What of the activity is kept.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Queries that run at a time; one more is refused.
    pub queries_max: usize,
    /// A query that takes as long is slow.
    pub slow_threshold: Duration,
}

/// The low half of a query's id counts; the high half is the low half of its replica's.
const REPLICA_SHIFT: u32 = 32;
const COUNT_MASK: u64 = u32::MAX as u64;

/// The replica that runs a query, as far as the id says: the low half of the replica's id.
pub fn replica_of(query: u64) -> u64 {
    query >> REPLICA_SHIFT
}

/// Whether a replica is the one that [`replica_of`] means.
pub fn is_replica(replica: u64, of: u64) -> bool {
    replica & COUNT_MASK == of
}

/// The replica's queries. Clones share them.
#[derive(Debug, Clone)]
pub struct Activity(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    replica: u64,
    options: Tunable<Options>,
    started: Instant,
    /// Where the ids of this start begin: elsewhere than those of the start before, which somebody may want to KILL.
    first: u64,
    count: AtomicU64,
    slow_count: AtomicU64,
    running: Mutex<BTreeMap<u64, Arc<Running>>>,
    slow: Mutex<SlowQueries>,
    summaries: Mutex<Summaries>,
}

/// Who asks what.
#[derive(Debug, Clone)]
pub struct Request {
    /// As the client says.
    pub user: String,
    /// The client's address.
    pub host: String,
    /// The schema of names without one.
    pub schema: String,
    /// The statement.
    pub sql: String,
    /// What it may hold.
    pub memory_bytes_max: usize,
}

/// A query that runs.
#[derive(Debug)]
pub struct Running {
    /// Its id: unique in the group, and what KILL takes.
    pub id: u64,
    request: Request,
    shown: OnceLock<String>,
    /// Made where queries run: it takes time for a long statement.
    digest: OnceLock<Arc<Digest>>,
    started: Instant,
    stage: Mutex<&'static str>,
    /// What it holds.
    pub memory: Arc<QueryMemory>,
    /// Cancelled by KILL.
    pub killed: CancellationToken,
    /// Cancelled when nobody waits for the rest of it, for whatever reason.
    pub ended: CancellationToken,
    rows: AtomicU64,
    waited: Mutex<Times>,
    ended_by: Mutex<Option<String>>,
}

/// How long the stages of a query took.
#[derive(Debug, Clone, Copy, Default)]
struct Times {
    barrier: Duration,
    plan: Duration,
}

/// Too many queries run already.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("{max} queries run at replica {replica} already; ask another replica, or later, or raise sql.queries_max")]
pub struct TooMany {
    replica: u64,
    max: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is guarded is plain data: a panic elsewhere leaves it whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is shown of a statement that was not read yet: it may hold a secret, if it sets something.
fn unread(sql: &str) -> &str {
    let words = sql.trim_start();
    let sets = ["set", "update"]
        .into_iter()
        .find(|word| words.get(..word.len()).is_some_and(|w| w.eq_ignore_ascii_case(word)));
    sets.map_or(sql, |word| &words[..word.len()])
}

fn table(name: &str, columns: Columns, rows: Vec<Row>) -> Result<TableSnapshot, Invalid> {
    Ok(rows.into_iter().fold(Table::new(name, columns)?, Table::row).snapshot())
}

impl Activity {
    /// The activity of a replica that starts now.
    pub fn new(replica: u64, options: Tunable<Options>) -> Self {
        Self(Arc::new(Inner {
            replica,
            options,
            started: Instant::now(),
            first: xxh3_64(&clock::now_us().to_le_bytes()),
            count: AtomicU64::new(0),
            slow_count: AtomicU64::new(0),
            running: Mutex::default(),
            slow: Mutex::default(),
            summaries: Mutex::default(),
        }))
    }

    /// A query begins. It is over when what this returns is dropped.
    pub fn begin(&self, request: Request) -> Result<Tracked, TooMany> {
        let Inner { replica, options, first, count, running, .. } = self.0.as_ref();
        let mut running = lock(running);
        let max = options.get().queries_max;
        if running.len() >= max {
            return Err(TooMany { replica: *replica, max });
        }
        let number = first.wrapping_add(count.fetch_add(1, Ordering::Relaxed));
        let id = ((*replica & COUNT_MASK) << REPLICA_SHIFT) | (number & COUNT_MASK);
        let query = Arc::new(Running {
            id,
            shown: OnceLock::new(),
            digest: OnceLock::new(),
            memory: QueryMemory::new(request.memory_bytes_max),
            request,
            started: Instant::now(),
            stage: Mutex::new("waiting for the read barrier"),
            killed: CancellationToken::new(),
            ended: CancellationToken::new(),
            rows: AtomicU64::new(0),
            waited: Mutex::default(),
            ended_by: Mutex::default(),
        });
        running.insert(id, Arc::clone(&query));
        Ok(Tracked { activity: self.clone(), query, finished: false })
    }

    /// Ends a query that runs here; says whether there was one.
    pub fn kill(&self, id: u64) -> bool {
        let query = lock(&self.0.running).get(&id).cloned();
        query.iter().for_each(|query| {
            // First: an operator that gets no more memory must find out why.
            query.killed.cancel();
            query.end_by("killed");
        });
        query.is_some()
    }

    /// The queries that run: rows of [`processlist`].
    pub fn running(&self) -> Vec<Row> {
        self.rows(|_| processlist::INFO_BYTES_MAX)
    }

    fn rows(&self, info_bytes_max: impl Fn(usize) -> usize) -> Vec<Row> {
        let running: Vec<_> = lock(&self.0.running).values().cloned().collect();
        let info_bytes_max = info_bytes_max(running.len());
        running.iter().map(|query| processlist::row(query, info_bytes_max)).collect()
    }

    /// What SHOW STATUS shows of it.
    pub fn status(&self) -> Vec<(&'static str, String)> {
        let Inner { started, count, slow_count, running, .. } = self.0.as_ref();
        vec![
            ("Queries", count.load(Ordering::Relaxed).to_string()),
            ("Slow_queries", slow_count.load(Ordering::Relaxed).to_string()),
            ("Threads_running", lock(running).len().to_string()),
            ("Uptime", started.elapsed().as_secs().to_string()),
        ]
    }

    /// The queries that run, as a table that fits into one push.
    pub fn running_table(&self) -> Result<TableSnapshot, Invalid> {
        table("processlist", processlist::COLUMNS, self.rows(processlist::pushed_info_bytes))
    }

    /// The queries that are over, as the tables that changed since `since`: what the last call returned with the tables
    /// that were acknowledged.
    pub fn history_tables(&self, since: Published) -> Result<(Vec<TableSnapshot>, Published), Invalid> {
        let (slow, summaries) = (lock(&self.0.slow), lock(&self.0.summaries));
        let now = Published { slow: Some(slow.changes()), summaries: Some(summaries.changes()) };
        let mut tables = Vec::new();
        if now.slow != since.slow {
            tables.push(table("slow_query", slow_query::COLUMNS, slow.rows())?);
        }
        if now.summaries != since.summaries {
            tables.push(table("statements_summary", statements_summary::COLUMNS, summaries.rows())?);
        }
        Ok((tables, now))
    }

    fn ended(&self, query: &Running, failed: Option<String>) {
        // Before anything is locked, if the query was given up before it was looked at.
        query.digest();
        lock(&self.0.running).remove(&query.id);
        let ended = Ended {
            at_us: clock::now_us(),
            took: query.started.elapsed(),
            times: *lock(&query.waited),
            rows: query.rows.load(Ordering::Relaxed),
            memory_bytes: query.memory.peak_bytes() as u64,
            failed,
        };
        if ended.took >= self.0.options.get().slow_threshold {
            self.0.slow_count.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("unum_slow_queries_total").increment(1);
            lock(&self.0.slow).add(query, &ended);
        }
        lock(&self.0.summaries).add(query, &ended);
    }
}

/// What of the activity an acknowledged push had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Published {
    slow: Option<u64>,
    summaries: Option<u64>,
}

/// How a query went.
#[derive(Debug)]
struct Ended {
    at_us: i64,
    took: Duration,
    times: Times,
    rows: u64,
    memory_bytes: u64,
    failed: Option<String>,
}

impl Running {
    /// The stage that it is in from now on.
    pub fn enters(&self, stage: &'static str) {
        *lock(&self.stage) = stage;
    }

    /// How long it waited for the read barrier.
    pub fn waited(&self, time: Duration) {
        lock(&self.waited).barrier = time;
    }

    /// How long it was planned.
    pub fn planned(&self, time: Duration) {
        lock(&self.waited).plan = time;
    }

    /// It made so many rows more.
    pub fn made(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// Why it does not go on; the first reason stays. Its operators get no more memory.
    pub fn end_by(&self, why: &str) {
        self.enters("ending");
        lock(&self.ended_by).get_or_insert_with(|| why.to_owned());
        self.end();
    }

    /// What it is shown as from now on, in place of its text.
    pub fn shows(&self, sql: &str) {
        let _ = self.shown.set(sql.to_owned());
    }

    /// Its text, or what stands for it.
    fn sql(&self) -> &str {
        self.shown.get().map_or_else(|| unread(&self.request.sql), String::as_str)
    }

    /// Nobody waits for it any more: its operators get no more memory.
    pub fn end(&self) {
        self.memory.end();
        self.ended.cancel();
    }

    /// What it has in common with others. To be called where queries run.
    pub fn digest(&self) -> &Digest {
        self.digest.get_or_init(|| Arc::new(digest(&self.request.sql)))
    }

    /// Its digest, which somebody knows already.
    pub fn has_digest(&self, digest: Arc<Digest>) {
        let _ = self.digest.set(digest);
    }
}

/// A query that runs, until it is dropped.
#[derive(Debug)]
pub struct Tracked {
    activity: Activity,
    query: Arc<Running>,
    finished: bool,
}

impl Tracked {
    /// The query, for others who have to do with it.
    pub fn query(&self) -> &Arc<Running> {
        &self.query
    }

    /// It is over, with all its rows.
    pub fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        let ended_by = lock(&self.query.ended_by).take();
        let why = if std::thread::panicking() { "it panicked" } else { "the caller has gone" };
        let failed = (!self.finished).then(|| ended_by.unwrap_or_else(|| why.to_owned()));
        self.activity.ended(&self.query, failed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(sql: &str) -> Request {
        let text = |text: &str| text.to_owned();
        Request { user: text("u"), host: text("h"), schema: text("unum"), sql: text(sql), memory_bytes_max: 1000 }
    }

    #[test]
    fn queries_are_bounded_killed_and_remembered() {
        let options = Options { queries_max: 2, slow_threshold: Duration::ZERO };
        let activity = Activity::new(3, Tunable::new(options));
        let first = activity.begin(request("SELECT 1")).unwrap();
        let second = activity.begin(request("SELECT 2")).unwrap();
        let error = activity.begin(request("SELECT 3")).unwrap_err().to_string();
        assert!(error.contains("2 queries run at replica 3") && error.contains("sql.queries_max"), "{error}");
        assert_eq!(activity.running().len(), 2);
        assert!(is_replica(3, replica_of(first.query().id)));
        assert!(activity.kill(second.query().id) && second.query().killed.is_cancelled());
        assert!(!activity.kill(7));
        first.finish();
        drop(second);
        let (tables, published) = activity.history_tables(Published::default()).unwrap();
        let rows = |name: &str| {
            let table = tables.iter().find(|table| table.schema.name.as_str() == name).unwrap();
            (table.rows.len(), table.clone())
        };
        assert_eq!(activity.running_table().unwrap().rows.len(), 0);
        assert_eq!((rows("slow_query").0, rows("statements_summary").0), (2, 1));
        let (_, slow) = rows("slow_query");
        let error = slow.schema.position("error").unwrap();
        assert_eq!(slow.rows[1][error], "killed".into());
        // Nothing new happened.
        assert_eq!(activity.history_tables(published).unwrap().0, []);
    }
}
