//! `postgresql.conf`, as PostgreSQL reads it (`guc-file.l`): `name = value` or `name value`, comments behind `#`.
//!
//! A value is a word or a number with its unit, or stands in single quotes, where a quote is two and a backslash escapes. Names
//! are the same in any case, and of several the last counts.

use unum_proto::model::ConfigType;

use super::scalar::{Repeated, Scalar, Scalars, Style, line_end, line_number, lines};

/// What is no setting and begins as one does.
const INCLUDES: [&str; 3] = ["include", "include_dir", "include_if_exists"];

/// A setting in a line.
struct Setting<'a> {
    name: &'a str,
    /// Where its value begins in the line.
    at: usize,
    raw: &'a str,
}

pub(super) fn parse(text: &str) -> Result<Scalars, String> {
    let mut found = Repeated::default();
    let end = line_end(text);
    for (at, line) in lines(text) {
        let content = line.trim_start_matches(is_blank);
        let indent = line.len() - content.len();
        if content.is_empty() {
            continue;
        }
        if let Some(comment) = content.strip_prefix('#') {
            if let Some(setting) = setting(comment).filter(|setting| comment[setting.name.len()..].contains('=')) {
                let before = format!("{end}{} = ", setting.name);
                let default = decoded(setting.raw);
                let key = setting.name.to_lowercase();
                found.add(key, Scalar::template(default, at + line.len(), (before, String::new())));
            }
            continue;
        }
        let setting =
            setting(content).ok_or_else(|| format!("line {}: {content:?} is no setting", line_number(text, at)))?;
        let key = setting.name.to_lowercase();
        if INCLUDES.contains(&key.as_str()) {
            continue;
        }
        let begin = at + indent + setting.at;
        let style = if setting.raw.starts_with('\'') { Style::Quoted('\'') } else { Style::Plain };
        let value = decoded(setting.raw);
        // What a number may be instead, the server knows: 64MB, on.
        found.add(key, Scalar::new(value, ConfigType::Text, begin..begin + setting.raw.len(), style));
    }
    Ok(found.last())
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r')
}

fn setting(line: &str) -> Option<Setting<'_>> {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    let is_name = |c: char| is_letter(c) || c.is_ascii_digit() || matches!(c, '$' | '.');
    let name_end = line.find(|c| !is_name(c)).unwrap_or(line.len());
    let name = &line[..name_end];
    if !name.starts_with(is_letter) {
        return None;
    }
    let rest = line[name_end..].trim_start_matches(is_blank);
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start_matches(is_blank);
    let raw = &rest[..value_end(rest)?];
    let behind = rest[raw.len()..].trim_start_matches(is_blank);
    (behind.is_empty() || behind.starts_with('#')).then(|| Setting { name, at: line.len() - rest.len(), raw })
}

/// Where the value ends that the text begins with.
fn value_end(text: &str) -> Option<usize> {
    let Some(quoted) = text.strip_prefix('\'') else {
        let end = text.find(|c: char| is_blank(c) || c == '#').unwrap_or(text.len());
        return is_word(&text[..end]).then_some(end);
    };
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()?),
            '\'' if chars.peek().is_some_and(|(_, next)| *next == '\'') => drop(chars.next()),
            '\'' => return Some(at + 2),
            _ => {}
        }
    }
    None
}

/// What stands without quotes, as `guc-file.l` has it: a word, a whole number with a unit, or a number with a point.
fn is_word(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    let is_text = text.starts_with(is_letter)
        && text.chars().all(|c| is_letter(c) || c.is_ascii_digit() || matches!(c, '-' | '.' | ':' | '/'));
    // Two names and a point are a name, and no value.
    let is_name = |part: &str| part.starts_with(is_letter) && part.chars().all(|c| is_letter(c) || c.is_ascii_digit());
    let is_qualified = text.split_once('.').is_some_and(|(schema, name)| is_name(schema) && is_name(name));
    (is_text && !is_qualified) || is_number(text)
}

fn is_number(text: &str) -> bool {
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let number = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(hex) = number.strip_prefix("0x") {
        return hex.starts_with(|c: char| c.is_ascii_hexdigit()) && hex.chars().all(|c| c.is_ascii_alphanumeric());
    }
    let Some((whole, fraction)) = number.split_once('.') else {
        let unit = number.trim_start_matches(|c: char| c.is_ascii_digit());
        return unit.len() < number.len() && unit.chars().all(|c| c.is_ascii_alphabetic());
    };
    let (fraction, exponent) = fraction.split_once(['e', 'E']).unwrap_or((fraction, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    digits(whole) && digits(fraction) && !exponent.is_empty() && digits(exponent) && whole.len() + fraction.len() > 0
}

fn decoded(raw: &str) -> String {
    let Some(inner) = raw.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) else { return raw.to_owned() };
    let mut value = Vec::with_capacity(inner.len());
    let bytes = inner.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => {
                at += 1;
                let digits = bytes[at..].iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
                let escaped = match bytes.get(at).copied().unwrap_or(b'\\') {
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'0'..=b'7' => {
                        let octal =
                            bytes[at..at + digits].iter().fold(0u32, |sum, digit| sum * 8 + u32::from(digit - b'0'));
                        at += digits - 1;
                        (octal & 0xff) as u8
                    }
                    other => other,
                };
                value.push(escaped);
            }
            b'\'' => {
                at += 1;
                value.push(b'\'');
            }
            byte => value.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&value).into_owned()
}

pub(super) fn write(value: &str, style: Style) -> Result<String, String> {
    if style == Style::Plain && is_word(value) && (is_number(value) || !value.contains('.')) {
        return Ok(value.to_owned());
    }
    let mut written = String::from('\'');
    for c in value.chars() {
        match c {
            '\'' => written.push_str("''"),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push('\t'),
            c if c.is_control() => {
                return Err(format!("{value:?} has a character that cannot stand in postgresql.conf"));
            }
            c => written.push(c),
        }
    }
    written.push('\'');
    Ok(written)
}
