//! What can be wrong with a statement, by what its author does next.

use datafusion::error::DataFusionError;
use sqlparser::parser::ParserError;

use super::wording;

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
        let root = error.find_root();
        let message = root.strip_backtrace();
        match root {
            DataFusionError::ResourcesExhausted(_) => {
                Self::TooLarge(format!("the query needs more memory than sql.query_memory_bytes_max allows: {message}"))
            }
            DataFusionError::Internal(_) | DataFusionError::IoError(_) => {
                tracing::error!(error = %error.strip_backtrace(), "a query failed inside");
                Self::Internal(wording::first_sentence(&message).to_owned())
            }
            _ => match wording::in_sql(&message) {
                Some(message) => Self::Invalid(message),
                None => {
                    tracing::warn!(error = %error.strip_backtrace(), "a statement could not be planned");
                    Self::Invalid(
                        "the statement asks for something that is not answered; write it in parts, as derived tables or \
                         WITH, and docs/SQL.md lists what there is"
                            .into(),
                    )
                }
            },
        }
    }
}
