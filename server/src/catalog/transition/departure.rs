//! Nodes fall silent, are removed, and are forgotten.

use std::sync::Arc;

use unum_proto::model::NodeKey;

use super::Transition;
use crate::catalog::{Node, NodeStatus, RecordKey, Silence, State, Table};

impl Transition<'_> {
    /// Whether the node's status changed: not if it has pushed since.
    pub(super) fn silence(&mut self, silence: &Silence) -> bool {
        let Some(node) = self.state.nodes.get(&silence.node) else { return false };
        let since = (node.epoch, node.sequence) == (silence.epoch, silence.sequence);
        if !since || node.status == NodeStatus::Removed || node.status == silence.status {
            return false;
        }
        let node = Node { status: silence.status, status_since_us: self.at_us, ..Node::clone(node) };
        self.redraw(&silence.node);
        self.put_node(node);
        true
    }

    pub(super) fn remove_node(&mut self, key: &NodeKey) -> Result<(), String> {
        let node = match self.state.nodes.get(key) {
            Some(node) if node.status != NodeStatus::Removed => Node::clone(node),
            Some(_) => return Err(format!("node {key} was removed before; SELECT * FROM nodes shows all")),
            None => return Err(format!("there is no node {key}; SELECT * FROM nodes shows all")),
        };
        for name in self.state.tables_of(key) {
            let mut table = Table::clone(&self.state.tables[&name]);
            let removed = table.snapshots.remove(key);
            table.columnar.removed(key);
            self.state.tables.insert(name.clone(), Arc::new(table));
            self.state.rehash(removed.map(|snapshot| snapshot.hash()), None);
            self.changes.insert(RecordKey::Snapshot(key.clone(), name));
        }
        self.config_node_removed(key);
        self.remove_publisher(key);
        self.put_node(Node { status: NodeStatus::Removed, status_since_us: self.at_us, ..node });
        Ok(())
    }

    /// Makes room in a full catalog: what is forgotten of a removed node is that its epoch may not come back.
    pub(super) fn forget_oldest_removed(&mut self) {
        let Some(key) = self.state.oldest_removed() else { return };
        let forgotten = self.state.nodes.remove(&key);
        self.state.rehash(forgotten.map(|node| node.hash()), None);
        self.changes.insert(RecordKey::Node(key));
    }
}

impl State {
    /// The node that was removed first, if any was.
    pub(super) fn oldest_removed(&self) -> Option<NodeKey> {
        let removed = self.nodes.iter().filter(|(_, node)| node.status == NodeStatus::Removed);
        removed.min_by_key(|(_, node)| node.status_since_us).map(|(key, _)| key.clone())
    }
}
