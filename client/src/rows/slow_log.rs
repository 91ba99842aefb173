//! Slow query logs of MySQL, MariaDB, Percona Server and TiDB: a row a statement.
//!
//! What is behind `#` is names and values, several in a line; then come `use`, `SET timestamp` and the statement, up to the next
//! `#`. A time that is the same as before is not written again.

use unum_proto::model::Invalid;

use super::error::at;
use super::ndjson::Rows;
use super::sheet::Sheet;
use super::types::Cell;

/// Names whose values go on to the end of the line.
const WHOLE_LINE: [&str; 8] =
    ["Time", "User@Host", "Plan", "Binary_plan", "Warnings", "Stats", "Index_names", "Prev_stmt"];

/// A statement and what the log says of it.
#[derive(Default)]
struct Entry {
    line: u64,
    members: Vec<(String, String)>,
    statement: Vec<String>,
}

pub(super) fn read(text: &str) -> Result<Sheet, Invalid> {
    let mut rows = Rows::default();
    let mut entry = Entry::default();
    let (mut time, mut database) = (None::<String>, None::<String>);
    for (line, text) in (1..).zip(text.lines()) {
        // In a statement a comment is a part of it: an entry begins with its time or its user.
        let begins =
            |head: &&str| entry.statement.is_empty() || head.starts_with("Time: ") || head.starts_with("User@Host: ");
        if let Some(head) = text.strip_prefix("# ").filter(begins) {
            if !entry.statement.is_empty() {
                finish(std::mem::take(&mut entry), &time, &database, &mut rows)?;
            }
            if entry.line == 0 {
                entry.line = line;
            }
            if let Some(command) = head.strip_prefix("administrator command: ") {
                entry.statement.push(format!("# administrator command: {command}"));
                continue;
            }
            for (name, value) in pairs(head) {
                match name {
                    "Time" => time = Some(when(value)),
                    _ => entry.members.push((name.to_owned(), value.to_owned())),
                }
            }
        } else if entry.line > 0 {
            let trimmed = text.trim();
            match () {
                () if trimmed.is_empty() => {}
                () if entry.statement.is_empty() && is_use(trimmed) => {
                    database = Some(trimmed[4..].trim_end_matches(';').trim_matches('`').to_owned());
                }
                () if entry.statement.is_empty() && trimmed.to_ascii_uppercase().starts_with("SET TIMESTAMP=") => {
                    let seconds = trimmed["SET timestamp=".len()..].trim_end_matches(';');
                    entry.members.push(("timestamp".to_owned(), seconds.to_owned()));
                }
                () if entry.statement.is_empty() && is_preamble(trimmed) => {}
                () => entry.statement.push(text.to_owned()),
            }
        }
    }
    if entry.line > 0 {
        if entry.statement.is_empty() {
            return Err(at(
                entry.line,
                "the last entry has no statement",
                "take the log when it is still, or without its last entry",
            ));
        }
        finish(entry, &time, &database, &mut rows)?;
    }
    Ok(rows.into_sheet())
}

fn is_use(line: &str) -> bool {
    line.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("use "))
}

/// What a server writes when it opens the log.
fn is_preamble(line: &str) -> bool {
    line.contains(", Version: ")
        || line.starts_with("Tcp port: ")
        || line.starts_with("Time                 Id Command")
}

fn finish(entry: Entry, time: &Option<String>, database: &Option<String>, rows: &mut Rows) -> Result<(), Invalid> {
    let Entry { line, members, statement } = entry;
    let mut named: Vec<(String, Option<Cell>)> = Vec::new();
    named.push(("time".to_owned(), time.as_deref().map(Cell::untyped)));
    for (name, value) in members {
        // TiDB writes the parts of one thing under one name: the last counts.
        named.retain(|(other, _)| !other.eq_ignore_ascii_case(&name));
        let value = value.trim();
        named.push((name, (!value.is_empty()).then(|| Cell::untyped(value))));
    }
    let has = |wanted: &str| named.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    // TiDB names it in each entry that has one; the others where it changes.
    if !has("db") {
        let carried = database.as_deref().filter(|_| !has("txn_start_ts"));
        named.push(("db".to_owned(), carried.map(Cell::untyped)));
    }
    named.push(("query".to_owned(), Some(Cell::string(statement.join("\n").trim().to_owned()))));
    rows.add_members(line, named)
}

/// `Query_time: 2.5  Lock_time: 0.1` as pairs. A value ends where the next name begins.
fn pairs(head: &str) -> Vec<(&str, &str)> {
    if let Some((name, value)) = head.split_once(": ").filter(|(name, _)| WHOLE_LINE.contains(name)) {
        // MySQL has the connection behind the user.
        return match value.rsplit_once("Id: ").filter(|_| name == "User@Host") {
            Some((user, id)) => vec![("user_host", user.trim()), ("connection_id", id.trim())],
            None if name == "User@Host" => vec![("user_host", value.trim())],
            None => vec![(name, value.trim())],
        };
    }
    let mut pairs = Vec::new();
    let mut names: Vec<(usize, usize)> = Vec::new();
    let mut start = 0;
    for word in head.split_inclusive(' ') {
        let bare = word.trim_end();
        let is_name = bare.len() > 1 && bare.ends_with(':') && bare.starts_with(|c: char| c.is_ascii_alphabetic());
        if is_name {
            names.push((start, start + bare.len()));
        }
        start += word.len();
    }
    for (number, (from, to)) in names.iter().enumerate() {
        let end = names.get(number + 1).map_or(head.len(), |(next, _)| *next);
        pairs.push((&head[*from..*to - 1], head[*to..end].trim()));
    }
    pairs
}

/// `240301  9:05:00`, as MySQL wrote it until 5.6, is 2024-03-01 09:05:00.
fn when(value: &str) -> String {
    let mut words = value.split_whitespace();
    let (Some(date), Some(clock), None) = (words.next(), words.next(), words.next()) else { return value.to_owned() };
    if date.len() != 6 || !date.bytes().all(|byte| byte.is_ascii_digit()) {
        return value.to_owned();
    }
    format!("20{}-{}-{} {clock:0>8}", &date[..2], &date[2..4], &date[4..])
}
