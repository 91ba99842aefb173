//! The log itself: which queries run, what is kept of those that are over, and the tables of both.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use unum_client::Table;
use unum_proto::model::{Invalid, QueryId, ReplicaId, Row, TableSnapshot};
use xxhash_rust::xxh3::xxh3_64;

use super::end::End;
use super::handle::{Ended, QueryHandle, Request, lock};
use super::slow_query::SlowQueries;
use super::statements_summary::Summaries;
use super::{processlist, slow_query, statements_summary};
use crate::base::clock;
use crate::base::tunable::Tunable;
use crate::sql::tables::view::Columns;

/// What of the query log is kept.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Queries that run at a time; one more is refused.
    pub queries_max: usize,
    /// A query that takes as long is slow.
    pub slow_threshold: Duration,
}

/// The replica's queries. Clones share them.
#[derive(Debug, Clone)]
pub struct QueryLog(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    replica: ReplicaId,
    options: Tunable<Options>,
    started: Instant,
    /// Where the ids of this start begin: elsewhere than those of the start before, which somebody may want to KILL.
    first: u64,
    count: AtomicU64,
    slow_count: AtomicU64,
    running: Mutex<BTreeMap<QueryId, Arc<QueryHandle>>>,
    slow: Mutex<SlowQueries>,
    summaries: Mutex<Summaries>,
}

/// Too many queries run already.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("{max} queries run at replica {replica} already; ask another replica, or later, or raise sql.queries_max")]
pub struct TooMany {
    replica: ReplicaId,
    max: usize,
}

fn table(name: &str, columns: Columns, rows: Vec<Row>) -> Result<TableSnapshot, Invalid> {
    Ok(rows.into_iter().fold(Table::new(name, columns)?, Table::row).snapshot())
}

impl QueryLog {
    /// The query log of a replica that starts now.
    pub fn new(replica: ReplicaId, options: Tunable<Options>) -> Self {
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
        let id = QueryId::new(*replica, first.wrapping_add(count.fetch_add(1, Ordering::Relaxed)));
        let query = Arc::new(QueryHandle::new(id, request));
        running.insert(id, Arc::clone(&query));
        Ok(Tracked { log: self.clone(), query })
    }

    /// Ends a query that runs here; says whether there was one.
    pub fn kill(&self, id: QueryId) -> bool {
        let query = lock(&self.0.running).get(&id).cloned();
        query.iter().for_each(|query| {
            query.end.set(End::Killed);
            query.set_stage("ending");
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
    pub fn history_tables(&self, since: HistoryMark) -> Result<(Vec<TableSnapshot>, HistoryMark), Invalid> {
        let (slow, summaries) = (lock(&self.0.slow), lock(&self.0.summaries));
        let now = HistoryMark { slow: Some(slow.changes()), summaries: Some(summaries.changes()) };
        let mut tables = Vec::new();
        if now.slow != since.slow {
            tables.push(table("slow_query", slow_query::COLUMNS, slow.rows())?);
        }
        if now.summaries != since.summaries {
            tables.push(table("statements_summary", statements_summary::COLUMNS, summaries.rows())?);
        }
        Ok((tables, now))
    }

    fn remove(&self, query: &QueryHandle, end: &End) {
        lock(&self.0.running).remove(&query.id);
        let ended = Ended {
            at_us: clock::now_us(),
            took: query.started.elapsed(),
            times: query.times(),
            rows: query.rows(),
            memory_bytes: query.memory.peak_bytes() as u64,
            failed: query.failure(end),
        };
        if ended.took >= self.0.options.get().slow_threshold {
            self.0.slow_count.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("unum_slow_queries_total").increment(1);
            lock(&self.0.slow).add(query, &ended);
        }
        lock(&self.0.summaries).add(query, &ended);
    }
}

/// What of the query log an acknowledged push had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HistoryMark {
    slow: Option<u64>,
    summaries: Option<u64>,
}

/// A query that runs, until it is dropped.
#[derive(Debug)]
pub struct Tracked {
    log: QueryLog,
    query: Arc<QueryHandle>,
}

impl Tracked {
    /// The query, for others who have to do with it.
    pub fn query(&self) -> &Arc<QueryHandle> {
        &self.query
    }

    /// It is over, with all its rows.
    pub fn finish(self) {
        self.query.end.set(End::Finished);
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        let end = if std::thread::panicking() { End::Panicked } else { End::CallerGone };
        let end = self.query.end.set(end).clone();
        self.log.remove(&self.query, &end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request { user: "u".into(), host: "h".into(), schema: "unum".into(), memory_bytes_max: 1000 }
    }

    #[test]
    fn queries_are_bounded_killed_and_remembered() {
        let options = Options { queries_max: 2, slow_threshold: Duration::ZERO };
        let log = QueryLog::new(3.into(), Tunable::new(options));
        let first = log.begin(request()).unwrap();
        let second = log.begin(request()).unwrap();
        let error = log.begin(request()).unwrap_err().to_string();
        assert!(error.contains("2 queries run at replica 3") && error.contains("sql.queries_max"), "{error}");
        assert_eq!(log.running().len(), 2);
        assert!(first.query().id.is_of(3.into()));
        assert!(log.kill(second.query().id) && second.query().end.get() == Some(&End::Killed));
        assert!(!log.kill(7.into()));
        first.finish();
        drop(second);
        let (tables, published) = log.history_tables(HistoryMark::default()).unwrap();
        let rows = |name: &str| {
            let table = tables.iter().find(|table| table.schema.name.as_str() == name).unwrap();
            (table.rows.len(), table.clone())
        };
        assert_eq!(log.running_table().unwrap().rows.len(), 0);
        assert_eq!((rows("slow_query").0, rows("statements_summary").0), (2, 1));
        let (_, slow) = rows("slow_query");
        let error = slow.schema.position("error").unwrap();
        assert_eq!(slow.rows[1][error], "killed".into());
        // Nothing new happened.
        assert_eq!(log.history_tables(published).unwrap().0, []);
    }
}
