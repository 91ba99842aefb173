//! Unit files and other configuration of systemd: `[Section]`, `Key=Value`, comments in lines of their own.
//!
//! A line that ends with a backslash goes on in the next. A key may come several times: each is one of a list, `Key[0]`.

use unum_proto::model::ConfigType;

use super::scalar::{Repeated, Scalar, Scalars, Style, joined, line_end, line_number, lines};

pub(super) fn parse(text: &str) -> Result<Scalars, String> {
    let mut found = Repeated::default();
    let mut section: Option<String> = None;
    let end = line_end(text);
    let mut lines = lines(text).peekable();
    while let Some((at, line)) = lines.next() {
        let content = line.trim();
        if content.is_empty() {
            continue;
        }
        if let Some(comment) = content.strip_prefix(['#', ';']) {
            if let (Some(section), Some((name, value))) = (&section, comment.split_once('='))
                && is_name(name)
            {
                let template =
                    Scalar::template(value.trim(), at + line.len(), (format!("{end}{name}="), String::new()));
                found.add(joined(section, name), template);
            }
            continue;
        }
        if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = Some(name.to_owned());
            continue;
        }
        let here = || format!("line {}: {content:?}", line_number(text, at));
        let section = section.as_ref().ok_or_else(|| format!("{} stands before the first [Section]", here()))?;
        let equals = line.find('=').ok_or_else(|| format!("{} is no Key=Value", here()))?;
        let raw = line[equals + 1..].trim_start();
        let begin = at + line.len() - raw.len();
        let mut finish = begin + raw.trim_end().len();
        let mut value = raw.to_owned();
        while goes_on(&value) {
            value.pop();
            let Some((next_at, next)) = lines.next() else { break };
            // A comment between such lines is none of them.
            if next.trim_start().starts_with(['#', ';']) {
                value.push('\\');
                continue;
            }
            value.push(' ');
            value.push_str(next.trim_start());
            finish = next_at + next.trim_end().len();
        }
        let value = value.trim_end().to_owned();
        // A time may be infinity, and a number a percent.
        let scalar = Scalar::new(value, ConfigType::Text, begin..finish, Style::Plain);
        found.add(joined(section, line[..equals].trim()), scalar);
    }
    Ok(found.numbered())
}

/// Whether the next line belongs to this one: two backslashes at its end are one that is meant.
fn goes_on(value: &str) -> bool {
    value.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

pub(super) fn write(value: &str) -> Result<String, String> {
    match value.trim() == value && !value.contains(|c: char| c.is_control() && c != '\t') && !value.ends_with('\\') {
        true => Ok(value.to_owned()),
        false => Err(format!(
            "{value:?} cannot stand in such a line: it has a line break, or blanks or a backslash at its end"
        )),
    }
}
