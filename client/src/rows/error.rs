//! Errors about a place in a text.

use unum_proto::model::Invalid;

/// An error that begins with its line.
pub(super) fn at(line: u64, what: impl std::fmt::Display, remedy: impl Into<String>) -> Invalid {
    Invalid::new(format!("line {line}: {what}"), remedy)
}

/// The start of a value that is quoted in an error, so that a huge one does not fill the message.
pub(super) fn quoted(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    let mut short: String = text.chars().take(CHARS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}
