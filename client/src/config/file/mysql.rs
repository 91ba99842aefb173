//! Option files of MySQL and MariaDB, as `my_print_defaults` reads them (`mysys/my_default.c`).
//!
//! A `#` outside quotes begins a comment, wherever it stands; a `;` only at the start of a line. A value in quotes of one kind is
//! what is between them. A backslash escapes `b t n r s \ " '`, also outside quotes, and stays before anything else.

use std::collections::HashMap;

use unum_proto::model::ConfigType;

use super::scalar::{Repeated, Scalar, Scalars, Style, joined, line_end, line_number, lines};

/// Bytes of a line that is read in one piece.
const LINE_BYTES_MAX: usize = 4094;

/// What may take the place of a number: another one, with a unit, or a truth.
fn is_number_or_truth(value: &str) -> bool {
    const TRUTHS: [&str; 4] = ["on", "off", "true", "false"];
    let digits = value.trim_end_matches(|c: char| "kmgtpeKMGTPE".contains(c));
    let is_number = value.len() - digits.len() <= 1 && digits.parse::<f64>().is_ok_and(f64::is_finite);
    is_number || TRUTHS.contains(&value.to_lowercase().as_str())
}

pub(super) fn parse(text: &str) -> Result<Scalars, String> {
    let mut found = Repeated::default();
    let mut names: HashMap<String, String> = HashMap::new();
    let mut group: Option<String> = None;
    let end = line_end(text);
    for (at, line) in lines(text) {
        let here = || format!("line {}", line_number(text, at));
        if line.len() > LINE_BYTES_MAX {
            return Err(format!("{} has more than {LINE_BYTES_MAX} bytes, and would be read in parts", here()));
        }
        let indent = line.len() - line.trim_start().len();
        let content = &line[indent..];
        if content.is_empty() || content.starts_with(';') {
            continue;
        }
        if let Some(comment) = content.strip_prefix('#') {
            if let (Some(group), Some((name, value))) = (&group, option(comment)) {
                let before = format!("{end}{name} = ");
                let default = decoded(value_of(comment, value));
                found.add(joined(group, name), Scalar::template(default, at + line.len(), (before, String::new())));
            }
            continue;
        }
        if content.starts_with('!') {
            continue;
        }
        if let Some(rest) = content.strip_prefix('[') {
            let name =
                rest.split_once(']').map(|(name, _)| name).ok_or_else(|| format!("{}: a group without ]", here()))?;
            group = Some(name.trim().to_owned());
            continue;
        }
        let group = group.as_ref().ok_or_else(|| format!("{}: an option before the first [group]", here()))?;
        let shown = &content[..end_of_value(content)];
        let scalar = match shown.find('=') {
            Some(equals) => {
                let value = value_of(shown, equals + 1..shown.len());
                let (from, raw) = (indent + (value.as_ptr() as usize - content.as_ptr() as usize), value);
                let style = quote_of(raw).map_or(Style::Plain, Style::Quoted);
                let value = decoded(raw);
                Scalar::new(value, ConfigType::Text, at + from..at + from + raw.len(), style)
            }
            None => {
                let behind = at + indent + shown.trim_end().len();
                let mut flag = Scalar::new("", ConfigType::Text, behind..behind, Style::Plain);
                "=".clone_into(&mut flag.around.0);
                flag
            }
        };
        let name = shown.split('=').next().unwrap_or_default().trim();
        let key = joined(group, name);
        // A hyphen is as good as an underscore.
        let key = names.entry(key.replace('-', "_")).or_insert(key).clone();
        found.add(key, scalar);
    }
    Ok(found.last())
}

/// Where the value's line ends, and a comment begins: quotes are seen from the start of the line.
fn end_of_value(line: &str) -> usize {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in line.char_indices() {
        if matches!(c, '\'' | '"') && !escaped {
            match quote {
                None => quote = Some(c),
                Some(open) if open == c => quote = None,
                Some(_) => {}
            }
        }
        if quote.is_none() && c == '#' {
            return at;
        }
        escaped = quote.is_some() && c == '\\' && !escaped;
    }
    line.len()
}

/// The part of a line that is the value, without the blanks around it.
fn value_of(line: &str, range: std::ops::Range<usize>) -> &str {
    line[range].trim()
}

/// A line behind its `#` that is an option: the name right behind it, and where its value is.
fn option(comment: &str) -> Option<(&str, std::ops::Range<usize>)> {
    let shown = &comment[..end_of_value(comment)];
    let (name, _) = shown.split_once('=')?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_name = is_name && name.trim_end().chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    is_name.then(|| (name.trim_end(), name.len() + 1..shown.len()))
}

fn quote_of(raw: &str) -> Option<char> {
    let first = raw.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    (raw.len() > 1 && raw.ends_with(first)).then_some(first)
}

fn decoded(raw: &str) -> String {
    let inner = if quote_of(raw).is_some() { &raw[1..raw.len() - 1] } else { raw };
    let mut value = String::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        let Some(next) = chars.peek().copied().filter(|_| c == '\\') else {
            value.push(c);
            continue;
        };
        chars.next();
        match next {
            'n' => value.push('\n'),
            't' => value.push('\t'),
            'r' => value.push('\r'),
            'b' => value.push('\u{8}'),
            's' => value.push(' '),
            '"' | '\'' | '\\' => value.push(next),
            other => value.extend(['\\', other]),
        }
    }
    value
}

pub(super) fn write(value: &str, style: Style, before: &str) -> Result<String, String> {
    if style == Style::Plain && before.parse::<f64>().is_ok() && !is_number_or_truth(value) {
        return Err(format!("it is a number in the file, and {value:?} is none; write it as 100, 16M or ON"));
    }
    // Beyond ASCII a byte may be a blank to the server.
    let is_odd = |c: char| matches!(c, '#' | '\'' | '"' | '\\') || c.is_control() || !c.is_ascii();
    let is_plain = !value.is_empty() && value.trim() == value && !value.contains(is_odd);
    let quote = match style {
        Style::Quoted(quote) => quote,
        _ if is_plain => return Ok(value.to_owned()),
        _ => '"',
    };
    let mut written = String::from(quote);
    for c in value.chars() {
        match c {
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            '\r' => written.push_str("\\r"),
            '\u{8}' => written.push_str("\\b"),
            '\\' | '"' | '\'' => written.extend(['\\', c]),
            c if c.is_control() => {
                return Err(format!("{value:?} has a character that cannot stand in an option file"));
            }
            c => written.push(c),
        }
    }
    written.push(quote);
    Ok(written)
}
