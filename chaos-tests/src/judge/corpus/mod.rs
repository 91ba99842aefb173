//! SQLite's sqllogictest corpus, in its MySQL mode, before Unum.
//!
//! MariaDB runs what writes. Before the next query the tables that were written to are read from it and pushed to Unum, and
//! the query sees them through a common table expression under their own names: without the columns that Unum adds. What
//! the file expects is right; where MariaDB does not answer that either, nothing follows.
//!
//! The corpus is not part of the repository: the runner takes a path to it.

mod record;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use futures::stream::{self, StreamExt, TryStreamExt};
use unum_client::{DataType, Value};

use super::cell::{Answer, Cell, Type};
use super::court::{Court, IN_FLIGHT};
use super::report::group_of;
use super::tables::literal_name;
use record::{Expected, Query, Record};

/// How many failures are told of a file.
const TOLD_MAX: usize = 5;

/// What came of files.
#[derive(Debug, Default)]
pub struct Tally {
    /// Unum answers as the file expects.
    pub passed: usize,
    /// Unum answers something else.
    pub wrong: usize,
    /// Unum refuses.
    pub refused: usize,
    /// MariaDB does not answer as the file expects either.
    pub undecided: usize,
    /// Failures, some of each file.
    pub told: Vec<String>,
    /// Refusals, by the error's text.
    pub refusals: BTreeMap<String, usize>,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let total = self.passed + self.wrong + self.refused + self.undecided;
        write!(
            f,
            "{total} queries: {} passed, {} WRONG, {} refused, {} undecided",
            self.passed, self.wrong, self.refused, self.undecided
        )
    }
}

/// All files of the corpus at a path, which may be one.
pub fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let entries = std::fs::read_dir(path).with_context(|| format!("there is no corpus at {}", path.display()))?;
    for entry in entries {
        let entry = entry?.path();
        match entry.is_dir() {
            true => found.extend(files(&entry)?),
            false if entry.extension().is_some_and(|extension| extension == "test") => found.push(entry),
            false => {}
        }
    }
    found.sort();
    Ok(found)
}

/// What a table of the file is to Unum.
#[derive(Debug, Clone)]
struct Seen {
    pushed_as: String,
    columns: Vec<String>,
}

/// Runs a file, at most so many of its queries, and adds what came of it. `number` is the file's own.
pub async fn run(
    court: &Court,
    file: &Path,
    number: usize,
    queries_max: usize,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file)?;
    court.mariadb.forget_corpus().await?;
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let mut views: BTreeMap<String, String> = BTreeMap::new();
    let (mut is_written, mut pushes, mut told, mut queries) = (false, 0, 0, 0);
    let mut waiting: Vec<Query> = Vec::new();
    let mut records = record::parse(&text).into_iter().peekable();
    while let Some(record) = records.next() {
        let is_last = records.peek().is_none();
        match record {
            Record::Write(sql) => {
                is_written = true;
                let words: Vec<&str> = sql.split_whitespace().take(3).collect();
                if let [create, view, name] = words[..]
                    && create.eq_ignore_ascii_case("create")
                    && view.eq_ignore_ascii_case("view")
                {
                    let body = sql.split_once(" AS ").or_else(|| sql.split_once(" as ")).map_or("", |(_, body)| body);
                    views.insert(name.to_lowercase(), body.trim().to_owned());
                }
                // What MySQL has no word for fails, as the file says or does not: the tables tell.
                let _ = court.mariadb.ask(&sql).await?;
            }
            Record::Query(query) if queries < queries_max => {
                queries += 1;
                waiting.push(query);
            }
            Record::Query(_) => {}
        }
        let next_writes = matches!(records.peek(), Some(Record::Write(_)));
        if waiting.is_empty() || !(is_last || next_writes || waiting.len() >= IN_FLIGHT * 8) {
            continue;
        }
        if is_written {
            pushes += 1;
            push(court, &format!("f{number}_{pushes}"), &mut seen).await?;
            is_written = false;
        }
        let (seen, views) = (&seen, &views);
        let judged = |query: Query| async move { judge(court, query, seen, views).await };
        let outcomes: Vec<Outcome> =
            stream::iter(std::mem::take(&mut waiting)).map(judged).buffered(IN_FLIGHT).try_collect().await?;
        for outcome in outcomes {
            match outcome {
                Outcome::Passed => tally.passed += 1,
                Outcome::Undecided => tally.undecided += 1,
                Outcome::Refused(why) => {
                    tally.refused += 1;
                    *tally.refusals.entry(group_of(&why)).or_default() += 1;
                }
                Outcome::Wrong(what) => {
                    tally.wrong += 1;
                    told += 1;
                    if told <= TOLD_MAX {
                        tally.told.push(format!("{}: {what}", file.display()));
                    }
                }
            }
        }
    }
    forget(court, &mut seen).await
}

enum Outcome {
    Passed,
    Wrong(String),
    Refused(String),
    Undecided,
}

async fn judge(
    court: &Court,
    query: Query,
    seen: &BTreeMap<String, Seen>,
    views: &BTreeMap<String, String>,
) -> anyhow::Result<Outcome> {
    let sql = format!("{}{}", prefix(&query.sql, seen, views), query.sql);
    let (unum, mariadb) = tokio::join!(court.unum.ask(&sql), court.mariadb.ask(&query.sql));
    let Answer::Rows(mariadb) = mariadb? else { return Ok(Outcome::Undecided) };
    if !is_expected(court, &query, mariadb).await? {
        return Ok(Outcome::Undecided);
    }
    Ok(match unum? {
        Answer::Rows(rows) => {
            let shown = format!(
                "{:?}",
                rows.iter().take(4).map(|row| row.iter().map(Cell::shown).collect::<Vec<_>>()).collect::<Vec<_>>()
            );
            match is_expected(court, &query, rows).await? {
                true => Outcome::Passed,
                false => Outcome::Wrong(format!("line {}: {sql}\n      Unum: {shown}", query.line)),
            }
        }
        Answer::Refused(why) => Outcome::Refused(why),
        Answer::Broken(why) => Outcome::Wrong(format!("line {}: {sql}\n      Unum: {why}", query.line)),
        Answer::Late => Outcome::Refused("too late".to_owned()),
    })
}

/// Whether rows are what the file expects.
async fn is_expected(court: &Court, query: &Query, rows: Vec<Vec<Cell>>) -> anyhow::Result<bool> {
    let mut rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            row.iter()
                .zip(query.types.chars().chain(std::iter::repeat('T')))
                .map(|(cell, of)| shown(cell, of))
                .collect()
        })
        .collect();
    if query.sort == "rowsort" {
        rows.sort();
    }
    let mut values: Vec<String> = rows.into_iter().flatten().collect();
    if query.sort == "valuesort" {
        values.sort();
    }
    match &query.expected {
        Expected::Values(expected) => Ok(values == *expected),
        Expected::Hash { count, md5 } => {
            if values.len() != *count {
                return Ok(false);
            }
            let all: String = values.iter().map(|value| format!("{value}\n")).collect();
            Ok(court.mariadb.md5(all.as_bytes()).await? == *md5)
        }
    }
}

/// A value as the corpus has it, of a column of that letter.
fn shown(cell: &Cell, of: char) -> String {
    let Some(bytes) = &cell.bytes else { return "NULL".to_owned() };
    let text = String::from_utf8_lossy(bytes);
    match (of, cell.number()) {
        ('I', Some(number)) if !text.contains(['.', 'e', 'E']) || number.abs() > 9e18 => text.into_owned(),
        ('I', Some(number)) => format!("{}", number.trunc() as i64),
        ('I', None) => "0".to_owned(),
        ('R', Some(number)) => format!("{number:.3}"),
        ('R', None) => "0.000".to_owned(),
        _ if text.is_empty() => "(empty)".to_owned(),
        _ => text.chars().map(|c| if (' '..='~').contains(&c) { c } else { '@' }).collect(),
    }
}

/// The common table expressions through which a statement sees what it names.
fn prefix(sql: &str, seen: &BTreeMap<String, Seen>, views: &BTreeMap<String, String>) -> String {
    let lower = sql.to_lowercase();
    let names = |text: &str, name: &str| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word.eq_ignore_ascii_case(name))
    };
    let used_views: Vec<_> = views.iter().filter(|(name, _)| names(&lower, name)).collect();
    let is_used = |name: &str| names(&lower, name) || used_views.iter().any(|(_, body)| names(body, name));
    let mut parts: Vec<String> = seen
        .iter()
        .filter(|(name, _)| is_used(name))
        .map(|(name, seen)| format!("{name} AS (SELECT {} FROM cluster_{})", seen.columns.join(", "), seen.pushed_as))
        .collect();
    parts.extend(used_views.iter().map(|(name, body)| format!("{name} AS ({body})")));
    if parts.is_empty() { String::new() } else { format!("WITH {} ", parts.join(", ")) }
}

/// Pushes all tables of the file as they are in MariaDB now, under names of their own: types never narrow.
async fn push(court: &Court, names: &str, seen: &mut BTreeMap<String, Seen>) -> anyhow::Result<()> {
    forget(court, seen).await?;
    let mut pushed = Vec::new();
    for table in court.mariadb.corpus_tables().await? {
        let (columns, rows) = court.mariadb.whole_table(&table).await?;
        let name = format!("{names}_{}", table.to_lowercase());
        let types: Vec<(&str, DataType, &str)> =
            columns.iter().map(|(name, of)| (name.as_str(), data_type(*of), "")).collect();
        let mut out = unum_client::Table::new(&name, &types)?;
        for row in rows {
            out = out.row(row.iter().zip(&columns).map(|(cell, (_, of))| value(cell, *of)).collect::<Vec<_>>());
        }
        pushed.push(out.snapshot());
        let columns = columns.iter().map(|(name, _)| literal_name(name)).collect();
        seen.insert(table.to_lowercase(), Seen { pushed_as: name, columns });
    }
    court.unum.push_corpus(pushed).await
}

/// Drops the tables that were pushed: there are more files than a catalog has room for.
async fn forget(court: &Court, seen: &mut BTreeMap<String, Seen>) -> anyhow::Result<()> {
    for (_, Seen { pushed_as, .. }) in std::mem::take(seen) {
        let drop = format!("DROP TABLE cluster_{pushed_as}");
        if let Answer::Refused(why) | Answer::Broken(why) = court.unum.ask(&drop).await? {
            anyhow::bail!("{drop}: {why}");
        }
    }
    Ok(())
}

fn data_type(of: Type) -> DataType {
    match of {
        Type::Integer => DataType::Int64,
        Type::Double | Type::Fixed(_) | Type::Decimal => DataType::Float64,
        Type::Time | Type::Text => DataType::Text,
    }
}

fn value(cell: &Cell, of: Type) -> Value {
    let Some(bytes) = &cell.bytes else { return Value::Null };
    let text = String::from_utf8_lossy(bytes);
    match data_type(of) {
        DataType::Int64 => text.parse().map_or(Value::Null, Value::Int64),
        DataType::Float64 => text.parse().map_or(Value::Null, Value::Float64),
        _ => Value::Text(text.into_owned()),
    }
}
