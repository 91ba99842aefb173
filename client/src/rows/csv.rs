//! CSV, and its kin with `;`, tabs or `|` between the fields: a header, then a record a line, as RFC 4180 has it. A quoted field may span
//! lines; blank lines do not count. What `mysql -t` and `psql` draw around tables is left out.

use csv::{ErrorKind, ReaderBuilder};
use unum_proto::model::Invalid;

use super::error::at;
use super::sheet::{Record, Sheet};
use super::types::Cell;

/// The header is line 1 unless blank lines come before it, which nobody writes.
const HEADER_LINE: u64 = 1;

/// What stands between the fields of CSV.
pub(super) const COMMA: u8 = b',';
/// What stands between the fields of TSV.
pub(super) const TAB: u8 = b'\t';

/// What may stand between fields.
const BETWEEN: [u8; 4] = [TAB, COMMA, b';', b'|'];

/// Lines that say which it is.
const LINES: usize = 20;

/// What the lines say of what is between their fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    By(u8),
    /// Two of them part the header alike.
    Both,
    Nothing,
}

/// What parts the fields of these lines: what the header has, and every other line as often; or else what the header alone has.
pub(super) fn separator(lines: &[&str]) -> Told {
    let Some((header, rest)) = lines.split_first() else { return Told::Nothing };
    let count = |line: &str, between: u8| {
        let mut is_quoted = false;
        line.bytes()
            .filter(|byte| {
                is_quoted ^= *byte == b'"';
                *byte == between && !is_quoted
            })
            .count()
    };
    let in_header: Vec<u8> = BETWEEN.into_iter().filter(|between| count(header, *between) > 0).collect();
    let is_same = |between: &&u8| {
        let fields = count(header, **between);
        !rest.is_empty() && rest.iter().take(LINES).all(|line| count(line, **between) == fields)
    };
    let same: Vec<&u8> = in_header.iter().filter(is_same).collect();
    match (same.as_slice(), in_header.as_slice()) {
        ([one], _) => Told::By(**one),
        (_, [one]) => Told::By(*one),
        ([], []) => Told::Nothing,
        _ => Told::Both,
    }
}

/// Whether a line is the top of a drawn table.
pub(super) fn is_boxed(line: &str) -> bool {
    let line = line.trim();
    line.len() > 2 && line.starts_with("+-") && line.chars().all(|c| matches!(c, '+' | '-'))
}

/// Reads with what parts the fields, if that is known; a field that is one of `nulls` is none.
pub(super) fn read(text: &str, between: Option<u8>, nulls: &[String]) -> Result<Sheet, Invalid> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let is_rule = |line: &str| line.trim().len() > 2 && line.trim().chars().all(|c| matches!(c, '+' | '-'));
    let drawn = lines.first().is_some_and(|line| is_boxed(line)) || lines.get(1).is_some_and(|line| is_rule(line));
    if drawn {
        return boxed(text, nulls);
    }
    let between = between.unwrap_or_else(|| match separator(&lines) {
        Told::By(between) => between,
        Told::Both | Told::Nothing => COMMA,
    });
    // What `mysql -B` prints has no quotes: one that is not closed is a letter there.
    let open = open_quote(text, between);
    let has_quotes = between != TAB || open.is_none();
    if let Some(line) = open.filter(|_| has_quotes) {
        let what = format!("the text ends inside the quotes that begin in line {line}");
        return Err(Invalid::new(what, "take the whole file, or close the quotes"));
    }
    let mut reader = ReaderBuilder::new().delimiter(between).quoting(has_quotes).from_reader(text.as_bytes());
    let mut sheet = Sheet::default();
    let header = reader.headers().map_err(|e| refused(&e))?;
    if header.is_empty() {
        return Err(Invalid::new("the CSV text is empty", "begin with a header: the names of the columns"));
    }
    for (position, name) in header.iter().enumerate() {
        sheet
            .add_column(HEADER_LINE, name.trim())
            .map_err(|e| Invalid::new(format!("{} (field {} of the header)", e.what, position + 1), e.remedy))?;
    }
    for record in reader.records() {
        let record = record.map_err(|e| refused(&e))?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell =
            |field: &str| (!field.is_empty() && !nulls.iter().any(|null| null == field)).then(|| Cell::untyped(field));
        sheet.add_record(Record { line, cells: record.iter().map(cell).collect() })?;
    }
    Ok(sheet)
}

/// The line in which a quote begins that is never closed.
fn open_quote(text: &str, between: u8) -> Option<usize> {
    let (mut line, mut opened, mut at_start) = (1, None, true);
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let is_start = std::mem::take(&mut at_start);
        match byte {
            b'"' if opened.is_some() => {
                // Two of them are one.
                if bytes.next_if_eq(&b'"').is_none() {
                    opened = None;
                }
            }
            b'"' if is_start => opened = Some(line),
            b'\n' => {
                line += 1;
                at_start = opened.is_none();
            }
            byte => at_start = opened.is_none() && (byte == between || byte == b'\r'),
        }
    }
    opened
}

/// A drawn table: rules are left out, and what is between the bars is trimmed. `(3 rows)` below it is no row.
fn boxed(text: &str, nulls: &[String]) -> Result<Sheet, Invalid> {
    let mut sheet = Sheet::default();
    let is_rule = |line: &str| !line.is_empty() && line.chars().all(|c| matches!(c, '+' | '-'));
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !is_rule(line.trim()));
    let (number, header) = lines.next().ok_or_else(|| Invalid::new("the table is empty", "draw a header"))?;
    // psql draws no bars at the sides.
    let has_sides = header.trim().starts_with('|');
    let cells = |line: &str| -> Vec<String> {
        let sides = || line.trim().strip_prefix('|').and_then(|inner| inner.strip_suffix('|'));
        let inner = if has_sides { sides() } else { Some(line) };
        inner.map(|inner| inner.split('|').map(|cell| cell.trim().to_owned()).collect()).unwrap_or_default()
    };
    for name in cells(header) {
        sheet.add_column(number, &name)?;
    }
    for (line, text) in lines {
        let fields = cells(text);
        if fields.len() != sheet.columns.len() {
            let what = format!("the row has {} cells, and the header {}", fields.len(), sheet.columns.len());
            return Err(at(line, what, "a value with a | in it cannot be told apart; print it as CSV"));
        }
        let cell = |field: String| {
            (!field.is_empty() && field != "NULL" && !nulls.contains(&field)).then(|| Cell::untyped(&field))
        };
        sheet.add_record(Record { line, cells: fields.into_iter().map(cell).collect() })?;
    }
    Ok(sheet)
}

fn refused(error: &csv::Error) -> Invalid {
    let line = |pos: &Option<csv::Position>| pos.as_ref().map_or(0, csv::Position::line);
    match error.kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => at(
            line(pos),
            format!("the record has {len} fields, but the header has {expected_len}"),
            "write a field for every column, and quote a field that has a comma or a tab in it",
        ),
        _ => Invalid::new(format!("the CSV text is not readable: {error}"), "write it as RFC 4180 has it"),
    }
}
