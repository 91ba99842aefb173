//! A question, and what surrounds the answer's rows.

use std::collections::BTreeMap;
use std::time::Duration;

use super::invalid::{at_most, quoted};
use super::limits::{
    DESCRIPTION_CHARS_MAX, QUERY_TIMEOUT_MS_DEFAULT, QUERY_TIMEOUT_MS_MAX, SESSION_VARIABLES_MAX, SESSION_WARNINGS_MAX,
    SQL_BYTES_MAX, WARNING_BYTES_MAX,
};
use super::{Invalid, ReplicaId, Value};

/// One SQL statement and how long its caller waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The statement.
    pub sql: String,
    /// From arrival to the last row.
    pub timeout: Duration,
    /// How fresh the answer has to be.
    pub consistency: Consistency,
    /// The answer is at this revision or a later one, at any level.
    pub min_revision: u64,
    /// What earlier statements set.
    pub session: SqlSession,
    /// Who asks, as the client says. Nobody checks it.
    pub user: String,
    /// What tells a retry of this statement from another one; empty if each attempt is one of its own.
    pub change_key: String,
    /// A value for each `?` of the statement, in order.
    pub parameters: Vec<Value>,
}

/// What USE and SET set, and the last warnings. It travels with each request: no replica remembers it, so the next
/// statement may go to another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SqlSession {
    /// The schema of names without one; empty is the default.
    pub schema: String,
    /// Variables that were SET, by name: lower case, user variables with their `@`.
    pub variables: BTreeMap<String, String>,
    /// The warnings of the statement before.
    pub warnings: Vec<String>,
}

impl SqlSession {
    /// A session within its limits.
    pub fn new(schema: String, variables: BTreeMap<String, String>, warnings: Vec<String>) -> Result<Self, Invalid> {
        at_most("the session's schema", schema.chars().count(), DESCRIPTION_CHARS_MAX, "characters")?;
        at_most("the session", variables.len(), SESSION_VARIABLES_MAX, "variables")?;
        for text in variables.iter().flat_map(|(name, value)| [name, value]) {
            at_most("a session variable", text.chars().count(), DESCRIPTION_CHARS_MAX, "characters")?;
        }
        at_most("the session", warnings.len(), SESSION_WARNINGS_MAX, "warnings")?;
        for warning in &warnings {
            at_most("a warning", warning.len(), WARNING_BYTES_MAX, "bytes")?;
        }
        Ok(Self { schema, variables, warnings })
    }

    /// Takes over what a statement changed of the session that it was `sent` with, and its warnings. What other statements
    /// changed meanwhile stays.
    pub fn apply(&mut self, sent: &Self, footer: &ResultFooter) {
        if let Some(changed) = &footer.session {
            if changed.schema != sent.schema {
                self.schema.clone_from(&changed.schema);
            }
            let news = changed.variables.iter().filter(|(name, value)| sent.variables.get(*name) != Some(*value));
            self.variables.extend(news.map(|(name, value)| (name.clone(), value.clone())));
        }
        // Never more than the next request may carry.
        let cut = |warning: &String| warning[..warning.floor_char_boundary(WARNING_BYTES_MAX)].to_owned();
        self.warnings = footer.warnings.iter().take(SESSION_WARNINGS_MAX).map(cut).collect();
    }
}

/// How fresh an answer has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consistency {
    /// Everything acknowledged before the call is in it: confirmed with a majority.
    #[default]
    Linearizable,
    /// Everything acknowledged longer ago than this is in it.
    Bounded(Duration),
    /// Whatever the replica has, without asking any other.
    Stale,
}

impl std::str::FromStr for Consistency {
    type Err = Invalid;

    /// `linearizable`, `bounded:DURATION` (as `bounded:500ms`), `stale`.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid::new(
                format!("the consistency {} is unknown", quoted(text)),
                "use linearizable, bounded:DURATION (as bounded:5s or bounded:500ms) or stale",
            )
        };
        match text.split_once(':') {
            None if text == "linearizable" => Ok(Self::Linearizable),
            None if text == "stale" => Ok(Self::Stale),
            Some(("bounded", staleness)) => {
                let digits = staleness.trim_end_matches(|c: char| c.is_ascii_alphabetic());
                let number: u32 = digits.parse().map_err(|_| invalid())?;
                match &staleness[digits.len()..] {
                    "ms" => Ok(Self::Bounded(Duration::from_millis(number.into()))),
                    "s" => Ok(Self::Bounded(Duration::from_secs(number.into()))),
                    _ => Err(invalid()),
                }
            }
            _ => Err(invalid()),
        }
    }
}

impl Query {
    /// A linearizable query within its limits; `timeout_ms` 0 is the default.
    pub fn new(sql: String, timeout_ms: u32) -> Result<Self, Invalid> {
        at_most("the statement", sql.len(), SQL_BYTES_MAX, "bytes")?;
        let timeout_ms = match timeout_ms {
            0 => QUERY_TIMEOUT_MS_DEFAULT,
            asked => asked.min(QUERY_TIMEOUT_MS_MAX),
        };
        let timeout = Duration::from_millis(timeout_ms.into());
        Ok(Self {
            sql,
            timeout,
            consistency: Consistency::Linearizable,
            min_revision: 0,
            session: SqlSession::default(),
            user: String::new(),
            change_key: String::new(),
            parameters: Vec::new(),
        })
    }
}

/// What is known before the first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultHeader {
    /// The applied Raft index that the answer is a consistent cut at.
    pub revision: u64,
    /// The replica that answered.
    pub replica: ReplicaId,
    /// Nodes with rows in the tables that were read, and up.
    pub nodes_up: u32,
    /// Nodes with rows in the tables that were read.
    pub nodes_total: u32,
}

/// What is known after the last row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultFooter {
    /// Rows of the result.
    pub rows: u64,
    /// Time on the server, barrier included.
    pub elapsed: Duration,
    /// What the reader should know about the rows.
    pub warnings: Vec<String>,
    /// The session as the statement left it, if it changed it.
    pub session: Option<SqlSession>,
}
