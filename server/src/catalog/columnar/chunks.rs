//! A pushed table in chunks: each covers the rows of some tens of nodes, and is built when somebody asks for it.
//!
//! A push makes one chunk anew, and the others are shared with the state before. Of a chunk only the columns that are
//! asked for are built. Who reads all of a table gets its columns in one piece, built of the chunks and kept until the
//! table changes.
//!
//! It is no part of the replicated state: how nodes are spread over chunks says nothing, and is not hashed.

use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::concat;
use imbl::OrdMap;
use unum_proto::model::NodeKey;

use super::{build_column, columns};
use crate::catalog::{Hashed, NodeStatus, Snapshot, State, Table};

/// Nodes of one chunk; one that has more is split. A push makes the next query build so many rows again.
const NODES_MAX: usize = 128;

/// A chunk with fewer nodes is joined with the one before it.
const NODES_MIN: usize = NODES_MAX / 4;

/// A column of more bytes is not put into one piece: it would be there twice, and a text column has its limit.
const WHOLE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// All chunks of a table, by the first node that each may have. A clone shares them.
#[derive(Debug, Clone, Default)]
pub struct Chunks {
    by_first: OrdMap<NodeKey, Arc<Chunk>>,
    whole: Arc<Columns<WholeColumn>>,
}

/// Some nodes' rows, next to each other in the order of the nodes' names.
#[derive(Debug, Default)]
pub struct Chunk {
    nodes: usize,
    rows: OnceLock<usize>,
    nodes_up: OnceLock<usize>,
    columns: Columns<Column>,
}

/// Columns that are built one by one.
#[derive(Debug)]
struct Columns<T>(OnceLock<Vec<T>>);

impl<T> Default for Columns<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T: Default> Columns<T> {
    fn get(&self, table: &Table, position: usize) -> &T {
        let columns = self.0.get_or_init(|| (0..columns(&table.schema)).map(|_| T::default()).collect());
        &columns[position]
    }
}

/// A column, and the least and the greatest of its texts.
#[derive(Debug, Default)]
struct Column {
    values: OnceLock<ArrayRef>,
    bounds: OnceLock<Option<(String, String)>>,
}

/// A column of all nodes; none if it is too large for one piece.
type WholeColumn = OnceLock<Option<ArrayRef>>;

type Snapshots = OrdMap<NodeKey, Arc<Hashed<Snapshot>>>;

impl Chunk {
    fn of(nodes: usize) -> Arc<Self> {
        Arc::new(Self { nodes, ..Self::default() })
    }
}

impl Chunks {
    /// The chunks of a table that has these rows.
    pub fn of(snapshots: &Snapshots) -> Self {
        // Half full, so that the next nodes find room.
        let keys: Vec<&NodeKey> = snapshots.keys().collect();
        let chunks = keys.chunks(NODES_MAX / 2).map(|nodes| (nodes[0].clone(), Chunk::of(nodes.len())));
        Self { by_first: chunks.collect(), whole: Arc::default() }
    }

    /// A node's rows, or what its rows show of it, are others than before. `snapshots` has them already.
    pub fn changed(&mut self, node: &NodeKey, is_new: bool, snapshots: &Snapshots) {
        self.whole = Arc::default();
        let Some((first, chunk)) = self.covering(node) else {
            self.by_first.insert(node.clone(), Chunk::of(1));
            return;
        };
        let nodes = chunk.nodes + usize::from(is_new);
        // A node before all others comes into the first chunk.
        let from = first.clone().min(node.clone());
        if from != first {
            self.by_first.remove(&first);
        }
        if nodes <= NODES_MAX {
            self.by_first.insert(from, Chunk::of(nodes));
            return;
        }
        let half = nodes / 2;
        let middle = snapshots.range::<_, NodeKey>(&from..).nth(half).map(|(key, _)| key.clone());
        let middle = middle.expect("a chunk has as many nodes as it says");
        self.by_first.insert(from, Chunk::of(half));
        self.by_first.insert(middle, Chunk::of(nodes - half));
    }

    /// A node has no rows any more.
    pub fn removed(&mut self, node: &NodeKey) {
        self.whole = Arc::default();
        let Some((first, chunk)) = self.covering(node) else { return };
        let nodes = chunk.nodes - 1;
        if nodes >= NODES_MIN {
            self.by_first.insert(first, Chunk::of(nodes));
            return;
        }
        self.by_first.remove(&first);
        let before = self.by_first.get_prev(&first).map(|(key, chunk)| (key.clone(), chunk.nodes));
        match before {
            Some((before, others)) if others + nodes <= NODES_MAX => {
                self.by_first.insert(before, Chunk::of(others + nodes));
            }
            _ if nodes > 0 => {
                self.by_first.insert(first, Chunk::of(nodes));
            }
            _ => {}
        }
    }

    /// Every row looks another way: the table has a column more.
    pub fn redrawn(&mut self) {
        let fresh = self.by_first.iter().map(|(first, chunk)| (first.clone(), Chunk::of(chunk.nodes)));
        *self = Self { by_first: fresh.collect(), whole: Arc::default() };
    }

    fn covering(&self, node: &NodeKey) -> Option<(NodeKey, Arc<Chunk>)> {
        let found = self.by_first.get_prev(node).or_else(|| self.by_first.get_min().map(|(key, chunk)| (key, chunk)));
        found.map(|(key, chunk)| (key.clone(), Arc::clone(chunk)))
    }
}

/// A chunk of a table in a state.
#[derive(Debug, Clone, Copy)]
pub struct ChunkView<'a> {
    state: &'a State,
    table: &'a Table,
    first: &'a NodeKey,
    chunk: &'a Chunk,
}

/// The chunks of a table, in the order of the nodes' names.
pub fn chunks<'a>(state: &'a State, table: &'a Table) -> impl Iterator<Item = ChunkView<'a>> {
    table.columnar.by_first.iter().map(move |(first, chunk)| ChunkView { state, table, first, chunk })
}

/// How many there are.
pub fn count(table: &Table) -> usize {
    table.columnar.by_first.len()
}

impl<'a> ChunkView<'a> {
    fn snapshots(&self) -> impl Iterator<Item = (&'a NodeKey, &'a Snapshot)> {
        let from = self.table.snapshots.range::<_, NodeKey>(self.first..).take(self.chunk.nodes);
        from.map(|(node, snapshot)| (node, snapshot.value()))
    }

    /// Its rows.
    pub fn rows(&self) -> usize {
        *self.chunk.rows.get_or_init(|| self.snapshots().map(|(_, snapshot)| snapshot.rows.len()).sum())
    }

    /// Its nodes: how many are up, of how many.
    pub fn nodes(&self) -> (usize, usize) {
        let is_up = |node: &NodeKey| self.state.nodes.get(node).is_some_and(|node| node.status == NodeStatus::Up);
        let up = self.chunk.nodes_up.get_or_init(|| self.snapshots().filter(|(node, _)| is_up(node)).count());
        (*up, self.chunk.nodes)
    }

    /// One column of `cluster_T`.
    pub fn column(&self, position: usize) -> ArrayRef {
        let build = || build_column(self.state, self.table, position, self.snapshots());
        Arc::clone(self.chunk.columns.get(self.table, position).values.get_or_init(build))
    }

    /// Whether a column may have this text. It never says no to one that is there.
    pub fn may_have(&self, position: usize, text: &str) -> bool {
        let column = self.column(position);
        let Some(texts) = column.as_string_opt::<i32>() else { return true };
        let bounds = || {
            let least = texts.iter().flatten().min()?.to_owned();
            Some((least, texts.iter().flatten().max()?.to_owned()))
        };
        match self.chunk.columns.get(self.table, position).bounds.get_or_init(bounds) {
            Some((least, greatest)) => least.as_str() <= text && text <= greatest.as_str(),
            // It has no texts: none of them equals anything.
            None => false,
        }
    }
}

/// One column of `cluster_T` with all nodes' rows; none if it is so large that it had better be read chunk by chunk.
pub fn whole_column(state: &State, table: &Table, position: usize) -> Option<ArrayRef> {
    let build = || {
        let parts: Vec<ArrayRef> = chunks(state, table).map(|chunk| chunk.column(position)).collect();
        match parts.as_slice() {
            [] => Some(build_column(state, table, position, std::iter::empty())),
            [only] => Some(Arc::clone(only)),
            _ if parts.iter().map(|part| part.get_buffer_memory_size()).sum::<usize>() > WHOLE_BYTES_MAX => None,
            _ => concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>()).ok(),
        }
    };
    table.columnar.whole.get(table, position).get_or_init(build).clone()
}

/// Rows of `cluster_T`.
pub fn rows(state: &State, table: &Table) -> usize {
    chunks(state, table).map(|chunk| chunk.rows()).sum()
}

/// Nodes with rows in a table: how many are up, of how many.
pub fn nodes(state: &State, table: &Table) -> (usize, usize) {
    chunks(state, table)
        .map(|chunk| chunk.nodes())
        .fold((0, 0), |(up, all), (more_up, more)| (up + more_up, all + more))
}
