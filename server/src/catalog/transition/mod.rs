//! The transition of the state. Deterministic: the same commands in the same order give the same value and the
//! same outcomes on every replica, today and after a replay.
//!
//! A [`Transition`] is one command on its way into the state. All that can refuse comes before all that changes.
//!
//! - [`push`]: a push is applied, once, whole or not at all.
//! - [`departure`]: nodes fall silent, are removed, and are forgotten.
//! - [`registration`]: a publisher takes a node's name, or gives it back.
//! - [`sweep`]: tables and columns that are unused for long go.
//! - `change`: what a statement changes, once for its change key; [`drop_table`] and [`alter_table`] are such changes.
//! - `config::change` and `config::converge`: changes of the nodes' configuration.

mod alter_table;
mod departure;
mod drop_table;
mod push;
mod registration;
mod sweep;

use std::collections::BTreeSet;
use std::sync::Arc;

use unum_proto::model::{NodeKey, TableName};

use super::{Command, Hashed, Node, Outcome, RecordKey, State, Table};

/// What came of one command.
#[derive(Debug)]
pub struct Applied {
    /// What the proposer is told.
    pub outcome: Outcome,
    /// The records that differ from the state before: what a store has to write.
    pub changes: BTreeSet<RecordKey>,
}

/// One command on its way into the state.
pub(super) struct Transition<'a> {
    pub(super) state: &'a mut State,
    /// The leader's wall clock when it proposed the command, microseconds since the epoch.
    pub(super) at_us: i64,
    pub(super) changes: BTreeSet<RecordKey>,
}

impl State {
    /// Applies the command of log entry `revision`.
    pub fn apply(&mut self, revision: u64, command: Command) -> Applied {
        self.skip(revision);
        let mut transition = Transition { state: self, at_us: command.at_us(), changes: BTreeSet::new() };
        let outcome = match command {
            Command::Pushes { pushes, .. } => {
                Outcome::Pushes(pushes.into_iter().map(|push| transition.push(push)).collect())
            }
            Command::Silences { silences, .. } => {
                let changed = silences.iter().filter(|silence| transition.silence(silence));
                Outcome::Silences { changed: changed.count() as u32 }
            }
            Command::RemoveNode { node, .. } => Outcome::NodeRemoved(transition.remove_node(&node)),
            Command::Register { registration, .. } => Outcome::Registered(transition.register(registration)),
            Command::Release { node, epoch, .. } => Outcome::Released(transition.release(&node, epoch)),
            Command::Sweep { places, before_us, .. } => Outcome::Swept { gone: transition.sweep(&places, before_us) },
            Command::ProposeConfig { proposal, .. } => Outcome::Config(transition.propose_config(proposal)),
            Command::StepConfig { change, step, .. } => Outcome::Config(transition.step_config(change, step)),
            Command::Change { change_key, change, .. } => Outcome::Changed(transition.change(change_key, change)),
            Command::ReportConfig { node, reports, .. } => {
                Outcome::ConfigReported { new: transition.report_config(&node, reports) }
            }
        };
        let changes = transition.changes;
        Applied { outcome, changes }
    }

    /// An entry without a command still is a revision. The log starts at 0, with the first membership.
    pub fn skip(&mut self, revision: u64) {
        let advances = revision > self.revision || revision == 0;
        assert!(advances, "entry {revision} applied at revision {}", self.revision);
        self.revision = revision;
    }

    /// The state hash after one record took the place of another.
    pub(super) fn rehash(&mut self, removed: Option<u64>, added: Option<u64>) {
        self.hash = self.hash.wrapping_sub(removed.unwrap_or(0)).wrapping_add(added.unwrap_or(0));
    }

    /// The tables that a node has rows in.
    fn tables_of(&self, node: &NodeKey) -> Vec<TableName> {
        let own = self.tables.iter().filter(|(_, table)| table.snapshots.contains_key(node));
        own.map(|(name, _)| name.clone()).collect()
    }
}

impl Transition<'_> {
    pub(super) fn put_node(&mut self, node: Node) {
        let key = node.description.key.clone();
        let node = Hashed::node(node);
        let added = node.hash();
        let before = self.state.nodes.insert(key.clone(), Arc::new(node));
        self.state.rehash(before.map(|before| before.hash()), Some(added));
        self.changes.insert(RecordKey::Node(key));
    }

    /// A node's rows show its status, too, and that changes.
    pub(super) fn redraw(&mut self, node: &NodeKey) {
        for name in self.state.tables_of(node) {
            let mut table = Table::clone(&self.state.tables[&name]);
            table.columnar.changed(node, false, &table.snapshots);
            self.state.tables.insert(name, Arc::new(table));
        }
    }
}
