//! Completion at the cursor: meta commands, tables, columns, functions and keywords.
//!
//! [`candidates`] is pure: a line, a place in it and the names there are. It looks at the words around the cursor and
//! does not parse.

use std::collections::BTreeSet;

use reedline::{Completer, CompletionResult, Span, Suggestion};

use super::meta;
use super::names::{LiveNames, Names};

/// Functions that people type.
const FUNCTIONS: &[&str] = &[
    "abs",
    "any_value",
    "avg",
    "ceil",
    "char_length",
    "coalesce",
    "concat",
    "concat_ws",
    "count",
    "curdate",
    "database",
    "date",
    "date_add",
    "date_format",
    "date_sub",
    "datediff",
    "day",
    "dayofweek",
    "extract",
    "field",
    "find_in_set",
    "floor",
    "format",
    "format_bytes",
    "format_nano_time",
    "from_unixtime",
    "greatest",
    "group_concat",
    "hour",
    "if",
    "ifnull",
    "instr",
    "json_extract",
    "json_keys",
    "json_length",
    "json_unquote",
    "json_valid",
    "last_day",
    "least",
    "left",
    "length",
    "locate",
    "lower",
    "lpad",
    "max",
    "min",
    "minute",
    "mod",
    "month",
    "now",
    "nullif",
    "pow",
    "rank",
    "regexp_like",
    "regexp_replace",
    "replace",
    "reverse",
    "right",
    "round",
    "row_number",
    "rpad",
    "second",
    "sqrt",
    "stddev",
    "str_to_date",
    "substr",
    "substring_index",
    "sum",
    "timestampdiff",
    "trim",
    "truncate",
    "unix_timestamp",
    "upper",
    "user",
    "variance",
    "version",
    "week",
    "year",
];

/// After these a table comes.
const BEFORE_TABLE: [&str; 6] = ["from", "join", "desc", "describe", "table", "\\d"];

/// Suggestions of one menu.
const SUGGESTIONS_MAX: usize = 200;

/// Completes from the live catalog.
pub struct LiveCompleter(pub LiveNames);

impl Completer for LiveCompleter {
    fn complete(&mut self, line: &str, cursor: usize) -> CompletionResult {
        let (start, values) = candidates(line, cursor, &self.0.get());
        let suggestion = |value: String| Suggestion {
            append_whitespace: !value.ends_with(['(', '.']),
            value,
            span: Span::new(start, cursor),
            ..Suggestion::default()
        };
        CompletionResult::fresh(values.into_iter().map(suggestion).collect::<Vec<_>>())
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '`' | '@')
}

/// Where the word at the cursor begins, and what it could become.
pub fn candidates(line: &str, cursor: usize, names: &Names) -> (usize, Vec<String>) {
    let before = &line[..line.floor_char_boundary(cursor)];
    let word_start =
        before.rfind(|c| !is_name(c)).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let (ahead, word) = before.split_at(word_start);
    // Only a line that begins with it is a meta command.
    if before.trim_start().starts_with(['\\', '.']) && !before.trim_start().contains(char::is_whitespace) {
        let start = before.len() - before.trim_start().len();
        return (start, matching(meta::names(), before.trim_start(), str::to_owned));
    }
    let statement_start = before.rfind(';').map_or(0, |at| at + 1);
    let statement = &line[statement_start..];
    if let Some(qualifier) = ahead.strip_suffix('.') {
        let start = qualifier.rfind(|c| !is_name(c)).map_or(0, |at| at + 1);
        return (word_start, qualified(&qualifier[start..], word, statement, names));
    }
    let previous = ahead.split_whitespace().next_back().unwrap_or_default().to_lowercase();
    let found = match previous.trim_start_matches('(') {
        "use" | "\\u" | "in" if statement.trim_start().to_lowercase().starts_with("use") => {
            matching(names.schemas.keys().map(String::as_str), word, str::to_owned)
        }
        previous if BEFORE_TABLE.contains(&previous) => tables(word, names),
        _ => anywhere(word, statement, names),
    };
    (word_start, found)
}

/// The names that begin with a word, each once and in order, at most as many as a menu shows.
fn matching<'a>(names: impl Iterator<Item = &'a str>, word: &str, shown: impl Fn(&str) -> String) -> Vec<String> {
    let word = word.trim_matches('`').to_lowercase();
    let found: BTreeSet<String> = names.filter(|name| name.to_lowercase().starts_with(&word)).map(shown).collect();
    found.into_iter().take(SUGGESTIONS_MAX).collect()
}

/// Tables of the default schema by their names, other schemas by theirs.
fn tables(word: &str, names: &Names) -> Vec<String> {
    let mut found = matching(default_tables(names), word, str::to_owned);
    found.extend(matching(names.schemas.keys().map(String::as_str), word, |schema| format!("{schema}.")));
    found
}

fn default_tables(names: &Names) -> impl Iterator<Item = &str> {
    names.schemas.get("unum").into_iter().flat_map(|tables| tables.keys().map(String::as_str))
}

/// After `schema.` a table, after `table.` or `alias.` a column.
fn qualified(qualifier: &str, word: &str, statement: &str, names: &Names) -> Vec<String> {
    let qualifier = qualifier.trim_matches('`').to_lowercase();
    if let Some(tables) = names.schemas.get(&qualifier) {
        return matching(tables.keys().map(String::as_str), word, str::to_owned);
    }
    let table = aliases(statement, names).into_iter().find(|(_, alias)| *alias == qualifier).map(|(table, _)| table);
    let table = table.unwrap_or(qualifier);
    let found = matching(columns(&table, names), word, str::to_owned);
    // The editor shows what is left of the cursor only: an alias may be named to the right of it.
    if found.is_empty() { matching(all_columns(names), word, str::to_owned) } else { found }
}

/// Columns of every table of the default schema.
fn all_columns(names: &Names) -> impl Iterator<Item = &str> {
    names.schemas.get("unum").into_iter().flat_map(|tables| tables.values().flatten().map(String::as_str))
}

fn columns<'a>(table: &str, names: &'a Names) -> impl Iterator<Item = &'a str> {
    let name = table.rsplit('.').next().unwrap_or_default().to_owned();
    let tables = names.schemas.values().filter_map(move |tables| tables.get(&name));
    tables.flatten().map(String::as_str)
}

/// Tables that a statement names, and what it calls each.
fn aliases(statement: &str, names: &Names) -> Vec<(String, String)> {
    let lowered = statement.to_lowercase().replace('`', "");
    let words: Vec<&str> =
        lowered.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ';')).filter(|w| !w.is_empty()).collect();
    let mut found = Vec::new();
    for (position, word) in words.iter().enumerate() {
        if !["from", "join"].contains(word) && !word.ends_with(',') {
            continue;
        }
        let Some(table) = words.get(position + 1).map(|table| table.trim_end_matches(',')) else { continue };
        let after = words.get(position + 2).filter(|word| **word != "as").or_else(|| words.get(position + 3));
        let is_keyword = |word: &str| names.keywords.iter().any(|keyword| keyword.eq_ignore_ascii_case(word));
        let alias = after.map(|alias| alias.trim_end_matches(',')).filter(|alias| !is_keyword(alias));
        found.push((table.to_owned(), alias.unwrap_or(table).to_owned()));
    }
    found
}

/// Columns of the statement's tables, tables, functions and keywords.
fn anywhere(word: &str, statement: &str, names: &Names) -> Vec<String> {
    if word.is_empty() {
        return Vec::new();
    }
    let read = aliases(statement, names);
    let mut found = match read.is_empty() {
        true => matching(all_columns(names), word, str::to_owned),
        false => matching(read.iter().flat_map(|(table, _)| columns(table, names)), word, str::to_owned),
    };
    let upper = word.chars().all(|c| !c.is_lowercase());
    let keyword = |keyword: &str| if upper { keyword.to_owned() } else { keyword.to_lowercase() };
    let function = |name: &str| format!("{}(", if upper { name.to_uppercase() } else { name.to_owned() });
    found.extend(matching(names.keywords.iter().map(String::as_str), word, keyword));
    found.extend(matching(FUNCTIONS.iter().copied(), word, function));
    found.extend(matching(default_tables(names), word, str::to_owned));
    let mut seen = BTreeSet::new();
    found.retain(|name| seen.insert(name.clone()));
    found.truncate(SUGGESTIONS_MAX);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let keywords = ["AS", "FROM", "JOIN", "ON", "VALUES", "VARIABLES", "WHEN", "WHERE"].map(str::to_owned);
        let mut names = Names { keywords: keywords.to_vec(), ..Names::default() };
        for (schema, table, columns) in [
            ("unum", "nodes", vec!["id", "status", "node_type"]),
            ("unum", "cluster_load", vec!["name", "value", "node_id"]),
            ("information_schema", "cluster_info", vec!["type", "instance"]),
        ] {
            let columns = columns.into_iter().map(str::to_owned).collect();
            names.schemas.entry(schema.into()).or_default().insert(table.into(), columns);
        }
        names
    }

    #[test]
    fn what_fits_the_place_is_offered() {
        // The cursor is at the bar.
        for (line, expected) in [
            ("SELECT * FROM no|", vec!["nodes"]),
            ("select * from `no|", vec!["nodes"]),
            ("SELECT * FROM info|", vec!["information_schema."]),
            ("SELECT * FROM information_schema.cl|", vec!["cluster_info"]),
            ("DESC cl|", vec!["cluster_load"]),
            ("\\d no|", vec!["nodes"]),
            ("\\ti|", vec!["\\timing"]),
            (".ta|", vec![".tables"]),
            ("USE in|", vec!["information_schema"]),
            ("SELECT n.st| FROM nodes n", vec!["status"]),
            ("SELECT x.na| FROM nodes n JOIN cluster_load AS x ON 1", vec!["name"]),
            ("SELECT stat| FROM nodes", vec!["status"]),
            ("SELECT stat| FROM cluster_load", vec![]),
            ("SELECT stat|", vec!["status"]),
            ("SELECT n.stat|", vec!["status"]),
            ("WHE|", vec!["WHEN", "WHERE"]),
            ("whe|", vec!["when", "where"]),
            ("SELECT group_c|", vec!["group_concat("]),
            ("SELECT 1; SELECT va| FROM cluster_load", vec!["value", "values", "variables", "variance("]),
            ("SELECT |", vec![]),
        ] {
            let cursor = line.find('|').expect("a cursor");
            let text = line.replace('|', "");
            assert_eq!(candidates(&text, cursor, &names()).1, expected, "{line}");
        }
    }

    #[test]
    fn any_cursor_in_any_text_is_legal() {
        let text = "SELECT 'ü' FROM `é` n WHERE n.😀 \\x .";
        for cursor in 0..=text.len() + 1 {
            let (start, _) = candidates(text, cursor, &names());
            assert!(text.is_char_boundary(start));
        }
    }
}
