//! `statements_summary`: all queries by digest, in windows of half an hour, with TiDB's columns.
//!
//! The current window and the one before it are kept. A window that is full forgets the digest that ran longest ago,
//! and counts it as evicted.

use std::collections::BTreeMap;
use std::sync::Arc;

use unum_proto::model::Row;
use unum_proto::typed_rows;

use super::handle::{Ended, QueryHandle};
use super::processlist::cut;
use crate::sql::Digest;

typed_rows! {
    /// One row a window and digest.
    pub const COLUMNS;
    fn row(window: &Window, schema: &str, digest: &str, summary: &Summary) {
        let Summary { latency_ns, plan_ns, memory_bytes, rows, count, .. } = summary;
        let average = |spread: &Spread| spread.sum / count.max(&1);
        let int = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let statement_type = summary.digest_text.split(' ').next().unwrap_or_default();
    }
    "summary_begin_time": Timestamp, "begin of the window" => window.begin_us;
    "summary_end_time": Timestamp, "end of the window" => window.begin_us + WINDOW_US;
    "stmt_type": Text, "the statement's first word" => statement_type.to_uppercase();
    "schema_name": Text, "the schema of names without one" => schema;
    "digest": Text, "the digest" => digest;
    "digest_text": Text, "the normalised statement" => summary.digest_text.as_str();
    "sample_user": Text, "who asked last" => summary.user.as_str();
    "exec_count": UInt64, "how often it ran" => *count;
    "sum_errors": UInt64, "how often it failed" => summary.errors;
    "sum_latency": UInt64, "nanoseconds in all" => latency_ns.sum;
    "max_latency": UInt64, "nanoseconds, the longest" => latency_ns.max;
    "min_latency": UInt64, "nanoseconds, the shortest" => latency_ns.min;
    "avg_latency": UInt64, "nanoseconds on average" => average(latency_ns);
    "avg_compile_latency": UInt64, "nanoseconds of planning on average" => average(plan_ns);
    "max_compile_latency": UInt64, "nanoseconds of planning, the longest" => plan_ns.max;
    "avg_mem": UInt64, "bytes held on average" => average(memory_bytes);
    "max_mem": UInt64, "the most bytes held" => memory_bytes.max;
    "avg_result_rows": Int64, "rows on average" => int(average(rows));
    "max_result_rows": Int64, "the most rows" => int(rows.max);
    "min_result_rows": Int64, "the fewest rows" => rows.min.map(int);
    "first_seen": Timestamp, "the end of the first one in the window" => summary.first_us;
    "last_seen": Timestamp, "the end of the last one in the window" => summary.last_us;
    "query_sample_text": Text, "the last statement, its first 512 bytes" => summary.sample.as_str();
    "evicted": UInt64, "digests that the window has forgotten" => window.evicted;
}

const WINDOW_US: i64 = 30 * 60 * 1_000_000;

/// Digests of one window.
const DIGESTS_MAX: usize = 100;

/// Bytes of a sample and of a normalised text.
const TEXT_BYTES_MAX: usize = 512;

#[derive(Debug, Default)]
struct Window {
    begin_us: i64,
    /// By schema and digest.
    summaries: BTreeMap<(String, String), Summary>,
    evicted: u64,
}

#[derive(Debug, Default)]
struct Summary {
    digest_text: String,
    sample: String,
    user: String,
    count: u64,
    errors: u64,
    latency_ns: Spread,
    plan_ns: Spread,
    memory_bytes: Spread,
    rows: Spread,
    first_us: i64,
    last_us: i64,
}

/// Sum and extremes of a measure.
#[derive(Debug, Default, Clone, Copy)]
struct Spread {
    sum: u64,
    max: u64,
    min: Option<u64>,
}

impl Spread {
    fn add(&mut self, value: u64) {
        self.sum = self.sum.saturating_add(value);
        self.max = self.max.max(value);
        self.min = Some(self.min.map_or(value, |min| min.min(value)));
    }
}

/// The windows.
#[derive(Debug, Default)]
pub struct Summaries {
    current: Window,
    before: Window,
    changes: u64,
}

impl Summaries {
    pub(super) fn add(&mut self, query: &QueryHandle, ended: &Ended) {
        let begin_us = ended.at_us - ended.at_us.rem_euclid(WINDOW_US);
        if begin_us != self.current.begin_us {
            let empty = Window { begin_us, ..Window::default() };
            self.before = std::mem::replace(&mut self.current, empty);
        }
        self.changes += 1;
        self.current.add(query, ended);
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        self.before.rows().chain(self.current.rows()).collect()
    }

    /// Grows with every change.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }
}

impl Window {
    fn add(&mut self, query: &QueryHandle, ended: &Ended) {
        let digest = query.digest().cloned().unwrap_or_else(|| Arc::new(Digest::not_understood()));
        let key = (query.request.schema.clone(), digest.id.clone());
        if self.summaries.len() >= DIGESTS_MAX && !self.summaries.contains_key(&key) {
            let oldest = self.summaries.iter().min_by_key(|(_, summary)| summary.last_us).map(|(key, _)| key.clone());
            oldest.iter().for_each(|oldest| drop(self.summaries.remove(oldest)));
            self.evicted += 1;
        }
        let ns = |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let summary = self.summaries.entry(key).or_insert_with(|| Summary {
            digest_text: cut(&digest.text, TEXT_BYTES_MAX).to_owned(),
            first_us: ended.at_us,
            ..Summary::default()
        });
        summary.count += 1;
        summary.errors += u64::from(ended.failed.is_some());
        summary.latency_ns.add(ns(ended.took));
        summary.plan_ns.add(ns(ended.times.plan));
        summary.memory_bytes.add(ended.memory_bytes);
        summary.rows.add(ended.rows);
        summary.last_us = ended.at_us;
        cut(query.text(), TEXT_BYTES_MAX).clone_into(&mut summary.sample);
        query.request.user.clone_into(&mut summary.user);
    }

    fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        self.summaries.iter().map(|((schema, digest), summary)| row(self, schema, digest, summary))
    }
}
