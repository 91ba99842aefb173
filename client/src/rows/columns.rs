//! Columns by blanks, as `ps`, `df`, `ss`, `kubectl`, `docker`, `lsblk` and `smartctl` print them for people.
//!
//! Where the header is, and which words of it are one name, is told by what is below: columns that are parted by two blanks and
//! begin below their names (kubectl, docker, tiup), or else words, of which the last column takes the rest (ps, df). A word that is
//! missing in between is found by what stands above it. Lines before and after the table are left out, and told.

use unum_proto::model::Invalid;

use super::error::{at, quoted};
use super::sheet::{Record, Sheet};
use super::types::Cell;

/// Names of several words that the header has one blank in.
const NAMES: [&str; 6] =
    ["Mounted on", "Local Address:Port", "Peer Address:Port", "Local Address", "Foreign Address", "Response time"];

/// Lines that are tried as a header.
const HEADERS_MAX: usize = 100;

/// Where a column's name stands in the header, in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    from: usize,
    to: usize,
}

/// A line of the text, with its number.
type Line<'a> = (u64, &'a str);

/// The table of a text, and what is to be said of how it was found. A cell that is one of `nulls` is none.
pub(super) fn read(text: &str, nulls: &[String], notes: &mut Vec<String>) -> Result<Sheet, Invalid> {
    // What ss prints as one word is two names.
    let text = text.replacen("Address:PortProcess", "Address:Port Process", 1);
    let all: Vec<Line<'_>> = (1..).zip(text.lines()).map(|(number, line)| (number, line.trim_end())).collect();
    let lines = profile(&all).unwrap_or_else(|| all.clone());
    let Table { header, rule, body } = table(&lines).ok_or_else(|| {
        Invalid::new("no header is found in the text", "name the format: --format csv, tsv, ndjson, json …")
    })?;
    let used = 1 + usize::from(rule.is_some()) + body.len();
    let left_out = all.iter().filter(|(_, line)| !line.trim().is_empty()).count().saturating_sub(used);
    if left_out > 0 {
        notes
            .push(format!("line {} is taken for the header; {left_out} lines around the table are left out", header.0));
    }
    let by_rule = rule.and_then(|rule| ruled(rule, header.1, &body));
    let (columns, cut): (Vec<Column>, Cut) = match by_rule.or_else(|| aligned(header.1, &body)) {
        Some(columns) => (columns, cut_by_place),
        None => (words_of(header.1), cut_by_words),
    };
    let mut sheet = Sheet::default();
    for column in &columns {
        sheet.add_column(header.0, &column.name)?;
    }
    let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
    for (number, line) in body {
        let mut cells = cut(line, &columns).ok_or_else(|| {
            let what = format!("{} does not stand below the names of the header", quoted(line));
            at(number, what, "name another --format, or print it with a separator")
        })?;
        let filled: Vec<usize> = (0..cells.len()).filter(|at| !cells[*at].is_empty()).collect();
        match (filled.as_slice(), rows.last_mut()) {
            // One cell alone is more of the row before: a second mount point.
            ([only], Some((_, before))) if columns.len() > 2 && *only + 1 == columns.len() => {
                before[*only] = format!("{}\n{}", before[*only], std::mem::take(&mut cells[*only]));
            }
            ([_], _) if columns.len() > 2 => {
                let what = format!("{} is a part of a row", quoted(line));
                return Err(at(number, what, "print it without line breaks in rows, as df -P does"));
            }
            _ => rows.push((number, cells)),
        }
    }
    let cell = |text: String| (!text.is_empty() && !nulls.contains(&text)).then(|| Cell::untyped(&text));
    for (line, cells) in rows {
        sheet.add_record(Record { line, cells: cells.into_iter().map(cell).collect() })?;
    }
    Ok(sheet)
}

type Cut = fn(&str, &[Column]) -> Option<Vec<String>>;

/// A line of nothing but `---` or `===`.
fn is_rule(line: &str) -> bool {
    !line.trim().is_empty() && line.chars().all(|c| matches!(c, '-' | '=' | '+' | ' '))
}

/// The profile in a report of pt-query-digest, without the signs of comments before it.
fn profile<'a>(lines: &[Line<'a>]) -> Option<Vec<Line<'a>>> {
    let start = lines.iter().position(|(_, line)| *line == "# Profile")? + 1;
    let rest = lines[start..]
        .iter()
        .map_while(|(number, line)| Some((*number, line.strip_prefix("# ").or(line.strip_prefix('#'))?)));
    Some(rest.collect())
}

/// Where a table is in a text.
struct Table<'a> {
    header: Line<'a>,
    /// The line below the header that has nothing but `---` or `===`.
    rule: Option<&'a str>,
    body: Vec<Line<'a>>,
}

/// The header and the lines below it: above a rule, or the line with the most names that all lines down to the next blank one fit.
fn table<'a>(lines: &[Line<'a>]) -> Option<Table<'a>> {
    let below = |at: usize| -> Vec<Line<'a>> {
        lines[at + 1..].iter().take_while(|(_, line)| !line.trim().is_empty()).copied().collect()
    };
    let is_below_names = |rule: &usize| {
        let names = words_of(lines[rule - 1].1).len();
        names > 1 || (names == 1 && *rule == 1)
    };
    let rule = lines.iter().position(|(_, line)| is_rule(line)).filter(|rule| *rule > 0).filter(is_below_names);
    if let Some(rule) = rule {
        let names = words_of(lines[rule - 1].1).len();
        let fits = |(_, line): &Line<'_>| line.split_whitespace().count() >= names.min(2);
        let body = below(rule).into_iter().take_while(|line| fits(line) && !is_total(line.1)).collect();
        return Some(Table { header: lines[rule - 1], rule: Some(lines[rule].1), body });
    }
    let is_header = |at: &usize| {
        let names = words_of(lines[*at].1);
        !names.is_empty() && names.iter().all(|column| is_name(&column.name))
    };
    // The first that all lines down to the next blank one fit.
    let fitting = |at: usize| {
        let body = below(at);
        let least = least_words(&words_of(lines[at].1), lines[at].1);
        let fits = !body.is_empty() && body.iter().all(|(_, line)| line.split_whitespace().count() >= least);
        fits.then(|| Table { header: lines[at], rule: None, body })
    };
    let found = (0..lines.len()).filter(is_header).take(HEADERS_MAX).find_map(fitting);
    // A table without rows is one.
    let mut some = lines.iter().filter(|(_, line)| !line.trim().is_empty());
    let alone = || {
        some.next().filter(|_| some.next().is_none()).map(|line| Table { header: *line, rule: None, body: Vec::new() })
    };
    found.or_else(alone)
}

/// Whether a word of a line may be a name: no number, and nothing that ends a sentence or stands before a value.
fn is_name(word: &str) -> bool {
    let is_number = word.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ':' | '-' | '%'))
        && word.contains(|c: char| c.is_ascii_digit());
    !is_number && !word.ends_with([':', ',', ';']) && !word.chars().all(|c| matches!(c, '=' | '-' | '+'))
}

/// The columns of a table whose cells are as wide as the rule above them; what is behind the last one has no name.
fn ruled(rule: &str, header: &str, body: &[Line<'_>]) -> Option<Vec<Column>> {
    let spans: Vec<(usize, usize)> =
        pieces(rule, 1).into_iter().map(|(from, piece)| (from, from + piece.chars().count())).collect();
    let is_blank = |line: &str, at: usize| line.chars().nth(at).is_none_or(|c| c == ' ');
    let fits =
        |line: &str| spans.iter().all(|(from, to)| (*from == 0 || is_blank(line, from - 1)) && is_blank(line, *to));
    if spans.len() < 2 || !body.iter().all(|(_, line)| fits(line)) || !fits(header) {
        return None;
    }
    let slice =
        |from: usize, to: usize| header.chars().skip(from).take(to - from).collect::<String>().trim().to_owned();
    let mut columns: Vec<Column> =
        spans.iter().map(|(from, to)| Column { name: slice(*from, *to), from: *from, to: *to }).collect();
    let end = spans.last().map_or(0, |(_, to)| *to);
    if body.iter().any(|(_, line)| line.chars().count() > end) {
        let name = slice(end, header.chars().count().max(end));
        let name = if name.is_empty() { "item".to_owned() } else { name };
        columns.push(Column { name, from: end + 1, to: end + 1 });
    }
    Some(columns)
}

/// `Total nodes: 5` below a table.
fn is_total(line: &str) -> bool {
    line.starts_with("Total ")
}

/// How many words a line must have to be below this header: what is last may be missing, and a name of two words may be of one value.
fn least_words(names: &[Column], header: &str) -> usize {
    let parted = parted(header).len();
    if parted > 1 { parted.min(names.len()).saturating_sub(2).max(1) } else { names.len().saturating_sub(1).max(1) }
}

/// The words of a header, those joined that are one name.
fn words_of(header: &str) -> Vec<Column> {
    let mut words: Vec<Column> = Vec::new();
    for (from, word) in pieces(header, 1) {
        let to = from + word.chars().count();
        let joined = words.last().map(|last| (format!("{} {word}", last.name), last.to + 1 == from));
        match (words.last_mut(), joined) {
            (Some(last), Some((name, true))) if NAMES.contains(&name.as_str()) => (last.name, last.to) = (name, to),
            _ => words.push(Column { name: word, from, to }),
        }
    }
    words
}

/// The names of a header that are parted by two blanks.
fn parted(header: &str) -> Vec<Column> {
    let column = |(from, name): (usize, String)| Column { from, to: from + name.chars().count(), name };
    pieces(header, 2).into_iter().map(column).collect()
}

/// What so many blanks part, with where it begins, in characters.
fn pieces(line: &str, blanks: usize) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut gap = usize::MAX;
    for (at, c) in line.chars().enumerate() {
        match c {
            ' ' | '\t' => gap = if c == '\t' { usize::MAX } else { gap.saturating_add(1) },
            c => {
                match found.last_mut() {
                    Some((_, piece)) if gap < blanks => piece.extend(std::iter::repeat_n(' ', gap).chain([c])),
                    _ => found.push((at, c.to_string())),
                }
                gap = 0;
            }
        }
    }
    found
}

/// The columns of a table whose cells begin below their names: what is before a name is blank in every line.
fn aligned(header: &str, body: &[Line<'_>]) -> Option<Vec<Column>> {
    let columns = parted(header);
    let has_gap = |line: &str| {
        let chars: Vec<char> = line.chars().collect();
        columns.iter().skip(1).all(|column| {
            let blank = |at: usize| chars.get(at).is_none_or(|c| *c == ' ');
            (column.from < 1 || blank(column.from - 1)) && (column.from < 2 || blank(column.from - 2)) && {
                // And something begins there, or nothing is there.
                let next = columns.iter().find(|next| next.from > column.from).map_or(chars.len(), |next| next.from);
                !blank(column.from) || (column.from..next.min(chars.len())).all(blank)
            }
        })
    };
    // What has blanks as wide as those between columns is several, below a name of several words.
    let is_whole =
        |line: &str| {
            let cells = cut_by_place(line, &columns).unwrap_or_default();
            cells.iter().zip(&columns).enumerate().all(|(at, (cell, column))| {
                !cell.contains("  ") || (at + 1 == columns.len() && !column.name.contains(' '))
            })
        };
    let fits = |line: &str| has_gap(line) && is_whole(line);
    (columns.len() > 1 && !body.is_empty() && body.iter().all(|(_, line)| fits(line))).then_some(columns)
}

fn cut_by_place(line: &str, columns: &[Column]) -> Option<Vec<String>> {
    let chars: Vec<char> = line.chars().collect();
    let cell = |(at, column): (usize, &Column)| {
        let end = columns.get(at + 1).map_or(chars.len(), |next| next.from).min(chars.len());
        let text: String = chars.get(column.from..end).unwrap_or_default().iter().collect();
        text.trim().to_owned()
    };
    Some(columns.iter().enumerate().map(cell).collect())
}

fn cut_by_words(line: &str, columns: &[Column]) -> Option<Vec<String>> {
    let line = &without_branches(line);
    let words = pieces(line, 1);
    // More words than names are one value only below the last name, or to the right of it where long values moved them.
    let begins_too_early =
        words.get(columns.len().checked_sub(1)?).is_some_and(|(from, _)| from + 2 < columns[columns.len() - 1].from);
    if words.len() > columns.len() && begins_too_early {
        return None;
    }
    let mut cells = vec![String::new(); columns.len()];
    let (last, count) = (columns.len() - 1, words.len());
    let rest = |from: usize| -> String { line.chars().skip(from).collect::<String>().trim().to_owned() };
    if count >= columns.len() || count + 1 == columns.len() && !ends_at_last(&words, columns) {
        for (at, (from, word)) in words.into_iter().enumerate() {
            match at.cmp(&last) {
                std::cmp::Ordering::Less => cells[at] = word,
                std::cmp::Ordering::Equal => cells[at] = rest(from),
                std::cmp::Ordering::Greater => break,
            }
        }
    } else {
        // Fewer words than names: each belongs to the name that it stands below.
        let mut next = 0;
        for (at, (from, word)) in words.iter().enumerate() {
            let to = from + word.chars().count();
            let left = count - at - 1;
            // Those that follow need names, too.
            let most = last.saturating_sub(left.min(last));
            let below = (next..=most.max(next)).min_by_key(|number| distance(columns.get(*number), *from, to))?;
            cells.get_mut(below)?.clone_from(word);
            next = below + 1;
        }
    }
    Some(cells)
}

/// A line without the branches of a tree before its first name, as `lsblk` draws them; all else stays where it is.
fn without_branches(line: &str) -> String {
    let mut rest = line;
    while let Some(next) = ["|-", "`-", "| "]
        .iter()
        .find_map(|branch| rest.strip_prefix(branch))
        .or_else(|| rest.strip_prefix(['├', '└', '│', '─', ' ']))
    {
        rest = next;
    }
    let cut = line.chars().count() - rest.chars().count();
    format!("{}{rest}", " ".repeat(cut))
}

/// Whether the last word stands below the last name, so that it is another one that is missing.
fn ends_at_last(words: &[(usize, String)], columns: &[Column]) -> bool {
    let Some((from, word)) = words.last() else { return false };
    let to = from + word.chars().count();
    let [.., before, last] = columns else { return false };
    distance(Some(last), *from, to) < distance(Some(before), *from, to)
}

/// How far a word is from standing below a name: nothing, if they overlap.
fn distance(column: Option<&Column>, from: usize, to: usize) -> usize {
    match column {
        Some(column) if from < column.to && column.from < to => 0,
        Some(column) => {
            if from >= column.to {
                from - column.to + 1
            } else {
                column.from - to + 1
            }
        }
        None => usize::MAX,
    }
}
