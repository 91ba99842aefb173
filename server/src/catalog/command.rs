//! What a Raft log entry carries, and its bytes.
//!
//! The encoding is a disk format: one byte of version, one of compression, then postcard. A replica refuses a
//! version it does not know rather than guess.

use std::io::Read;

use serde::{Deserialize, Serialize};
use unum_proto::model::{ConfigReport, NodeKey, Push, PushOutcome, limits};
use xxhash_rust::xxh3::xxh3_64;

use super::NodeStatus;
use super::config::{ConfigDone, ConfigProposal, ConfigRefusal, ConfigStep};

/// The only version so far.
const VERSION: u8 = 1;

const PLAIN: u8 = 0;
const ZSTD: u8 = 1;

/// Shorter commands are stored as they are: compressing them costs more than it saves.
const COMPRESS_FROM_BYTES: usize = 512;

/// zstd's fastest ordinary level; rows of metrics gain little from a higher one.
const ZSTD_LEVEL: i32 = 1;

/// The largest command, before compression: a batch, and a closing push beyond it.
const PLAIN_BYTES_MAX: usize = 2 * limits::PUSH_BYTES_MAX;

/// What a reader takes: more than any writer writes, so that what is in the log can be applied.
const DECOMPRESSED_BYTES_MAX: u64 = 2 * PLAIN_BYTES_MAX as u64;

/// A change to the catalog.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Pushes of any nodes, committed together: each is applied, or refused, on its own.
    Pushes {
        /// The leader's wall clock when it proposed the batch, microseconds since the epoch.
        received_at_us: i64,
        /// In the order of arrival.
        pushes: Vec<StampedPush>,
    },
    /// Nodes that fell silent, as the leader's monotonic clock says.
    Silences {
        /// The leader's wall clock, microseconds since the epoch.
        at_us: i64,
        /// By node.
        silences: Vec<Silence>,
    },
    /// A node's rows leave the catalog.
    RemoveNode {
        /// The leader's wall clock, microseconds since the epoch.
        at_us: i64,
        /// The node.
        node: NodeKey,
    },
    /// The configuration of nodes is to change.
    ProposeConfig {
        /// The leader's wall clock, microseconds since the epoch.
        at_us: i64,
        /// How.
        proposal: ConfigProposal,
    },
    /// Such a change goes on, or ends.
    StepConfig {
        /// The leader's wall clock, microseconds since the epoch.
        at_us: i64,
        /// The change.
        change: u64,
        /// Which.
        step: ConfigStep,
    },
    /// What a node says of its configuration.
    ReportConfig {
        /// The leader's wall clock, microseconds since the epoch.
        at_us: i64,
        /// The node.
        node: NodeKey,
        /// What came of what it was to set.
        reports: Vec<ConfigReport>,
    },
}

/// A node that did not push for a while, as of its last push: one that pushed since is not silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// The node.
    pub node: NodeKey,
    /// The incarnation and …
    pub epoch: u64,
    /// … the push since which nothing came.
    pub sequence: u64,
    /// What it is called now: stale or down.
    pub status: NodeStatus,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// One per push, in the command's order.
    Pushes(Vec<PushOutcome>),
    /// Nodes whose status changed.
    Silences {
        /// How many.
        changed: u32,
    },
    /// The node was removed, or why not.
    NodeRemoved(Result<(), String>),
    /// The change was committed, or why not.
    Config(Result<ConfigDone, ConfigRefusal>),
    /// Reports that said something new.
    ConfigReported {
        /// How many.
        news: u32,
    },
}

/// A push and the hash of its content, computed once by the leader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StampedPush {
    /// What a node sent.
    pub push: Push,
    /// XXH3-64 of the encoded tables and description: tells a retry from another push under the same sequence.
    pub content_hash: u64,
}

/// A command that no log entry may carry.
#[derive(Debug, thiserror::Error)]
#[error("the command has {0} bytes; the limit is {PLAIN_BYTES_MAX}")]
pub struct TooLarge(usize);

/// Why bytes are not a command.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Written by a newer version.
    #[error("the command has format version {0}, this build knows up to {VERSION}: upgrade it")]
    UnknownVersion(u8),
    /// Not what was written.
    #[error("the command does not decode: {0}")]
    Malformed(String),
}

impl Command {
    /// The same command at another wall clock: the leader's, when it proposes what another replica was asked.
    pub fn stamped(mut self, now_us: i64) -> Self {
        match &mut self {
            Self::Pushes { received_at_us: at, .. }
            | Self::Silences { at_us: at, .. }
            | Self::RemoveNode { at_us: at, .. }
            | Self::ProposeConfig { at_us: at, .. }
            | Self::StepConfig { at_us: at, .. }
            | Self::ReportConfig { at_us: at, .. } => *at = now_us,
        }
        self
    }
}

impl Outcome {
    /// The bytes of an outcome on its way to the replica that was asked.
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_extend(self, vec![VERSION]).expect("model types always encode")
    }

    /// Reads what [`Outcome::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes {
            [VERSION, body @ ..] => postcard::from_bytes(body).map_err(|e| DecodeError::Malformed(e.to_string())),
            [version, ..] => Err(DecodeError::UnknownVersion(*version)),
            [] => Err(DecodeError::Malformed("it is empty".into())),
        }
    }
}

impl StampedPush {
    /// Stamps a push with the hash of its content.
    pub fn new(push: Push) -> Self {
        let content = postcard::to_stdvec(&(&push.node, &push.tables)).expect("model types always encode");
        Self { push, content_hash: xxh3_64(&content) }
    }
}

impl Command {
    /// The bytes of a log entry. An error says that it is too large to be one.
    pub fn encode(&self) -> Result<Vec<u8>, TooLarge> {
        let body = postcard::to_stdvec(self).expect("model types always encode");
        if body.len() > PLAIN_BYTES_MAX {
            return Err(TooLarge(body.len()));
        }
        let (compression, body) = match body.len() {
            0..COMPRESS_FROM_BYTES => (PLAIN, body),
            _ => (ZSTD, zstd::bulk::compress(&body, ZSTD_LEVEL).expect("compression in memory does not fail")),
        };
        let mut bytes = Vec::with_capacity(body.len() + 2);
        bytes.extend([VERSION, compression]);
        bytes.extend(body);
        Ok(bytes)
    }

    /// Reads what [`Command::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let malformed = |why: &dyn std::fmt::Display| DecodeError::Malformed(why.to_string());
        let [version, compression, body @ ..] = bytes else {
            return Err(malformed(&format!("{} bytes are too few", bytes.len())));
        };
        if *version != VERSION {
            return Err(DecodeError::UnknownVersion(*version));
        }
        match *compression {
            PLAIN => postcard::from_bytes(body).map_err(|e| malformed(&e)),
            ZSTD => {
                let mut plain = Vec::new();
                let decoder = zstd::stream::read::Decoder::new(body).map_err(|e| malformed(&e))?;
                decoder.take(DECOMPRESSED_BYTES_MAX).read_to_end(&mut plain).map_err(|e| malformed(&e))?;
                postcard::from_bytes(&plain).map_err(|e| malformed(&e))
            }
            other => Err(malformed(&format!("unknown compression {other}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use unum_proto::model::{DataType, NodeDescription, NodeKey, TableSchema, TableSnapshot};

    use super::*;

    fn command(text: &str) -> Command {
        let schema = TableSchema::of("t", &[("a", DataType::Int64, ""), ("b", DataType::Text, "")]).unwrap();
        let table = TableSnapshot { schema, rows: vec![vec![(-7i64).into(), text.into()]], collected_at_us: 5 };
        let node = NodeDescription::new(NodeKey::parse("tikv", "tikv_1").unwrap());
        let push = StampedPush::new(Push::new(node, 3, 4, vec![table]).unwrap());
        Command::Pushes { received_at_us: 9, pushes: vec![push] }
    }

    #[test]
    fn the_bytes_of_a_command_are_frozen() {
        let hex: String = command("x").encode().unwrap().iter().map(|b| format!("{b:02x}")).collect();
        insta::assert_snapshot!(hex);
    }

    #[test]
    fn commands_survive_encoding_plain_and_compressed() {
        for text in ["x".to_owned(), "long ".repeat(1000)] {
            let command = command(&text);
            assert_eq!(Command::decode(&command.encode().unwrap()).unwrap(), command);
        }
    }

    #[test]
    fn a_command_that_could_not_be_read_again_is_not_written() {
        let Command::Pushes { received_at_us, pushes } = command(&"x".repeat(60_000)) else { unreachable!() };
        let pushes = vec![pushes[0].clone(); 20];
        let error = Command::Pushes { received_at_us, pushes }.encode().unwrap_err();
        assert!(error.to_string().contains("the limit is 1048576"), "{error}");
    }

    #[test]
    fn what_is_not_a_command_is_told_and_never_panics() {
        let mut newer = command("x").encode().unwrap();
        newer[0] = 2;
        assert!(Command::decode(&newer).unwrap_err().to_string().contains("format version 2"));
        let whole = command(&"long ".repeat(1000)).encode().unwrap();
        for length in 0..whole.len() {
            assert!(Command::decode(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
        }
    }
}
