//! logfmt: `level=info msg="two words" ok`, a row a line. A name alone is true.

use unum_proto::model::Invalid;

use super::error::at;
use super::ndjson::Rows;
use super::sheet::Sheet;
use super::types::Cell;

pub(super) fn read(text: &str) -> Result<Sheet, Invalid> {
    let mut rows = Rows::default();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        let pairs = pairs(text).ok_or_else(|| at(line, "the line ends inside quotes", "write the whole line"))?;
        let cell = |value: Option<String>| match value {
            Some(value) if value.is_empty() => None,
            Some(value) => Some(Cell::untyped(&value)),
            None => Some(Cell::boolean(true)),
        };
        // Of a name that comes twice the last counts.
        let mut members: Vec<(String, Option<Cell>)> = Vec::new();
        for (name, value) in pairs {
            members.retain(|(other, _)| !other.eq_ignore_ascii_case(&name));
            members.push((name, cell(value)));
        }
        rows.add_members(line, members)?;
    }
    Ok(rows.into_sheet())
}

/// Whether a line is names and values, most of them.
pub(super) fn is_logfmt(line: &str) -> bool {
    let Some(pairs) = pairs(line) else { return false };
    let valued = pairs.iter().filter(|(_, value)| value.is_some()).count();
    let is_name =
        |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "_-./@".contains(c)) && !name.is_empty();
    valued > 0 && valued * 2 > pairs.len() && pairs.iter().all(|(name, _)| is_name(name))
}

/// The names of a line, and their values; none if quotes are not closed.
fn pairs(line: &str) -> Option<Vec<(String, Option<String>)>> {
    let mut pairs = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        let Some(value) = behind.strip_prefix('=') else {
            pairs.push((name.to_owned(), None));
            rest = behind.trim_start();
            continue;
        };
        let (value, behind) = match value.strip_prefix('"') {
            Some(quoted) => {
                let mut text = String::new();
                let mut chars = quoted.char_indices();
                let end = loop {
                    match chars.next()? {
                        (at, '"') => break at + 1,
                        (_, '\\') => match chars.next()?.1 {
                            'n' => text.push('\n'),
                            't' => text.push('\t'),
                            other => text.push(other),
                        },
                        (_, c) => text.push(c),
                    }
                };
                (text, &quoted[end..])
            }
            None => {
                let end = value.find(char::is_whitespace).unwrap_or(value.len());
                (value[..end].to_owned(), &value[end..])
            }
        };
        pairs.push((name.to_owned(), Some(value)));
        rest = behind.trim_start();
    }
    Some(pairs)
}
