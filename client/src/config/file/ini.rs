//! INI, as Grafana, Python, PHP and many others write it: `[section]`, `key = value`, and comments behind `;` or `#`.
//!
//! They do not agree on what a comment behind a value is, or what quotes are. What all of them read the same is written; where
//! they would not, the change is refused. MySQL, PostgreSQL and systemd have formats of their own.

use super::scalar::{Repeated, Scalar, Scalars, Style, joined, line_end, line_number, lines, type_of, type_of_text};

pub(super) fn parse(text: &str) -> Result<Scalars, String> {
    let mut found = Repeated::default();
    let mut section = String::new();
    // The setting before, and how far in it stands.
    let mut before: Option<(String, usize)> = None;
    let end = line_end(text);
    for (at, line) in lines(text) {
        let content = line.trim();
        if content.is_empty() {
            continue;
        }
        if let Some(comment) = content.strip_prefix([';', '#']) {
            if let Some((name, value)) = comment.split_once('=').filter(|(name, _)| is_name(name)) {
                let template = Scalar::template(
                    value.trim(),
                    at + line.len(),
                    (format!("{end}{} = ", name.trim()), String::new()),
                );
                found.add(joined(&section, name), template);
            }
            continue;
        }
        if let Some(name) = content.strip_prefix('[') {
            before = None;
            let name = name.split(']').next().unwrap_or_default();
            name.split_whitespace().collect::<Vec<_>>().join("_").clone_into(&mut section);
            continue;
        }
        // Python takes a line that is further in than the setting before it for a part of that.
        let indent = line.len() - line.trim_start().len();
        if let Some((key, _)) = before.as_ref().filter(|(_, of_key)| indent > *of_key) {
            found.read_only(key, content);
            continue;
        }
        let Some(equals) = line.find('=').filter(|equals| !line[..*equals].contains(':')) else {
            return Err(format!(
                "line {}: {content:?} is no key = value; if this is no INI file, name its --config-format",
                line_number(text, at)
            ));
        };
        let rest = line[equals + 1..].trim_start();
        let begin = at + line.len() - rest.len();
        let (raw, value, mut style) = value_of(rest.trim_end());
        // What is behind it is a comment to some, and a part of the value to others.
        if raw.len() < rest.trim_end().len() {
            style = Style::ReadOnly;
        }
        let data_type = match style {
            Style::Plain => type_of(&value),
            _ => type_of_text(&value),
        };
        let key = joined(&section, &line[..equals]);
        found.add(key.clone(), Scalar::new(value, data_type, begin..begin + raw.len(), style));
        before = Some((key, indent));
    }
    Ok(found.last())
}

fn is_name(name: &str) -> bool {
    let name = name.trim_end();
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// The part of a line that is the value, what it is, and how it stands there.
fn value_of(rest: &str) -> (&str, String, Style) {
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    if let Some(quote) = quote {
        let triple = "\"\"\"";
        let (open, read_only) =
            if rest.starts_with(triple) { (triple.to_owned(), true) } else { (quote.to_string(), quote == '`') };
        let closed = rest[open.len()..].find(&open).map(|at| at + open.len());
        if let Some(closed) = closed {
            let behind = rest[closed + open.len()..].trim_start();
            if behind.is_empty() || behind.starts_with([';', '#']) {
                let value = &rest[open.len()..closed];
                let style = if read_only || value.contains('\\') { Style::ReadOnly } else { Style::Quoted(quote) };
                return (&rest[..closed + open.len()], value.to_owned(), style);
            }
        }
    }
    let raw = rest[..comment_at(rest)].trim_end();
    // What some take for quotes or a comment is not written over.
    let style = if raw.contains(['"', '\'', '`', ';', '#', '\\']) { Style::ReadOnly } else { Style::Plain };
    (raw, raw.to_owned(), style)
}

/// Where a comment begins behind a value: only after a blank, so that `a#b` is a value.
fn comment_at(value: &str) -> usize {
    let begins = |(at, c): &(usize, char)| "#;".contains(*c) && (*at == 0 || value[..*at].ends_with([' ', '\t']));
    value.char_indices().find(begins).map_or(value.len(), |(at, _)| at)
}

pub(super) fn write(value: &str, style: Style, before: &str) -> Result<String, String> {
    // What some put another value in the place of, or read as a word of theirs.
    let is_word = |c: &char| "%$!(){}&|^~".contains(*c);
    if let Some(odd) = value.chars().find(is_word).filter(|_| !before.contains(|c: char| is_word(&c))) {
        return Err(format!("{value:?} has {odd:?}, which not everybody reads the same; write it in the file"));
    }
    let has = |odd: &str| value.contains(|c: char| odd.contains(c) || c.is_control());
    match style {
        Style::Quoted(quote) if !has("\"'`\\") => Ok(format!("{quote}{value}{quote}")),
        Style::Plain if value.trim() == value && !has(";#\"'`\\") => Ok(value.to_owned()),
        Style::ReadOnly => Err("what stands there is read in several ways; write it in the file".to_owned()),
        _ => Err(format!(
            "{value:?} cannot stand in an INI file so that everybody reads the same: it has a comment, quotes, a backslash, \
             or blanks around it"
        )),
    }
}
