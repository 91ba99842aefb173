//! Files of lines of words, a name and what it is set to: `redis.conf` and `sshd_config`.
//!
//! A name may come several times: each is one of a list, `save[0]`. Of several words the value is all of them, as they are.

use std::collections::HashMap;

use unum_proto::model::ConfigType;

use super::scalar::{Repeated, Scalar, Scalars, Style, joined, line_end, line_number, lines, part};

/// Whose words they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `sdssplitargs` of Redis.
    Redis,
    /// `argv_split` of OpenSSH.
    Ssh,
}

/// Settings of Redis that take several words: what has blanks in it is several, and not one in quotes.
const SEVERAL: [&str; 14] = [
    "bind",
    "bind-source-addr",
    "client-output-buffer-limit",
    "latency-tracking-info-percentiles",
    "loadmodule",
    "notify-keyspace-events",
    "oom-score-adj-values",
    "rename-command",
    "replicaof",
    "save",
    "sentinel",
    "slaveof",
    "tls-protocols",
    "user",
];

/// Settings of OpenSSH that take one word, which may have blanks in quotes.
const SINGLE: [&str; 10] = [
    "authorizedprincipalsfile",
    "banner",
    "chrootdirectory",
    "hostcertificate",
    "hostkey",
    "moduli",
    "pidfile",
    "revokedkeys",
    "trustedusercakeys",
    "xauthlocation",
];

/// Settings of OpenSSH whose value is the rest of the line, quotes and all.
const REST: [&str; 6] =
    ["forcecommand", "knownhostscommand", "localcommand", "proxycommand", "remotecommand", "versionaddendum"];

/// One word of a line.
struct Word {
    /// Where it begins and ends in the line, quotes included.
    at: std::ops::Range<usize>,
    text: String,
    is_quoted: bool,
}

pub(super) fn parse(text: &str, kind: Kind) -> Result<Scalars, String> {
    let mut found = Repeated::default();
    // Of OpenSSH: what comes behind a Match holds for whom it names.
    let mut section = String::new();
    let mut sections: Vec<String> = Vec::new();
    let mut names: HashMap<String, String> = HashMap::new();
    let end = line_end(text);
    for (at, line) in lines(text) {
        let content = line.trim();
        let wrong = |why: &str| format!("line {}: {content:?} {why}", line_number(text, at));
        if content.is_empty() {
            continue;
        }
        if let Some(comment) = content.strip_prefix('#') {
            if let Some((name, value)) = (kind == Kind::Ssh).then(|| template(comment)).flatten() {
                let line_of = (format!("{end}{name} "), String::new());
                let key = joined(&section, name);
                let key = names.entry(key.to_lowercase()).or_insert(key).clone();
                let mut template = Scalar::template(value, at + line.len(), line_of);
                let is_single = SINGLE.contains(&name.to_lowercase().as_str());
                template.style = if is_single { Style::Plain } else { Style::Words };
                found.add(key, template);
            }
            continue;
        }
        let words = split(line, kind).ok_or_else(|| wrong("has quotes that are not closed"))?;
        let Some((name, values)) = words.split_first() else { continue };
        let (Some(first), Some(last)) = (values.first(), values.last()) else { return Err(wrong("is a name alone")) };
        let range = first.at.start..last.at.end;
        let raw = &line[range.clone()];
        if kind == Kind::Ssh && name.text.eq_ignore_ascii_case("match") {
            section = part(&format!("Match {raw}"));
            let same = sections.iter().filter(|other| **other == section).count();
            sections.push(section.clone());
            if same > 0 {
                section = format!("{section}[{same}]");
            }
            continue;
        }
        let lower = name.text.to_lowercase();
        let is_rest = kind == Kind::Ssh && REST.contains(&lower.as_str());
        let takes_one = match kind {
            Kind::Redis => !SEVERAL.contains(&lower.as_str()),
            Kind::Ssh => SINGLE.contains(&lower.as_str()),
        };
        let (range, value, style) = match values {
            _ if is_rest => {
                (first.at.start..line.trim_end().len(), line[first.at.start..].trim_end().to_owned(), Style::Words)
            }
            [one] if takes_one && one.is_quoted => (range, one.text.clone(), Style::Quoted('"')),
            [one] if takes_one => (range, one.text.clone(), Style::Plain),
            _ => (range, raw.to_owned(), Style::Words),
        };
        // The first spelling stands for all: their case does not count.
        let key = joined(&section, &if kind == Kind::Redis { lower } else { name.text.clone() });
        let key = names.entry(key.to_lowercase()).or_insert(key).clone();
        found.add(key, Scalar::new(value, ConfigType::Text, at + range.start..at + range.end, style));
    }
    Ok(found.numbered())
}

/// A setting that is commented out: `#Port 22`, and no sentence.
fn template(comment: &str) -> Option<(&str, &str)> {
    let (name, value) = comment.split_once([' ', '\t'])?;
    let is_name = name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric());
    let has_few_words = value.split_whitespace().count() <= 3;
    (is_name && has_few_words && !value.trim().is_empty()).then(|| (name, value.trim()))
}

/// The words of a line; none if quotes are not closed.
fn split(line: &str, kind: Kind) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = line.char_indices().peekable();
    loop {
        while rest.next_if(|(_, c)| c.is_ascii_whitespace()).is_some() {}
        // OpenSSH takes one = between a name and its value.
        if kind == Kind::Ssh && words.len() == 1 && rest.next_if(|(_, c)| *c == '=').is_some() {
            while rest.next_if(|(_, c)| c.is_ascii_whitespace()).is_some() {}
        }
        let Some(&(start, first)) = rest.peek() else { return Some(words) };
        if kind == Kind::Ssh && first == '#' {
            return Some(words);
        }
        let (mut text, mut quote, mut is_quoted, mut end) = (String::new(), None, false, line.len());
        while let Some(&(at, c)) = rest.peek() {
            let is_end =
                quote.is_none() && (c.is_ascii_whitespace() || (kind == Kind::Ssh && words.is_empty() && c == '='));
            if is_end {
                end = at;
                break;
            }
            rest.next();
            match (quote, c) {
                (None, '"' | '\'') => (quote, is_quoted) = (Some(c), true),
                (Some(open), c) if open == c => {
                    quote = None;
                    // Redis wants a blank behind it.
                    if kind == Kind::Redis && rest.peek().is_some_and(|(_, next)| !next.is_ascii_whitespace()) {
                        return None;
                    }
                }
                (_, '\\') => escaped(&mut text, &mut rest, kind, quote),
                (_, c) => text.push(c),
            }
        }
        if quote.is_some() {
            return None;
        }
        words.push(Word { at: start..end, text, is_quoted });
    }
}

/// What a backslash and what follows it are.
fn escaped(
    text: &mut String,
    rest: &mut std::iter::Peekable<std::str::CharIndices<'_>>,
    kind: Kind,
    quote: Option<char>,
) {
    let next = rest.peek().map(|(_, c)| *c);
    if (kind, quote, next) == (Kind::Redis, Some('"'), Some('x')) {
        let digits: String = rest.clone().skip(1).take(2).map(|(_, c)| c).collect();
        if let Some(byte) = u8::from_str_radix(&digits, 16).ok().filter(|byte| digits.len() == 2 && byte.is_ascii()) {
            for _ in 0..3 {
                rest.next();
            }
            return text.push(char::from(byte));
        }
    }
    let plain = match (kind, quote, next) {
        (Kind::Redis, Some('"'), Some('n')) => Some('\n'),
        (Kind::Redis, Some('"'), Some('r')) => Some('\r'),
        (Kind::Redis, Some('"'), Some('t')) => Some('\t'),
        (Kind::Redis, Some('"'), Some('b')) => Some('\u{8}'),
        (Kind::Redis, Some('"'), Some('a')) => Some('\u{7}'),
        (Kind::Redis, Some('"'), next) => next,
        (Kind::Redis, Some('\''), Some('\'')) => Some('\''),
        (Kind::Ssh, _, Some(next @ ('"' | '\'' | '\\'))) => Some(next),
        (Kind::Ssh, None, Some(' ')) => Some(' '),
        _ => None,
    };
    match plain {
        Some(c) => {
            rest.next();
            text.push(c);
        }
        None => text.push('\\'),
    }
}

pub(super) fn write(value: &str, style: Style, kind: Kind) -> Result<String, String> {
    let refused = || format!("{value:?} cannot stand in such a line");
    if value.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(refused());
    }
    if style == Style::Words {
        let words = split(value, kind).filter(|words| !words.is_empty()).ok_or_else(refused)?;
        let is_whole = words.last().is_some_and(|last| last.at.end == value.len()) && value.trim() == value;
        return if is_whole && !value.contains(['\n', '\r']) { Ok(value.to_owned()) } else { Err(refused()) };
    }
    let is_odd = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | '#' | '=');
    if style == Style::Plain && !value.is_empty() && !value.contains(is_odd) {
        return Ok(value.to_owned());
    }
    let mut written = String::from('"');
    for c in value.chars() {
        match (kind, c) {
            (_, '"' | '\\') => written.extend(['\\', c]),
            (Kind::Redis, '\n') => written.push_str("\\n"),
            (Kind::Redis, '\r') => written.push_str("\\r"),
            (Kind::Redis, '\t') => written.push_str("\\t"),
            (Kind::Ssh, '\n' | '\r') => return Err(refused()),
            (_, c) => written.push(c),
        }
    }
    written.push('"');
    Ok(written)
}
