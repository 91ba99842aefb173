//! YAML. Elements of lists have their number in their names, `a[0].b`, and so have documents of a file of several: `[1].kind`.
//!
//! A value keeps its type, for readers of YAML 1.1 and of 1.2: `yes` becomes `no` and not `false`, a text that would be something else
//! to either of them is quoted, and what only one of them takes for a number is left alone.

use std::str::FromStr;
use std::sync::LazyLock;

use regex::Regex;
use unum_proto::model::ConfigType;
use unum_proto::model::config::parse_boolean;
use yaml_edit::{Mapping, YamlFile, YamlNode};

use super::scalar::{Scalar, Scalars, Style, joined, type_of_text};

/// What a plain scalar is to a reader of YAML 1.1, which knows more types than one of 1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Text,
    Boolean,
    Integer,
    Number,
    Null,
    Date,
    Time,
    Octal,
    Hexadecimal,
    Binary,
    Base60,
    /// With underscores.
    Long,
    Special,
    /// A number to one reader and a text to another.
    Unclear,
}

fn tag(plain: &str) -> Tag {
    static TAGS: LazyLock<[(Tag, Regex); 14]> = LazyLock::new(|| {
        let of = |text: &str| Regex::new(text).expect("a legal expression");
        [
            (Tag::Boolean, of("^(?i:yes|no|true|false|on|off)$")),
            (Tag::Null, of("^(~|null|Null|NULL|)$")),
            (Tag::Integer, of(r"^[-+]?(0|[1-9][0-9]*)$")),
            (Tag::Number, of(r"^[-+]?[0-9]+\.[0-9]*([eE][-+][0-9]+)?$")),
            (Tag::Date, of(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")),
            (Tag::Time, of(r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?$")),
            (Tag::Octal, of(r"^[-+]?0[0-7]+$")),
            (Tag::Hexadecimal, of(r"^[-+]?0x[0-9a-fA-F]+$")),
            (Tag::Binary, of(r"^[-+]?0b[01]+$")),
            (Tag::Base60, of(r"^[-+]?[1-9][0-9]*(:[0-5]?[0-9])+$")),
            (Tag::Long, of(r"^[-+]?[1-9][0-9_]*$")),
            (Tag::Special, of(r"^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$")),
            (
                Tag::Unclear,
                of(
                    r"^[-+]?(0[xX][0-9a-fA-F_]*|0[oO][0-7_]*|0[bB][01_]*|[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9_]*)?|\.[0-9_]+([eE][-+]?[0-9_]*)?|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)$",
                ),
            ),
            (Tag::Unclear, of("^(y|Y|n|N|=|<<)$")),
        ]
    });
    TAGS.iter().find(|(_, of)| of.is_match(plain)).map_or(Tag::Text, |(tag, _)| *tag)
}

/// Whether the node that begins there has an anchor or a tag before it.
fn is_marked(text: &str, at: usize) -> bool {
    let mut before = text.get(..at).unwrap_or_default().trim_end();
    loop {
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = &before[start..];
        let comment = if line.trim_start().starts_with('#') { Some(0) } else { line.find(" #") };
        match comment {
            Some(comment) => before = before[..start + comment].trim_end(),
            None => break,
        }
    }
    before.rsplit(char::is_whitespace).next().is_some_and(|word| word.starts_with(['&', '!']))
}

pub(super) fn parse(text: &str) -> Result<Scalars, String> {
    let file = YamlFile::from_str(text).map_err(|e| e.to_string())?;
    let documents: Vec<_> = file.documents().collect();
    let mut scalars = Scalars::new();
    for (number, document) in documents.iter().enumerate() {
        let prefix = if documents.len() > 1 { format!("[{number}]") } else { String::new() };
        if let Some(mapping) = document.as_mapping() {
            collect(&prefix, &mapping, text, false, &mut scalars);
        } else if let Some(sequence) = document.as_sequence() {
            for (number, value) in sequence.values().enumerate() {
                add(format!("{prefix}[{number}]"), &value, text, false, &mut scalars);
            }
        }
    }
    Ok(scalars)
}

fn collect(prefix: &str, mapping: &Mapping, text: &str, is_shared: bool, scalars: &mut Scalars) {
    for (key, value) in mapping.iter() {
        let YamlNode::Scalar(key) = key else { continue };
        add(joined(prefix, &key.as_string()), &value, text, is_shared, scalars);
    }
}

/// What is behind an anchor is in other places, too.
fn add(name: String, value: &YamlNode, text: &str, is_shared: bool, scalars: &mut Scalars) {
    let range = value.byte_range();
    let at = range.start as usize..range.end as usize;
    let is_shared = is_shared || is_marked(text, at.start);
    let raw = text.get(at.clone()).unwrap_or_default();
    let mut scalar = match value {
        YamlNode::Mapping(mapping) => return collect(&name, mapping, text, is_shared, scalars),
        YamlNode::Sequence(sequence) => {
            for (number, value) in sequence.values().enumerate() {
                add(format!("{name}[{number}]"), &value, text, is_shared, scalars);
            }
            return;
        }
        YamlNode::Scalar(scalar) => of_scalar(scalar.as_string(), raw, at),
        YamlNode::Alias(_) | YamlNode::TaggedNode(_) => Scalar::new(raw.trim(), ConfigType::Text, at, Style::ReadOnly),
    };
    if is_shared {
        scalar.style = Style::ReadOnly;
    }
    scalars.insert(name, scalar);
}

fn of_scalar(value: String, raw: &str, at: std::ops::Range<usize>) -> Scalar {
    match raw.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let data_type = type_of_text(&value);
            Scalar::new(value, data_type, at, Style::Quoted(quote))
        }
        // Blocks of lines, anchors, tags.
        Some('|' | '>' | '&' | '!' | '*') => Scalar::new(value, ConfigType::Text, at, Style::ReadOnly),
        _ => {
            let (data_type, style) = match tag(raw) {
                Tag::Boolean => (ConfigType::Boolean, Style::Plain),
                Tag::Integer => (ConfigType::Integer, Style::Plain),
                Tag::Number => (ConfigType::Number, Style::Plain),
                Tag::Text if !raw.contains('\n') => (type_of_text(&value), Style::Plain),
                Tag::Text | Tag::Unclear => (ConfigType::Text, Style::ReadOnly),
                Tag::Null => {
                    let mut null = Scalar::new("", ConfigType::Text, at, Style::Plain);
                    null.value = None;
                    // Behind a colon that nothing follows.
                    if raw.is_empty() {
                        " ".clone_into(&mut null.around.0);
                    }
                    return null;
                }
                _ => (ConfigType::Text, Style::Words),
            };
            Scalar::new(value, data_type, at, style)
        }
    }
}

/// The value in the place of `raw`.
pub(super) fn write(value: &str, scalar: &Scalar, raw: &str) -> Result<String, String> {
    let same_type = || tag(value) == tag(raw);
    match (scalar.style, &scalar.data_type) {
        (Style::ReadOnly, _) => {
            Err("what stands there has lines, an anchor, a tag, or two meanings; write it in the file".into())
        }
        (Style::Words, _) if same_type() && is_date(value) => Ok(value.to_owned()),
        (Style::Words, _) => {
            Err(format!("{raw} is a number or a time in a form of its own, and {value:?} is none in it"))
        }
        (Style::Plain, ConfigType::Boolean) => boolean(value, raw),
        (Style::Plain, ConfigType::Integer) => {
            let number: i128 = value.parse().map_err(|_| format!("{value:?} is no whole number"))?;
            Ok(number.to_string())
        }
        (Style::Plain, ConfigType::Number) => number(value),
        // Nothing says what a null would be: what looks like something is that.
        (Style::Plain, _)
            if scalar.value.is_none() && matches!(tag(value), Tag::Boolean | Tag::Integer | Tag::Number) =>
        {
            Ok(value.to_owned())
        }
        (Style::Plain, _) if is_plain(value) => Ok(value.to_owned()),
        (Style::Quoted('"'), _) => quoted(value),
        _ if value.contains(is_unprintable) => quoted(value),
        _ => Ok(format!("'{}'", value.replace('\'', "''"))),
    }
}

/// Whether a date is one that there is; anything else is.
fn is_date(value: &str) -> bool {
    !matches!(tag(value), Tag::Date | Tag::Time)
        || value.get(..10).is_some_and(|day| day.parse::<chrono::NaiveDate>().is_ok())
}

/// What a reader may not take as it is, or take for the end of a line.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn quoted(value: &str) -> Result<String, String> {
    let written = serde_json::to_string(value).map_err(|e| e.to_string())?;
    let mut escaped = String::with_capacity(written.len());
    for c in written.chars() {
        match c {
            c if is_unprintable(c) => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    Ok(escaped)
}

/// In the words of the value before: on and off, Yes and No.
fn boolean(value: &str, raw: &str) -> Result<String, String> {
    const WORDS: [[&str; 2]; 3] = [["true", "false"], ["yes", "no"], ["on", "off"]];
    let truth = parse_boolean(value).ok_or_else(|| format!("{value:?} is neither true nor false"))?;
    let words = WORDS.iter().find(|words| words.contains(&raw.to_lowercase().as_str())).unwrap_or(&WORDS[0]);
    let word = words[usize::from(!truth)];
    let is_upper = |at: usize| raw.chars().nth(at).is_some_and(char::is_uppercase);
    Ok(match (is_upper(0), is_upper(1)) {
        (true, true) => word.to_uppercase(),
        (true, false) => word[..1].to_uppercase() + &word[1..],
        _ => word.to_owned(),
    })
}

/// With a point, and a sign in the exponent: so it is a number to all.
fn number(value: &str) -> Result<String, String> {
    let number: f64 = value.parse().map_err(|_| format!("{value:?} is no number"))?;
    if tag(value) == Tag::Number {
        return Ok(value.to_owned());
    }
    let plain = format!("{number:?}");
    match plain.split_once('e') {
        Some((digits, exponent)) => {
            let point = if digits.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            Ok(format!("{digits}{point}e{sign}{exponent}"))
        }
        None => Ok(plain),
    }
}

/// Whether a text is itself without quotes, wherever it stands and whoever reads it.
fn is_plain(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
        && value.chars().all(|c| c.is_ascii_alphanumeric() || "_./+-@%".contains(c))
        && tag(value) == Tag::Text
        && !value.ends_with('%')
}
