//! What is kept of changes and of the configuration's past. The order of fields and variants is a disk format.

use serde::{Deserialize, Serialize};
use unum_proto::model::{ChangeId, ConfigOutcome, NodeKey};

/// One key of one node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Setting {
    /// The node.
    pub node: NodeKey,
    /// The key in its configuration.
    pub key: String,
}

impl Setting {
    /// The setting of a node with that key.
    pub fn new(node: &NodeKey, key: &str) -> Self {
        Self { node: node.clone(), key: key.to_owned() }
    }
}

/// The name of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ConfigRecordKey {
    /// The revision at which any row of any node's configuration last changed.
    Version,
    /// A change, by its id.
    Change(ChangeId),
    /// What a change sets.
    Target(ChangeId, Setting),
    /// What is wanted of a setting.
    Desired(Setting),
    /// A former value of a setting, by the revision since which it was.
    Span(Setting, u64),
    /// Since when a node publishes its configuration.
    Since(NodeKey),
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConfigRecord {
    /// See [`ConfigRecordKey::Version`].
    Version(u64),
    /// See [`ConfigRecordKey::Change`].
    Change(ConfigChange),
    /// See [`ConfigRecordKey::Target`].
    Target(Target),
    /// See [`ConfigRecordKey::Desired`].
    Desired(Desired),
    /// See [`ConfigRecordKey::Span`].
    Span(ConfigSpan),
    /// See [`ConfigRecordKey::Since`].
    Since(Since),
}

impl ConfigRecordKey {
    /// Whether a node that waits for what is wanted of it has to look again when this record changed.
    pub fn tells_what_is_wanted(&self) -> bool {
        matches!(self, Self::Target(..) | Self::Desired(_))
    }
}

impl ConfigRecord {
    pub(in crate::catalog) fn belongs_to(&self, key: &ConfigRecordKey) -> bool {
        matches!(
            (key, self),
            (ConfigRecordKey::Version, Self::Version(_))
                | (ConfigRecordKey::Change(_), Self::Change(_))
                | (ConfigRecordKey::Target(..), Self::Target(_))
                | (ConfigRecordKey::Desired(_), Self::Desired(_))
                | (ConfigRecordKey::Span(..), Self::Span(_))
                | (ConfigRecordKey::Since(_), Self::Since(_))
        )
    }
}

/// A change that was committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigChange {
    /// What tells a retry from another change.
    pub change_key: String,
    /// Who wanted it, as the client says.
    pub who: String,
    /// The client's address.
    pub host: String,
    /// The leader's wall clock at the commit, microseconds since the epoch.
    pub at_us: i64,
    /// As it was typed, secrets masked.
    pub statement: String,
    /// What kind of change it is.
    pub kind: Kind,
    /// How far it is.
    pub phase: Phase,
    /// Whether a value that somebody changes underneath is set again.
    pub enforce: bool,
}

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// New values.
    Set,
    /// The values from before another change.
    Rollback {
        /// That change.
        of: ChangeId,
    },
}

/// How far a change is, besides what its targets say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Only some of its nodes hear of it, until it is resumed.
    Canary,
    /// All of its nodes hear of it.
    Running,
    /// No node hears of it any more.
    Cancelled,
}

/// One key of one node that a change sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// What it was at the commit.
    pub old: Option<String>,
    /// What it is to be.
    pub value: String,
    /// How far it is.
    pub state: TargetState,
    /// How often the node has tried.
    pub attempts: u32,
    /// The leader's wall clock when the node last said something of it.
    pub reported_at_us: Option<i64>,
    /// The revision at which that was.
    pub reported_at: Option<u64>,
    /// What was wanted before: it is wanted again when this is cancelled.
    pub before: Option<Desired>,
    /// Whether its values are masked when they are shown.
    pub secret: bool,
}

/// How far a target is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TargetState {
    /// It is not among the canaries.
    Waiting,
    /// The node is to set it.
    Pending,
    /// The node has said what came of it.
    Decided(ConfigOutcome),
    /// Nobody wants it any more.
    Cancelled(String),
}

impl TargetState {
    /// Whether something is still to come.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Waiting | Self::Pending)
    }

    /// As SQL shows it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Pending => "pending",
            Self::Decided(ConfigOutcome::Applied) => "applied",
            Self::Decided(ConfigOutcome::NeedsRestart) => "needs restart",
            Self::Decided(ConfigOutcome::Failed(_)) => "failed",
            Self::Decided(ConfigOutcome::Rejected(_)) => "rejected",
            Self::Cancelled(_) => "cancelled",
        }
    }

    /// Why it is not applied.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Decided(ConfigOutcome::Failed(why) | ConfigOutcome::Rejected(why)) | Self::Cancelled(why) => {
                Some(why.as_str()).filter(|why| !why.is_empty())
            }
            _ => None,
        }
    }
}

/// What is wanted of a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// The value.
    pub value: String,
    /// The change that wants it.
    pub change: ChangeId,
    /// The revision since which it is wanted.
    pub revision: u64,
}

/// A value that a setting had, until it had another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigSpan {
    /// The value; none if the node did not publish the key.
    pub value: Option<String>,
    /// The revision that ended it.
    pub until: u64,
    /// The leader's wall clock at that.
    pub until_us: i64,
    /// The change that ended it; none if nobody asked for it here.
    pub ended_by: Option<ChangeId>,
}

/// The first push of a node's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// Its revision.
    pub revision: u64,
    /// The leader's wall clock.
    pub at_us: i64,
}
