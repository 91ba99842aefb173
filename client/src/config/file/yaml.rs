//! YAML. Lists, anchors and tagged values cannot be set.

use std::str::FromStr;

use unum_proto::model::ConfigType;
use unum_proto::model::config::parse_boolean;
use yaml_edit::{Document, Mapping, YamlNode};

use super::scalar::{Scalar, Scalars, type_of};

pub(super) fn parse(text: &str) -> Result<Scalars, String> {
    let document = Document::from_str(text).map_err(|e| e.to_string())?;
    let mut scalars = Scalars::new();
    if let Some(mapping) = document.as_mapping() {
        collect("", &mapping, text, &mut scalars);
    }
    Ok(scalars)
}

fn collect(prefix: &str, mapping: &Mapping, text: &str, scalars: &mut Scalars) {
    for (key, value) in mapping.iter() {
        let YamlNode::Scalar(key) = key else { continue };
        let key = key.as_string();
        let name = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match &value {
            YamlNode::Mapping(mapping) => collect(&name, mapping, text, scalars),
            YamlNode::Scalar(scalar) => {
                let range = value.byte_range();
                let at = range.start as usize..range.end as usize;
                let written = text.get(at.clone()).unwrap_or_default();
                let quoted = written.starts_with(['"', '\'']);
                let value = scalar.as_string();
                let data_type = if quoted { ConfigType::Text } else { type_of(&value) };
                scalars.insert(name, Scalar { value, data_type, at });
            }
            _ => {}
        }
    }
}

/// Plain where that means the same, or in single quotes.
pub(super) fn write(value: &str, data_type: &ConfigType) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./+-".contains(c);
    match data_type {
        ConfigType::Boolean => parse_boolean(value).map_or_else(|| value.to_owned(), |truth| truth.to_string()),
        ConfigType::Integer | ConfigType::Number => value.to_owned(),
        _ if !value.is_empty()
            && value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
            && value.chars().all(plain)
            && parse_boolean(value).is_none()
            && !value.eq_ignore_ascii_case("null") =>
        {
            value.to_owned()
        }
        _ if value.contains(['\n', '\t', '\r']) => format!("{value:?}"),
        _ => format!("'{}'", value.replace('\'', "''")),
    }
}
