//! What is shown of a statement to others than its author.

/// The text of a statement, as process list, slow log and summaries show it.
///
/// It begins as [`StatementText::Unclassified`], of which nothing is shown: only who has parsed a statement knows whether
/// there is a secret in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum StatementText {
    /// Nobody has parsed it yet, or it does not parse.
    #[default]
    Unclassified,
    /// As it was typed.
    Text(String),
    /// With its values masked: one of them may be a secret.
    Masked(String),
}

impl StatementText {
    /// What stands for a text that is not shown.
    pub const HIDDEN: &str = "(not shown: it was not parsed)";

    /// What is shown.
    pub fn shown(&self) -> &str {
        match self {
            Self::Unclassified => Self::HIDDEN,
            Self::Text(text) | Self::Masked(text) => text,
        }
    }

    /// Whether what is said of the statement, an error, may repeat a part of it.
    pub fn may_be_quoted(&self) -> bool {
        matches!(self, Self::Text(_))
    }
}
