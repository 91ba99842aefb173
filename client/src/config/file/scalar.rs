//! The settings of a configuration file: what they are, and where.

use std::collections::BTreeMap;
use std::ops::Range;

use unum_proto::model::ConfigType;

/// A setting of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scalar {
    /// None of one that is not set: a line that is commented out, a null.
    pub(super) value: Option<String>,
    /// What a line that is commented out says.
    pub(super) default: Option<String>,
    pub(super) data_type: ConfigType,
    /// The bytes in the text that another value takes the place of, quotes included.
    pub(super) at: Range<usize>,
    /// What has to stand before another value, and behind it.
    pub(super) around: (String, String),
    pub(super) style: Style,
}

/// How a value stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// As it is.
    Plain,
    /// In quotes of this kind.
    Quoted(char),
    /// Several words, as they are.
    Words,
    /// In a way that can be read, and not be written.
    ReadOnly,
}

impl Scalar {
    /// One that stands there.
    pub(super) fn new(value: impl Into<String>, data_type: ConfigType, at: Range<usize>, style: Style) -> Self {
        let around = Default::default();
        Self { value: Some(value.into()), default: None, data_type, at, around, style }
    }

    /// One that is commented out: a line of its own comes behind the comment.
    pub(super) fn template(default: impl Into<String>, behind: usize, line: (String, String)) -> Self {
        let (data_type, style) = (ConfigType::Text, Style::Plain);
        Self { value: None, default: Some(default.into()), data_type, at: behind..behind, around: line, style }
    }
}

/// By key.
pub(super) type Scalars = BTreeMap<String, Scalar>;

/// A type for a text that is not quoted.
pub(super) fn type_of(text: &str) -> ConfigType {
    match text {
        "true" | "false" => ConfigType::Boolean,
        _ if text.parse::<i64>().is_ok() => ConfigType::Integer,
        _ if text.parse::<f64>().is_ok_and(f64::is_finite) => ConfigType::Number,
        _ => type_of_text(text),
    }
}

/// A type for a text: a time or a size, where it can be nothing else.
pub(super) fn type_of_text(text: &str) -> ConfigType {
    let begins = text.starts_with(|c: char| c.is_ascii_digit());
    let has_unit = text.len() > 1 && text.ends_with(|c: char| c.is_ascii_alphabetic());
    let is = |data_type: &ConfigType| begins && has_unit && data_type.check(text).is_ok();
    // A size of one letter may be anything: 5m is a time.
    let is_size = || text.ends_with(['B', 'b']) && text.len() > 2;
    match () {
        () if is(&ConfigType::Duration) => ConfigType::Duration,
        () if is_size() && is(&ConfigType::Size) => ConfigType::Size,
        () => ConfigType::Text,
    }
}

/// A name as a part of a key, which has no blanks in it.
pub(super) fn part(name: &str) -> String {
    name.trim().chars().map(|c| if c.is_whitespace() || c.is_control() { '_' } else { c }).collect()
}

/// A key in a section.
pub(super) fn joined(section: &str, key: &str) -> String {
    if section.is_empty() { part(key) } else { format!("{section}.{}", part(key)) }
}

/// Settings in the order of the text. Of a format in which a name may come several times, and each counts.
#[derive(Debug, Default)]
pub(super) struct Repeated {
    found: Vec<(String, Scalar)>,
    templates: Vec<(String, Scalar)>,
}

impl Repeated {
    pub(super) fn add(&mut self, key: String, scalar: Scalar) {
        match scalar.value {
            Some(_) => self.found.push((key, scalar)),
            None => self.templates.push((key, scalar)),
        }
    }

    /// The last setting of that name goes on: it is all of it, and cannot be set.
    pub(super) fn read_only(&mut self, key: &str, more: &str) {
        if let Some((_, scalar)) = self.found.iter_mut().rev().find(|(found, _)| found == key) {
            scalar.style = Style::ReadOnly;
            scalar.data_type = ConfigType::Text;
            let value = scalar.value.get_or_insert_default();
            value.push('\n');
            value.push_str(more);
        }
    }

    /// Each under its name; those that share one under `name[0]`, `name[1]` …
    pub(super) fn numbered(self) -> Scalars {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (key, _) in &self.found {
            *counts.entry(key.clone()).or_default() += 1;
        }
        let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
        let mut scalars = Scalars::new();
        for (key, scalar) in &self.found {
            let number = taken.entry(key).or_default();
            let name = if counts[key] > 1 { format!("{key}[{number}]") } else { key.clone() };
            *number += 1;
            scalars.insert(name, scalar.clone());
        }
        for (key, template) in self.templates {
            if !counts.contains_key(&key) {
                scalars.entry(key).or_insert(template);
            }
        }
        scalars
    }

    /// Each under its name; of those that share one the last.
    pub(super) fn last(self) -> Scalars {
        let mut scalars: Scalars = self.found.into_iter().collect();
        for (key, template) in self.templates {
            scalars.entry(key).or_insert(template);
        }
        scalars
    }
}

/// The lines of a text, each with where it begins, without its end.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |next, line| {
        let at = *next;
        *next += line.len();
        Some((at, line.trim_end_matches(['\n', '\r'])))
    })
}

/// How the lines of a text end.
pub(super) fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// A place in a text, for people.
pub(super) fn line_number(text: &str, at: usize) -> usize {
    text[..at.min(text.len())].matches('\n').count() + 1
}
