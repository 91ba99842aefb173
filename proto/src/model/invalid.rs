//! The one error of validation.

/// Input that is not what it has to be: names the offending value and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {remedy}")]
pub struct Invalid {
    /// What is wrong, with the value.
    pub what: String,
    /// What the caller can do about it.
    pub remedy: String,
}

impl Invalid {
    /// An error from its two halves, both lower case and without a full stop.
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }
}

/// At most `max` of something, or an error that names both numbers. What it is is made to text only then.
pub(super) fn at_most(what: impl std::fmt::Display, count: usize, max: usize, unit: &str) -> Result<(), Invalid> {
    if count <= max {
        return Ok(());
    }
    Err(Invalid::new(format!("{what} has {count} {unit}"), format!("the limit is {max}")))
}

/// The start of a value that is quoted in an error, so that a huge one does not fill the message.
pub(super) fn quoted(value: &str) -> String {
    const CHARS_MAX: usize = 80;
    let mut short: String = value.chars().take(CHARS_MAX).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    format!("{short:?}")
}
