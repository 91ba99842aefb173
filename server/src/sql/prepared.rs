//! A statement that was prepared: what it is, what it asks for, what may be shown of it.
//!
//! Everybody who has to know what a statement is asks this value, and nobody else looks at its text.

use std::sync::Arc;

use datafusion::common::ScalarValue;

use super::plan::{Found, Plan};
use super::statement::{Command, Select, Statement, StatementText};
use super::syntax::{Digest, Tokens};

/// A prepared statement.
#[derive(Debug)]
pub struct Prepared {
    /// What it asks for.
    pub action: Action,
    /// What it has in common with others.
    pub digest: Arc<Digest>,
    /// What is shown of it.
    pub text: StatementText,
}

/// What a prepared statement asks for.
#[derive(Debug)]
pub enum Action {
    /// Rows.
    Read(Read),
    /// Something else than rows.
    Command(Command),
}

/// A read, with a plan or to be planned.
#[derive(Debug)]
pub enum Read {
    /// It has no plan yet.
    New(Box<Select>),
    /// It has a plan.
    Kept(KeptRead),
}

/// A read whose plan was kept from an earlier statement.
#[derive(Debug)]
pub struct KeptRead {
    pub(super) plan: Arc<Plan>,
    pub(super) values: Vec<ScalarValue>,
    /// For when the plan is out of date.
    pub(super) tokens: Tokens,
}

impl Prepared {
    pub(super) fn new(sql: &str, tokens: &Tokens, statement: Statement) -> Self {
        let typed = || StatementText::Text(sql.to_owned());
        let (action, digest, text) = match statement {
            Statement::Select(select) => {
                let kept = select.kept_under.as_ref().map(|kept| Arc::clone(&kept.digest));
                let digest = kept.unwrap_or_else(|| Arc::new(tokens.digest()));
                (Action::Read(Read::New(select)), digest, typed())
            }
            Statement::Command(command) => match &command {
                Command::Configure(configure) => {
                    let masked = configure.masked.clone();
                    (Action::Command(command), Arc::new(Digest::of(&masked)), StatementText::Masked(masked))
                }
                Command::SetSession(_) | Command::Kill { .. } | Command::Change { .. } => {
                    (Action::Command(command), Arc::new(tokens.digest()), typed())
                }
            },
        };
        Self { action, digest, text }
    }

    pub(super) fn kept(sql: &str, found: Found, tokens: Tokens) -> Self {
        metrics::counter!("unum_plans_total", "planned" => "before").increment(1);
        let Found { plan, values, digest } = found;
        let read = KeptRead { plan, values, tokens };
        Self { action: Action::Read(Read::Kept(read)), digest, text: StatementText::Text(sql.to_owned()) }
    }
}

/// A read that the server makes itself.
impl From<Select> for Read {
    fn from(select: Select) -> Self {
        Self::New(Box::new(select))
    }
}

impl Read {
    /// Whether it is so little that it may be answered where it came in ([`super::tables::lookup`]).
    pub fn is_lookup(&self) -> bool {
        matches!(self, Self::Kept(kept) if kept.plan.lookup.is_some())
    }
}
