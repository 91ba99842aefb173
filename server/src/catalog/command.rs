//! What a Raft log entry carries, and its bytes.
//!
//! The encoding is a disk format: one byte of version, one of compression, then postcard. A replica refuses a
//! version it does not know rather than guess.

use std::io::Read;

use serde::{Deserialize, Serialize};
use unum_proto::model::{ChangeId, ConfigReport, NodeKey, Push, PushOutcome, Registered, Registration, limits};
use xxhash_rust::xxh3::xxh3_64;

use super::NodeStatus;
use super::Place;
use super::change::{CatalogChange, Changed};
use super::config::{ConfigDone, ConfigProposal, ConfigRefusal, ConfigStep};
use super::packed::{Packed, PackedPush, PackedPushBefore};

/// A command as it is.
const VERSION: u8 = 1;

/// Pushes, with each schema once, before tables of a push were refused one by one.
const VERSION_PACKED_BEFORE: u8 = 2;

/// Pushes, with each schema once.
const VERSION_PACKED: u8 = 3;

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
        change: ChangeId,
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
    /// A statement changes the catalog.
    Change {
        /// The leader's wall clock, microseconds since the epoch.
        at_us: i64,
        /// What tells a repetition from another change.
        change_key: String,
        /// How.
        change: CatalogChange,
    },
    /// A publisher takes a node's name.
    Register {
        /// The leader's wall clock, microseconds since the epoch.
        at_us: i64,
        /// Who, and which.
        registration: Registration,
    },
    /// A publisher gives a name back.
    Release {
        /// The leader's wall clock, microseconds since the epoch.
        at_us: i64,
        /// The name.
        node: NodeKey,
        /// The epoch that it was given.
        epoch: u64,
    },
    /// What is unused for long goes.
    Sweep {
        /// The leader's wall clock, microseconds since the epoch.
        at_us: i64,
        /// What is unused since then goes.
        before_us: i64,
        /// Where the leader has looked.
        places: Vec<Place>,
    },
}

impl Command {
    /// The leader's wall clock when it proposed the command, microseconds since the epoch.
    pub fn at_us(&self) -> i64 {
        match self {
            Self::Pushes { received_at_us, .. } => *received_at_us,
            Self::Silences { at_us, .. }
            | Self::RemoveNode { at_us, .. }
            | Self::ProposeConfig { at_us, .. }
            | Self::StepConfig { at_us, .. }
            | Self::ReportConfig { at_us, .. }
            | Self::Change { at_us, .. }
            | Self::Register { at_us, .. }
            | Self::Sweep { at_us, .. }
            | Self::Release { at_us, .. } => *at_us,
        }
    }
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
        new: u32,
    },
    /// The catalog was changed, or why not.
    Changed(Result<Changed, String>),
    /// The epoch that was given, or who holds the name.
    Registered(Registered),
    /// Whether the name was given back.
    Released(bool),
    /// What was unused went.
    Swept {
        /// How much of it.
        gone: u32,
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
    #[error("the command has format version {0}, this build knows up to {VERSION_PACKED}: upgrade it")]
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
            | Self::ReportConfig { at_us: at, .. }
            | Self::Change { at_us: at, .. }
            | Self::Register { at_us: at, .. }
            | Self::Sweep { at_us: at, .. }
            | Self::Release { at_us: at, .. } => *at = now_us,
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
        let content = (&push.node, &push.tables, &push.refused, push.whole);
        let content = postcard::to_stdvec(&content).expect("model types always encode");
        Self { push, content_hash: xxh3_64(&content) }
    }
}

impl Command {
    /// The bytes of a log entry. An error says that it is too large to be one.
    pub fn encode(&self) -> Result<Vec<u8>, TooLarge> {
        let (version, body) = match self {
            Self::Pushes { received_at_us, pushes } => {
                let pushes = pushes.iter().map(|stamped| (&stamped.push, stamped.content_hash));
                (VERSION_PACKED, postcard::to_stdvec(&Packed::of(*received_at_us, pushes)))
            }
            other => (VERSION, postcard::to_stdvec(other)),
        };
        let body = body.expect("model types always encode");
        if body.len() > PLAIN_BYTES_MAX {
            return Err(TooLarge(body.len()));
        }
        let (compression, body) = match body.len() {
            0..COMPRESS_FROM_BYTES => (PLAIN, body),
            _ => (ZSTD, zstd::bulk::compress(&body, ZSTD_LEVEL).expect("compression in memory does not fail")),
        };
        let mut bytes = Vec::with_capacity(body.len() + 2);
        bytes.extend([version, compression]);
        bytes.extend(body);
        Ok(bytes)
    }

    fn of_unpacked((received_at_us, pushes): (i64, Vec<(Push, u64)>)) -> Self {
        let stamped = |(push, content_hash)| StampedPush { push, content_hash };
        Self::Pushes { received_at_us, pushes: pushes.into_iter().map(stamped).collect() }
    }

    /// Reads what [`Command::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_measured(bytes).map(|(command, _)| command)
    }

    /// The same, and how many bytes it has without compression.
    pub fn decode_measured(bytes: &[u8]) -> Result<(Self, usize), DecodeError> {
        let malformed = |why: &dyn std::fmt::Display| DecodeError::Malformed(why.to_string());
        let [version, compression, body @ ..] = bytes else {
            return Err(malformed(&format!("{} bytes are too few", bytes.len())));
        };
        let mut plain = Vec::new();
        let body = match *compression {
            PLAIN => body,
            ZSTD => {
                let decoder = zstd::stream::read::Decoder::new(body).map_err(|e| malformed(&e))?;
                decoder.take(DECOMPRESSED_BYTES_MAX).read_to_end(&mut plain).map_err(|e| malformed(&e))?;
                &plain
            }
            other => return Err(malformed(&format!("unknown compression {other}"))),
        };
        let command = match *version {
            VERSION => postcard::from_bytes(body).map_err(|e| malformed(&e))?,
            VERSION_PACKED => {
                let packed: Packed<PackedPush<'_>> = postcard::from_bytes(body).map_err(|e| malformed(&e))?;
                Self::of_unpacked(packed.unpack().map_err(|e| malformed(&e))?)
            }
            VERSION_PACKED_BEFORE => {
                let packed: Packed<PackedPushBefore<'_>> = postcard::from_bytes(body).map_err(|e| malformed(&e))?;
                Self::of_unpacked(packed.unpack().map_err(|e| malformed(&e))?)
            }
            unknown => return Err(DecodeError::UnknownVersion(unknown)),
        };
        Ok((command, body.len()))
    }
}

#[cfg(test)]
mod tests {
    use unum_proto::model::{DataType, NodeDescription, TableSchema, TableSnapshot};

    use super::*;

    fn command(text: &str) -> Command {
        let schema = TableSchema::of("t", &[("a", DataType::Int64, ""), ("b", DataType::Text, "")]).unwrap().into();
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
    fn the_bytes_of_a_change_and_its_outcome_are_frozen() {
        let hex = |bytes: Vec<u8>| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let change = CatalogChange::DropTable { table: "t".parse().unwrap(), if_exists: true };
        let command = Command::Change { at_us: 9, change_key: "k".into(), change };
        assert_eq!(hex(command.encode().unwrap()), "01000612016b00017401");
        assert_eq!(hex(Outcome::Changed(Ok(Changed::Before)).encode()), "01050001");
        assert_eq!(hex(Outcome::Changed(Err("x".into())).encode()), "0105010178");
    }

    #[test]
    fn what_was_written_before_schemas_were_packed_is_read() {
        let command = command("x");
        let mut bytes = vec![VERSION, PLAIN];
        bytes.extend(postcard::to_stdvec(&command).unwrap());
        assert_eq!(Command::decode(&bytes).unwrap(), command);
    }

    /// Its bytes were written by the version before.
    #[test]
    fn what_was_written_when_a_push_was_whole_is_read() {
        let hex = "0200120101740201610101000162040100010474696b760674696b765f310000009875030401000102020d0501780a95beb\
                   dc0d1a2d8eb72";
        let bytes: Vec<u8> =
            (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
        let Command::Pushes { pushes, .. } = Command::decode(&bytes).unwrap() else { unreachable!() };
        let Command::Pushes { pushes: now, .. } = command("x") else { unreachable!() };
        assert_eq!(pushes[0].push, Push { whole: true, ..now[0].push.clone() });
    }

    #[test]
    fn a_batch_has_each_schema_once() {
        let Command::Pushes { received_at_us, pushes } = command("x") else { unreachable!() };
        let bytes = |count: usize| {
            let command = Command::Pushes { received_at_us, pushes: vec![pushes[0].clone(); count] };
            let Packed { schemas, .. } = Packed::of(0, std::iter::repeat_n((&pushes[0].push, 0), count));
            assert_eq!(schemas.len(), 1);
            assert_eq!(Command::decode(&command.encode().unwrap()).unwrap(), command);
        };
        bytes(1);
        bytes(50);
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
        newer[0] = 4;
        assert!(Command::decode(&newer).unwrap_err().to_string().contains("format version 4"));
        let whole = command(&"long ".repeat(1000)).encode().unwrap();
        for length in 0..whole.len() {
            assert!(Command::decode(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
        }
    }
}
