//! What can be wrong with a statement, by what its author does next.

use datafusion::error::DataFusionError;
use sqlparser::parser::ParserError;

/// Why a statement has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The statement is wrong: correct it.
    #[error("{0}")]
    Invalid(String),
    /// It is not a read.
    #[error("{0}")]
    ReadsOnly(String),
    /// The answer, or the way to it, is larger than this replica allows.
    #[error("{0}")]
    TooLarge(String),
    /// A bug here, not in the statement.
    #[error("internal error: {0}")]
    Internal(String),
}

impl From<ParserError> for Error {
    fn from(error: ParserError) -> Self {
        let what = match error {
            ParserError::TokenizerError(what) | ParserError::ParserError(what) => what,
            ParserError::RecursionLimitExceeded => "it nests too deeply".to_owned(),
        };
        Self::Invalid(format!("the statement does not parse: {what}"))
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        let message = error.strip_backtrace();
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => {
                Self::TooLarge(format!("the query needs more memory than sql.query_memory_bytes_max allows: {message}"))
            }
            DataFusionError::Internal(_) | DataFusionError::IoError(_) => Self::Internal(message),
            _ => Self::Invalid(without_prefixes(&message).to_owned()),
        }
    }
}

/// DataFusion says in front where it was when it found the mistake, which helps no one who wrote SQL.
fn without_prefixes(message: &str) -> &str {
    const PREFIXES: [&str; 6] = [
        "Error during planning: ",
        "This feature is not implemented: ",
        "Schema error: ",
        "SQL error: ",
        "Execution error: ",
        "Arrow error: ",
    ];
    match PREFIXES.iter().find_map(|prefix| message.strip_prefix(prefix)) {
        Some(rest) => without_prefixes(rest),
        None => message,
    }
}
