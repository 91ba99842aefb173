//! Paths into JSON, as MySQL writes them: `$.a."b c"[0]`, `$[last-1]`, `$[1 to 3]`, `$.*`, `$[*]`, `$**.a`.

use std::collections::HashSet;

use crate::sql::mysql::functions::json::value::{Json, Key, quoted};

/// The place of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// From the first, which is 0.
    First(usize),
    /// From the last, which is 0.
    Last(usize),
}

impl Index {
    /// The place in an array of that length; none in front of the first.
    pub fn of(self, length: usize) -> Option<usize> {
        match self {
            Self::First(index) => Some(index),
            Self::Last(back) => length.checked_sub(1)?.checked_sub(back),
        }
    }
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `.key`
    Key(Key),
    /// `[3]`
    Index(Index),
    /// `[1 to last]`
    Range(Index, Index),
    /// `.*`
    AllKeys,
    /// `[*]`
    AllIndexes,
    /// `**`
    AllBelow,
}

/// A path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Its steps from the document on.
    pub steps: Vec<Step>,
}

impl Path {
    /// The path of a text, or the character at which it is none.
    pub fn parse(text: &str) -> Result<Self, usize> {
        let mut rest = text.trim_start();
        let at = |rest: &str| text.get(..text.len() - rest.len()).map_or(0, |read| read.chars().count());
        rest = rest.strip_prefix('$').ok_or_else(|| at(rest).max(1))?;
        let mut steps = Vec::new();
        loop {
            rest = rest.trim_start();
            if rest.is_empty() {
                break;
            }
            let (step, after) = parse_step(rest).ok_or_else(|| at(rest) + 1)?;
            steps.push(step);
            rest = after;
        }
        // Everything below says nothing of what is wanted there.
        if steps.last() == Some(&Step::AllBelow) { Err(at(rest)) } else { Ok(Self { steps }) }
    }

    /// Whether it can lead to several places.
    pub fn is_many(&self) -> bool {
        self.steps.iter().any(|step| !matches!(step, Step::Key(_) | Step::Index(_)))
    }

    /// The values at the path, each once, in the document's order.
    pub fn select<'a>(&self, document: &'a Json) -> Vec<&'a Json> {
        let mut found = vec![document];
        let mut several_ways = false;
        for step in &self.steps {
            let mut next = Vec::new();
            found.iter().for_each(|value| take_step(value, step, &mut next));
            several_ways |= *step == Step::AllBelow;
            if several_ways {
                // What several ways lead to is found once, or many such steps would take forever.
                let mut seen = HashSet::new();
                next.retain(|value| seen.insert(std::ptr::from_ref::<Json>(value)));
            }
            found = next;
        }
        found
    }
}

fn parse_step(rest: &str) -> Option<(Step, &str)> {
    if let Some(after) = rest.strip_prefix("**") {
        return Some((Step::AllBelow, after));
    }
    if let Some(member) = rest.strip_prefix('.') {
        let member = member.trim_start();
        if let Some(after) = member.strip_prefix('*') {
            return Some((Step::AllKeys, after));
        }
        let (key, after) = if member.starts_with('"') { quoted_key(member)? } else { plain_key(member)? };
        return Some((Step::Key(Key(key)), after));
    }
    let (inner, after) = rest.strip_prefix('[')?.split_once(']')?;
    let inner = inner.trim();
    let step = match inner.split_once(" to ") {
        _ if inner == "*" => Step::AllIndexes,
        Some((from, to)) => {
            let (from, to) = (parse_index(from)?, parse_index(to)?);
            // Both from the same end, the wrong way round, is no range.
            let backwards = match (from, to) {
                (Index::First(from), Index::First(to)) => from > to,
                (Index::Last(from), Index::Last(to)) => from < to,
                _ => false,
            };
            (!backwards).then_some(Step::Range(from, to))?
        }
        None => Step::Index(parse_index(inner)?),
    };
    Some((step, after))
}

fn parse_index(text: &str) -> Option<Index> {
    let number = |text: &str| {
        let text = text.trim();
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<u32>().ok())?
    };
    match text.trim().strip_prefix("last") {
        Some("") => Some(Index::Last(0)),
        Some(back) => Some(Index::Last(number(back.trim().strip_prefix('-')?)? as usize)),
        None => Some(Index::First(number(text)? as usize)),
    }
}

/// A key in quotes, read as a JSON string.
fn quoted_key(text: &str) -> Option<(String, &str)> {
    let mut escaped = false;
    let inner = text.get(1..)?;
    let end = inner.char_indices().find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    })?;
    let length = end.0 + 2;
    match Json::parse(text.get(..length)?).ok()? {
        Json::Text(key) => Some((key, text.get(length..)?)),
        _ => None,
    }
}

/// A name of ECMAScript.
fn plain_key(text: &str) -> Option<(String, &str)> {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '.' | '[' | '*')).unwrap_or(text.len());
    let (key, after) = (text.get(..end)?, text.get(end..)?);
    is_name(key).then(|| (key.to_owned(), after))
}

/// Whether a key needs no quotes.
fn is_name(key: &str) -> bool {
    let mut characters = key.chars();
    let begins = characters.next().is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '$'));
    begins && characters.all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '\u{200c}' | '\u{200d}'))
}

/// A key as a step of a path is written.
pub fn key_text(key: &str) -> String {
    if is_name(key) { format!(".{key}") } else { format!(".{}", quoted(key)) }
}

/// The values that one step leads to.
fn take_step<'a>(value: &'a Json, step: &Step, found: &mut Vec<&'a Json>) {
    match (step, value) {
        (Step::Key(key), Json::Object(members)) => found.extend(members.get(key)),
        (Step::Index(index), Json::Array(items)) => found.extend(index.of(items.len()).and_then(|at| items.get(at))),
        // MySQL takes what is no array for one of one element.
        (Step::Index(Index::First(0) | Index::Last(0)), scalar) => found.push(scalar),
        (Step::Range(from, to), Json::Array(items)) => {
            let length = items.len();
            let (from, to) = (from.of(length).unwrap_or(0), to.of(length).map_or(0, |to| to.saturating_add(1)));
            found.extend(items.iter().take(to).skip(from));
        }
        (Step::Range(from, to), scalar) if from.of(1).unwrap_or(0) == 0 && to.of(1).is_some() => found.push(scalar),
        (Step::AllKeys, Json::Object(members)) => found.extend(members.values()),
        (Step::AllIndexes, Json::Array(items)) => found.extend(items),
        (Step::AllBelow, value) => {
            found.push(value);
            match value {
                Json::Array(items) => items.iter().for_each(|item| take_step(item, step, found)),
                Json::Object(members) => members.values().for_each(|member| take_step(member, step, found)),
                _ => {}
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_mysqls() {
        let key = |key: &str| Step::Key(Key(key.to_owned()));
        for (path, expected) in [
            ("$", Some(vec![])),
            ("$.a.b[2]", Some(vec![key("a"), key("b"), Step::Index(Index::First(2))])),
            ("$.\"a.b\"[*].*", Some(vec![key("a.b"), Step::AllIndexes, Step::AllKeys])),
            ("$[last]", Some(vec![Step::Index(Index::Last(0))])),
            ("$[last - 2]", Some(vec![Step::Index(Index::Last(2))])),
            ("$[1 to last]", Some(vec![Step::Range(Index::First(1), Index::Last(0))])),
            ("$**.a", Some(vec![Step::AllBelow, key("a")])),
            (" $ . a [ 0 ]", Some(vec![key("a"), Step::Index(Index::First(0))])),
            ("$.\"a\\\"b\"", Some(vec![key("a\"b")])),
            ("a", None),
            ("", None),
            ("$.", None),
            ("$a", None),
            ("$.1a", None),
            ("$[x]", None),
            ("$[-1]", None),
            ("$[3 to 1]", None),
            ("$**", None),
            ("$.\"open", None),
        ] {
            assert_eq!(Path::parse(path).ok().map(|path| path.steps), expected, "{path}");
        }
    }
}
