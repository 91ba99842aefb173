//! What a statement that changes configuration asks for.

use std::time::Duration;

use sqlparser::ast::Expr;
use unum_proto::model::ChangeId;

/// A statement that changes configuration.
#[derive(Debug, Clone)]
pub struct Configure {
    /// What it does.
    pub what: What,
    /// How.
    pub options: Options,
    /// As it was typed; masked if the name of a key says that it is a secret.
    pub shown: String,
    /// The same with its values masked.
    pub masked: String,
}

/// What such a statement does.
#[derive(Debug, Clone)]
pub enum What {
    /// It sets keys of nodes.
    Set {
        /// Of which.
        chosen: Chosen,
        /// Key and value.
        assignments: Vec<(String, String)>,
    },
    /// It sets the value of all settings that a condition is true of.
    Update {
        /// The condition over `cluster_config`.
        condition: Option<Box<Expr>>,
        /// The value.
        value: String,
    },
    /// It goes on behind the canaries of a change.
    Resume(ChangeId),
    /// It ends a change.
    Cancel(ChangeId),
    /// It sets what was before a change.
    Rollback(ChangeId),
}

/// Which nodes a SET CONFIG means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// All that have the key.
    All,
    /// Those of a type.
    Type(String),
    /// One, by its id, its type and id, or its label `instance`.
    Node(String),
}

/// How a change is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Nothing is changed; the rows say what would be.
    pub dry_run: bool,
    /// Some nodes go first.
    pub canary: Option<Canary>,
    /// Only if nothing that it sets was changed after this revision.
    pub if_revision: Option<u64>,
    /// A value that somebody changes underneath is set again.
    pub enforce: bool,
    /// How long to wait for the nodes.
    pub wait: Option<Duration>,
    /// What tells a retry from another change.
    pub change_key: Option<String>,
}

/// How many nodes go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canary {
    /// So many.
    Nodes(u32),
    /// So many of a hundred, and one at least.
    Percent(u32),
}

impl Canary {
    /// How many of so many.
    pub fn of(self, nodes: usize) -> u32 {
        match self {
            Self::Nodes(count) => count,
            Self::Percent(percent) => (nodes * percent as usize).div_ceil(100) as u32,
        }
    }
}
