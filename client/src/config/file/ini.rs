//! INI, as MySQL and many others write it: `[section]`, `key = value`, and comments behind `;` or `#`.
//!
//! Everything is text to it; what looks like a number or a truth is shown as one.

use super::scalar::{Scalar, Scalars, type_of};

pub(super) fn parse(text: &str) -> Scalars {
    let mut scalars = Scalars::new();
    let mut section = String::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            name.trim().clone_into(&mut section);
        } else if !trimmed.starts_with([';', '#'])
            && let Some((key, rest)) = line.split_once('=')
        {
            let key = key.trim();
            let name = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
            let begin = line.len() - rest.trim_start_matches([' ', '\t']).len();
            let value = line[begin..].trim_end();
            let value = value[..comment_at(value)].trim_end();
            let at = start + begin..start + begin + value.len();
            // The last one of a name counts, as in MySQL.
            scalars.insert(name, Scalar { value: value.to_owned(), data_type: type_of(value), at });
        }
        start += line.len();
    }
    scalars
}

/// Where a comment begins behind a value: only after a space, so that `a#b` is a value.
fn comment_at(value: &str) -> usize {
    let begins = |(at, c): &(usize, char)| "#;".contains(*c) && (*at == 0 || value[..*at].ends_with([' ', '\t']));
    value.char_indices().find(begins).map_or(value.len(), |(at, _)| at)
}

pub(super) fn write(value: &str) -> Result<String, String> {
    let fits = value.trim() == value && !value.contains(['\n', '\r']) && comment_at(value) == value.len();
    match fits {
        true => Ok(value.to_owned()),
        false => {
            Err(format!("{value:?} cannot stand in an INI file: it has a line break, a comment, or spaces around it"))
        }
    }
}
