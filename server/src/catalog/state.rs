//! The replicated state as one immutable value.
//!
//! The maps are persistent (they share what did not change), so a clone costs a few pointers and a reader that
//! holds an `Arc<State>` sees one revision for as long as it likes.

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use unum_proto::model::{NodeDescription, NodeKey, Row, TableName, TableRefusal, limits};

use super::change::ChangeKeys;
use super::columnar::chunks::Chunks;
use super::config::Config;
use super::hashed::Hashed;
use super::publisher::Publisher;
use super::schema::KnownSchema;
use super::unused::Unused;

/// Everything that is replicated, at one revision: what nodes pushed, changes of their configuration, which changes were made.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The index of the last applied log entry; 0 before the first.
    pub revision: u64,
    /// The sum of all records' hashes: equal on all replicas at equal revision.
    pub hash: u64,
    /// All nodes by name, removed ones included: their epoch must not come back.
    pub nodes: OrdMap<NodeKey, Arc<Hashed<Node>>>,
    /// Who publishes under the names of nodes that somebody registered.
    pub publishers: OrdMap<NodeKey, Arc<Hashed<Publisher>>>,
    /// All pushed tables by name.
    pub tables: OrdMap<TableName, Arc<Table>>,
    /// What of the tables is unused, and since when.
    pub unused: OrdMap<TableName, Arc<Hashed<Unused>>>,
    /// Changes of the nodes' configuration, and its past.
    pub config: Config,
    /// Which other changes were made.
    pub change_keys: ChangeKeys,
}

/// What the catalog thinks of a node. Replicated, never computed by a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeStatus {
    /// It pushes.
    Up,
    /// It was silent for its TTL.
    Stale,
    /// It was silent for three times its TTL. Its last rows stay, marked.
    Down,
    /// It was removed by hand. Its rows are gone, and only a new epoch brings it back.
    Removed,
}

/// A node that was silent for so many TTLs is down.
pub const TTLS_UNTIL_DOWN: u32 = 3;

impl NodeStatus {
    /// As SQL shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Stale => "stale",
            Self::Down => "down",
            Self::Removed => "removed",
        }
    }
}

/// A node of the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// What it last said of itself.
    pub description: NodeDescription,
    /// Whether it still pushes.
    pub status: NodeStatus,
    /// Its incarnation.
    pub epoch: u64,
    /// The last applied push of that incarnation.
    pub sequence: u64,
    /// The content of that push.
    pub content_hash: u64,
    /// The leader's wall clock at that push, microseconds since the epoch.
    pub received_at_us: i64,
    /// The revision of that push.
    pub revision: u64,
    /// The leader's wall clock when the status became what it is.
    pub status_since_us: i64,
    /// The tables that were left out of that push.
    pub refused: Vec<TableRefusal>,
}

/// A pushed table over all nodes.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its columns.
    pub schema: Arc<Hashed<KnownSchema>>,
    /// The rows by the node that pushed them.
    pub snapshots: OrdMap<NodeKey, Arc<Hashed<Snapshot>>>,
    /// The table as Arrow, as far as somebody asked.
    pub(super) columnar: Chunks,
}

/// One node's rows of one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// In the column order of the table's schema; a row may be shorter than a schema that has grown since, and have values
    /// of types that a column had before it became wider.
    pub rows: Vec<Row>,
    /// The node's wall clock when it read the rows, microseconds since the epoch.
    pub collected_at_us: i64,
    /// The leader's wall clock when it took them in.
    pub received_at_us: i64,
    /// The revision since which they are visible.
    pub revision: u64,
}

/// Nodes that one catalog holds. Ten times the largest cluster Unum is measured with.
pub const NODES_MAX: usize = 100_000;

/// Tables that one catalog holds: every one is listed in every planning. What no node has rows in makes room for another.
pub const TABLES_MAX: usize = 1_000;

/// Tables that one node has rows in. A push has fewer, and they add up: only DROP TABLE takes one away again.
pub const TABLES_PER_NODE_MAX: usize = 256;

impl Table {
    /// A table without rows.
    pub fn new(schema: Hashed<KnownSchema>) -> Self {
        Self { schema: Arc::new(schema), snapshots: OrdMap::new(), columnar: Chunks::default() }
    }

    /// Rows over all nodes.
    pub fn rows(&self) -> usize {
        self.snapshots.values().map(|snapshot| snapshot.rows.len()).sum()
    }

    /// Bytes of the values of these rows.
    pub fn bytes(&self) -> u64 {
        let values = self.snapshots.values().flat_map(|snapshot| snapshot.rows.iter().flatten());
        values.map(|value| value.bytes() as u64).sum()
    }
}

impl State {
    /// Bytes of the values of all rows.
    pub fn bytes(&self) -> u64 {
        self.tables.values().map(|table| table.bytes()).sum()
    }

    /// The nodes with rows in a table.
    pub fn nodes_of<'a>(&'a self, table: &'a Table) -> impl Iterator<Item = &'a Node> {
        table.snapshots.keys().filter_map(|key| self.nodes.get(key).map(|node| node.value()))
    }

    /// A bug that is planted: rows that an older state had and this one has not stay.
    #[cfg(feature = "planted-bugs")]
    pub fn keep_rows_of(&mut self, older: &Self) {
        for (name, of_older) in &older.tables {
            let Some(mut table) = self.tables.get(name).map(|table| Table::clone(table)) else { continue };
            for (node, rows) in &of_older.snapshots {
                if !table.snapshots.contains_key(node) {
                    table.snapshots.insert(node.clone(), Arc::clone(rows));
                    table.columnar.changed(node, true, &table.snapshots);
                }
            }
            self.tables.insert(name.clone(), Arc::new(table));
        }
    }
}

// A push has to fit where it is kept.
const _: () = assert!(limits::ROW_BYTES_MAX < limits::PUSH_BYTES_MAX);
