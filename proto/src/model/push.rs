//! A push: what a node says of itself at one moment, applied exactly once, and of what is accepted of it all or nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::invalid::{at_most, quoted};
use super::limits::{
    DESCRIPTION_CHARS_MAX, EPOCH_MAX, IDENTIFIER_CHARS_MAX, LABELS_MAX, PUSH_TABLES_MAX, REFUSAL_BYTES_MAX,
    ROW_BYTES_MAX, SNAPSHOT_ROWS_MAX, TTL_MS_DEFAULT, TTL_MS_MAX, TTL_MS_MIN,
};
use super::{Invalid, NodeKey, Row, TableSchema, Value};

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeDescription {
    /// What names it.
    pub key: NodeKey,
    /// The address under which it is reached; may be empty.
    pub ip: String,
    /// The version of what runs there; may be empty.
    pub version: String,
    /// Free labels.
    pub labels: BTreeMap<String, String>,
    /// How long it may be silent before it is called stale, milliseconds; three times as long, and it is down.
    pub ttl_ms: u32,
}

impl NodeDescription {
    /// A node with nothing but its name.
    pub fn new(key: NodeKey) -> Self {
        Self { key, ip: String::new(), version: String::new(), labels: BTreeMap::new(), ttl_ms: TTL_MS_DEFAULT }
    }

    fn check(&self) -> Result<(), Invalid> {
        let key = &self.key;
        at_most(format_args!("the ip of node {key}"), self.ip.chars().count(), DESCRIPTION_CHARS_MAX, "characters")?;
        at_most(
            format_args!("the version of node {key}"),
            self.version.chars().count(),
            DESCRIPTION_CHARS_MAX,
            "characters",
        )?;
        at_most(format_args!("node {key}"), self.labels.len(), LABELS_MAX, "labels")?;
        if !(TTL_MS_MIN..=TTL_MS_MAX).contains(&self.ttl_ms) {
            return Err(Invalid::new(
                format!("the TTL of {} ms of node {key}", self.ttl_ms),
                format!("use {TTL_MS_MIN} to {TTL_MS_MAX} ms"),
            ));
        }
        for text in self.labels.iter().flat_map(|(name, value)| [name, value]) {
            at_most(format_args!("a label of node {key}"), text.chars().count(), DESCRIPTION_CHARS_MAX, "characters")?;
        }
        Ok(())
    }
}

/// All rows of one table on one node at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableSnapshot {
    /// The table as this node knows it.
    pub schema: Arc<TableSchema>,
    /// Its rows; each matches the schema.
    pub rows: Vec<Row>,
    /// The node's wall clock when the rows were read, microseconds since the epoch.
    pub collected_at_us: i64,
}

/// Names under which a table can say whose row it is. `id` counts in `node_info` only.
const IDENTITY_COLUMNS: [(&str, Identity); 3] =
    [("node_type", Identity::NodeType), ("node_id", Identity::NodeId), ("id", Identity::NodeId)];

#[derive(Clone, Copy)]
enum Identity {
    NodeType,
    NodeId,
}

impl TableSnapshot {
    fn check(&self, node: &NodeKey) -> Result<(), Invalid> {
        let name = &self.schema.name;
        at_most(format_args!("the snapshot of table {name}"), self.rows.len(), SNAPSHOT_ROWS_MAX, "rows")?;
        for row in &self.rows {
            self.schema.check_row(row)?;
            let bytes: usize = row.iter().map(Value::bytes).sum();
            at_most(format_args!("a row of table {name}"), bytes, ROW_BYTES_MAX, "bytes")?;
        }
        self.check_identity(node)
    }

    /// A row belongs to the node that pushed it: a column that says whose it is says the truth.
    fn check_identity(&self, node: &NodeKey) -> Result<(), Invalid> {
        for (column, identity) in IDENTITY_COLUMNS {
            if column == "id" && self.schema.name.as_str() != "node_info" {
                continue;
            }
            let Some(position) = self.schema.position(column) else { continue };
            let own = match identity {
                Identity::NodeType => node.node_type.as_str(),
                Identity::NodeId => node.id.as_str(),
            };
            let foreign = |value: &Value| !matches!(value, Value::Text(text) if text == own);
            if let Some(row) = self.rows.iter().find(|row| foreign(&row[position])) {
                return Err(Invalid::new(
                    format!(
                        "{}.{column} is {} in a push of node {node}",
                        self.schema.name,
                        quoted(&format!("{:?}", row[position]))
                    ),
                    format!("a node pushes its own rows only: send {own:?}"),
                ));
            }
        }
        Ok(())
    }
}

/// A table that was left out of a push; or, without a table, what of itself the node could not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRefusal {
    /// Its name, as it was sent; empty if it is about none.
    pub table: String,
    /// Why, and what to do.
    pub why: String,
}

impl TableRefusal {
    /// A refusal; both are cut to their limits.
    pub fn new(table: &str, why: impl std::fmt::Display) -> Self {
        let table = table.chars().take(IDENTIFIER_CHARS_MAX).collect();
        let mut why = why.to_string();
        why.truncate(why.floor_char_boundary(REFUSAL_BYTES_MAX));
        Self { table, why }
    }

    /// What the node could not read, and why.
    pub fn unread(what: impl std::fmt::Display) -> Self {
        Self::new("", what)
    }
}

/// What a node sends: table snapshots under its next sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Push {
    /// Who pushes.
    pub node: NodeDescription,
    /// The node's incarnation.
    pub epoch: u64,
    /// Counts pushes in the epoch, from 1.
    pub sequence: u64,
    /// What it pushes; no table twice.
    pub tables: Vec<TableSnapshot>,
    /// What of it was left out on the way. The same push always loses the same.
    pub refused: Vec<TableRefusal>,
    /// Whether nothing of it is to be applied where a table of it is refused.
    pub whole: bool,
}

impl Push {
    /// A push whose every part is within its limits.
    ///
    /// # Errors
    /// When one is not: with the value and the remedy.
    pub fn new(node: NodeDescription, epoch: u64, sequence: u64, tables: Vec<TableSnapshot>) -> Result<Self, Invalid> {
        check_around(&node, (epoch, sequence), tables.len())?;
        for (position, table) in tables.iter().enumerate() {
            check_table(table, &tables[..position], &node.key)?;
        }
        Ok(Self { node, epoch, sequence, tables, refused: Vec::new(), whole: false })
    }

    /// A push of those of its tables that are within their limits; the others are told in it.
    ///
    /// # Errors
    /// When what the node says of itself is not, or there are too many tables.
    pub fn without_refused(
        node: NodeDescription,
        epoch: u64,
        sequence: u64,
        tables: Vec<Result<TableSnapshot, TableRefusal>>,
    ) -> Result<Self, Invalid> {
        check_around(&node, (epoch, sequence), tables.len())?;
        let (mut taken, mut refused) = (Vec::with_capacity(tables.len()), Vec::new());
        for table in tables {
            let checked = table.and_then(|table| match check_table(&table, &taken, &node.key) {
                Ok(()) => Ok(table),
                Err(invalid) => Err(TableRefusal::new(table.schema.name.as_str(), invalid)),
            });
            match checked {
                Ok(table) => taken.push(table),
                Err(refusal) => refused.push(refusal),
            }
        }
        Ok(Self { node, epoch, sequence, tables: taken, refused, whole: false })
    }
}

/// All that is not a table's own.
fn check_around(node: &NodeDescription, (epoch, sequence): (u64, u64), tables: usize) -> Result<(), Invalid> {
    if sequence == 0 {
        return Err(Invalid::new(format!("a push of node {} has sequence 0", node.key), "count from 1"));
    }
    if epoch > EPOCH_MAX {
        let what = format!("a push of node {} has epoch {epoch}", node.key);
        return Err(Invalid::new(what, format!("the limit is {EPOCH_MAX}; a publisher registers, and is given one")));
    }
    node.check()?;
    at_most(format_args!("a push of node {}", node.key), tables, PUSH_TABLES_MAX, "tables")
}

fn check_table(table: &TableSnapshot, earlier: &[TableSnapshot], node: &NodeKey) -> Result<(), Invalid> {
    if earlier.iter().any(|earlier| earlier.schema.name == table.schema.name) {
        return Err(Invalid::new(
            format!("a push of node {node} has the table {} twice", table.schema.name),
            "send each table once",
        ));
    }
    table.check(node)
}

/// The decided end of a push: what `apply` says, and what a publisher is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PushOutcome {
    /// Every table of the push but the refused ones is visible at `revision`. `duplicate` when an earlier attempt had done it.
    Accepted {
        /// The applied Raft index.
        revision: u64,
        /// Whether this attempt changed nothing because an earlier one had.
        duplicate: bool,
        /// The tables that were left out.
        refused: Vec<TableRefusal>,
    },
    /// Nothing of the push was applied, and nothing will be.
    Refused {
        /// Why, and what to do.
        message: String,
    },
}

/// A push that is not decided as far as the replica knows; the same sequence may be sent again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}; retry in {retry_after_ms} ms")]
pub struct PushRetry {
    /// What stood in the way.
    pub message: String,
    /// When to try again.
    pub retry_after_ms: u32,
    /// What is known of it.
    pub reason: RetryReason,
}

/// What is known of a push that is not decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryReason {
    /// Nothing was written.
    NotWritten,
    /// It may have been written.
    OutcomeUnknown,
    /// Nothing was written, for want of disk or of room in a queue.
    ResourceExhausted,
}
