//! `statements_summary`: all queries by digest, in windows of half an hour, with TiDB's columns.
//!
//! The current window and the one before it are kept. A window that is full forgets the digest that ran longest ago,
//! and counts it as evicted.

use std::collections::BTreeMap;
use std::sync::Arc;

use unum_proto::model::{DataType, Row, Value};

use super::handle::{Ended, QueryHandle};
use super::processlist::cut;
use crate::sql::Digest;

/// One row a window and digest.
pub const COLUMNS: &[(&str, DataType, &str)] = &[
    ("summary_begin_time", DataType::Timestamp, "begin of the window"),
    ("summary_end_time", DataType::Timestamp, "end of the window"),
    ("stmt_type", DataType::Text, "the statement's first word"),
    ("schema_name", DataType::Text, "the schema of names without one"),
    ("digest", DataType::Text, "the digest"),
    ("digest_text", DataType::Text, "the normalised statement"),
    ("sample_user", DataType::Text, "who asked last"),
    ("exec_count", DataType::UInt64, "how often it ran"),
    ("sum_errors", DataType::UInt64, "how often it failed"),
    ("sum_latency", DataType::UInt64, "nanoseconds in all"),
    ("max_latency", DataType::UInt64, "nanoseconds, the longest"),
    ("min_latency", DataType::UInt64, "nanoseconds, the shortest"),
    ("avg_latency", DataType::UInt64, "nanoseconds on average"),
    ("avg_compile_latency", DataType::UInt64, "nanoseconds of planning on average"),
    ("max_compile_latency", DataType::UInt64, "nanoseconds of planning, the longest"),
    ("avg_mem", DataType::UInt64, "bytes held on average"),
    ("max_mem", DataType::UInt64, "the most bytes held"),
    ("avg_result_rows", DataType::Int64, "rows on average"),
    ("max_result_rows", DataType::Int64, "the most rows"),
    ("min_result_rows", DataType::Int64, "the fewest rows"),
    ("first_seen", DataType::Timestamp, "the end of the first one in the window"),
    ("last_seen", DataType::Timestamp, "the end of the last one in the window"),
    ("query_sample_text", DataType::Text, "the last statement, its first 512 bytes"),
    ("evicted", DataType::UInt64, "digests that the window has forgotten"),
];

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
        self.summaries.iter().map(|((schema, digest), summary)| self.row(schema, digest, summary))
    }

    fn row(&self, schema: &str, digest: &str, summary: &Summary) -> Row {
        let Summary { latency_ns, plan_ns, memory_bytes, rows, count, .. } = summary;
        let average = |spread: &Spread| spread.sum / count.max(&1);
        let int = |number: u64| Value::Int64(i64::try_from(number).unwrap_or(i64::MAX));
        let statement_type = summary.digest_text.split(' ').next().unwrap_or_default();
        vec![
            Value::Timestamp(self.begin_us),
            Value::Timestamp(self.begin_us + WINDOW_US),
            statement_type.to_uppercase().into(),
            schema.into(),
            digest.into(),
            summary.digest_text.as_str().into(),
            summary.user.as_str().into(),
            (*count).into(),
            summary.errors.into(),
            latency_ns.sum.into(),
            latency_ns.max.into(),
            latency_ns.min.into(),
            average(latency_ns).into(),
            average(plan_ns).into(),
            plan_ns.max.into(),
            average(memory_bytes).into(),
            memory_bytes.max.into(),
            int(average(rows)),
            int(rows.max),
            rows.min.map_or(Value::Null, int),
            Value::Timestamp(summary.first_us),
            Value::Timestamp(summary.last_us),
            summary.sample.as_str().into(),
            self.evicted.into(),
        ]
    }
}
