//! What the traffic did, and when: one record an operation, kept as JSON lines.
//!
//! All times are microseconds since the run began, of one monotonic clock. An operation whose outcome is not known has
//! no end: it may have taken effect at any time after it began, or never.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// One operation of one client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Which client.
    pub client: u32,
    /// When it was asked for.
    pub begin_us: u64,
    /// What was asked for, and what was seen.
    pub action: Action,
    /// What came of it.
    pub outcome: Outcome,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A push of the node's next value; a node has one writer, whose values count from 1.
    Write {
        /// The node.
        node: u32,
        /// Its value.
        value: u64,
        /// The number of the node's epoch that pushed it, from 1.
        epoch: u32,
    },
    /// A write that was acknowledged is sent again as it was: twice, late, or after others. Its outcome's revision is what
    /// is answered.
    Copy {
        /// The node.
        node: u32,
        /// Its value.
        value: u64,
    },
    /// A SELECT over some nodes.
    Read {
        /// The replica that was asked.
        replica: u64,
        /// What each node that was asked for had. Empty if there was no answer.
        seen: Vec<Seen>,
    },
    /// A node's rows are taken out of the catalog.
    Remove {
        /// The node.
        node: u32,
    },
    /// A change of configuration that is to happen only if there was no other since a revision. Its outcome's revision is
    /// its own.
    Change {
        /// The revision.
        since: u64,
    },
    /// A SELECT of the newest change of configuration.
    Look {
        /// Its revision; 0 if there was none, or no answer.
        newest: u64,
    },
    /// A fault was there. Its outcome's end is when it ended.
    Fault {
        /// Which.
        name: String,
        /// Whether so few replicas were left, or so far apart, that nothing may be answered.
        no_majority: bool,
        /// Replicas that were so cut off that they may answer nothing, whatever the others do.
        cut_off: Vec<u64>,
    },
}

/// One node in one answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The node by the row's own key.
    pub node: u32,
    /// Its value; 0 if it has no row.
    pub value: u64,
    /// The value in the other table of the same push.
    pub other: u64,
    /// The node that the pushed row itself names.
    pub owner: u32,
    /// The revision that the row says it is of.
    pub revision: u64,
}

impl Seen {
    /// A node without a row.
    pub fn nothing(node: u32) -> Self {
        Self { node, owner: node, ..Self::default() }
    }
}

/// What came of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was acknowledged or answered, with this revision.
    Done {
        /// When.
        end_us: u64,
        /// At which revision.
        revision: u64,
    },
    /// It was refused for what it is: the same would be refused at any time.
    Refused {
        /// When.
        end_us: u64,
        /// Why.
        why: String,
    },
    /// It certainly has no effect.
    Failed {
        /// Why.
        why: String,
    },
    /// It may have an effect.
    Unknown {
        /// Why.
        why: String,
    },
    /// It was answered with what no replica should say. It may have an effect.
    Nonsense {
        /// What.
        what: String,
    },
}

/// A history that is being made. Clients share it.
#[derive(Debug)]
pub struct Recorder {
    started: Instant,
    operations: Mutex<Vec<Operation>>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { started: Instant::now(), operations: Mutex::default() }
    }
}

impl Recorder {
    /// Now, on the history's clock.
    pub fn now_us(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }

    /// Takes down an operation that is over for its client.
    pub fn add(&self, operation: Operation) {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner).push(operation);
    }

    /// The least of what `look` finds in the operations so far.
    pub fn least<T: Ord>(&self, look: impl FnMut(&Operation) -> Option<T>) -> Option<T> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(look).min()
    }

    /// All operations, in the order in which they began.
    pub fn operations(&self) -> Vec<Operation> {
        let mut all = self.operations.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.sort_by_key(|operation| operation.begin_us);
        all
    }
}

impl Operation {
    /// When it ended and at which revision, if it was acknowledged or answered.
    pub fn done(&self) -> Option<(u64, u64)> {
        match self.outcome {
            Outcome::Done { end_us, revision } => Some((end_us, revision)),
            _ => None,
        }
    }

    /// What an answered read saw.
    pub fn seen(&self) -> &[Seen] {
        match (&self.action, &self.outcome) {
            (Action::Read { seen, .. }, Outcome::Done { .. }) => seen,
            _ => &[],
        }
    }
}

/// Writes a history, a line an operation.
pub fn save(path: &Path, history: &[Operation]) -> anyhow::Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    for operation in history {
        serde_json::to_writer(&mut file, operation)?;
        file.write_all(b"\n")?;
    }
    file.flush()?;
    Ok(())
}

/// Reads what [`save`] wrote.
pub fn load(path: &Path) -> anyhow::Result<Vec<Operation>> {
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let parse = |(number, line): (usize, std::io::Result<String>)| {
        serde_json::from_str(&line?).with_context(|| format!("{}:{}", path.display(), number + 1))
    };
    BufReader::new(file).lines().enumerate().map(parse).collect()
}
