//! Which format a text has, by how it begins.

use super::format::Format;
use super::{csv, json, logfmt, prometheus};

/// Lines that are looked at.
const LINES: usize = 50;

impl Format {
    /// The format that a text tells by how it begins. None where it may be two, or is no table.
    pub fn of_text(text: &str) -> Option<Self> {
        format_of(text.strip_prefix('\u{feff}').unwrap_or(text))
    }
}

/// The format of a text; none if nothing is sure.
fn format_of(text: &str) -> Option<Format> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(LINES).collect();
    let first = lines.first()?.trim();
    let is_object = |line: &str| line.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok();
    if first.starts_with('{') {
        let has_rows = || serde_json::from_str(first).is_ok_and(|json| json::only_list(&json).is_some());
        // One object a line; or one that is laid out over several, or has a list of rows.
        let is_a_line_each = is_object(first) && (lines.len() > 1 || !has_rows());
        return Some(if is_a_line_each { Format::Ndjson } else { Format::Json });
    }
    if first.starts_with('[') {
        let inside = text.trim_start()[1..].trim_start();
        let is_json = inside.starts_with(['{', '"', '[', ']', '-']) || inside.starts_with(|c: char| c.is_ascii_digit());
        return is_json.then_some(Format::Json);
    }
    let has = |start: &str| lines.iter().any(|line| line.starts_with(start));
    if has("# Query_time: ") || has("# Time: ") || has("# User@Host: ") {
        return Some(Format::SlowLog);
    }
    if has("# Profile") {
        return Some(Format::Columns);
    }
    let mut samples = lines.iter().filter(|line| !line.starts_with('#')).peekable();
    let has_labels = |line: &&str| line.split_whitespace().count() <= 3 && line.contains('{');
    let is_told = has("# TYPE ") || has("# HELP ") || (samples.peek().is_some() && lines.iter().all(has_labels));
    if is_told && samples.all(|line| prometheus::is_sample(line)) {
        return Some(Format::Prometheus);
    }
    if lines.iter().all(|line| logfmt::is_logfmt(line)) {
        return Some(Format::Logfmt);
    }
    if csv::is_boxed(first) {
        return Some(Format::Csv);
    }
    match csv::separator(&lines) {
        csv::Told::By(b'\t') => Some(Format::Tsv),
        csv::Told::By(_) => Some(Format::Csv),
        csv::Told::Both => None,
        csv::Told::Nothing => {
            let is_one_word = |line: &&str| line.split_whitespace().count() == 1;
            match lines.iter().all(is_one_word) {
                true => is_name(first).then_some(Format::Csv),
                // A header has names, and no values.
                false => (lines.len() > 1 && !first.contains(['=', '"'])).then_some(Format::Columns),
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    text.trim_matches('"').starts_with(|c: char| c.is_alphabetic() || c == '_')
}
