//! Changes of the nodes' configuration: what is wanted, how far each node is, and what each key was.
//!
//! A change is one command: it names the settings of all its nodes, is checked whole, and is then a fact. Nodes hear of it
//! whenever they ask, and say what came of it; each step is a record.
//!
//! - [`records`]: what is kept, and under which name.
//! - [`rows`]: a node's configuration as it published it.
//! - [`change`]: a change begins, goes on, is cancelled or rolled back.
//! - [`converge`]: what nodes say of it, and what their pushes show.
//!
//! It knows no SQL: which nodes a statement means was found out before, at a version of the configuration that the
//! command names.

mod change;
mod converge;
mod records;
mod rows;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use imbl::OrdMap;
use unum_proto::model::{ChangeId, NodeKey};
use xxhash_rust::xxh3::xxh3_64;

use super::RecordKey;
use super::transition::Transition;

pub use change::{Assignment, ConfigDone, ConfigProposal, ConfigRefusal, ConfigStep, ConfigWish};
pub use records::{
    ConfigChange, ConfigRecord, ConfigRecordKey, ConfigSpan, Desired, Kind, Phase, Setting, Since, Target, TargetState,
};
pub use rows::{ConfigRow, config_row, config_rows};

/// Changes that are remembered, finished ones included.
pub const CHANGES_MAX: usize = 1_000;

/// Settings that one change may set.
pub const TARGETS_MAX: usize = 20_000;

/// Former values of one key of one node that are remembered.
pub const SPANS_PER_KEY_MAX: usize = 32;

/// All of it.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The revision at which any row of any node's configuration last changed.
    pub version: u64,
    /// By id, which is the revision of their commit.
    pub changes: OrdMap<ChangeId, Arc<ConfigChange>>,
    /// What each change sets, and how far that is.
    pub targets: OrdMap<ChangeId, OrdMap<Setting, Arc<Target>>>,
    /// What is wanted of each node, by key.
    pub desired: OrdMap<NodeKey, OrdMap<String, Arc<Desired>>>,
    /// Former values of each node, by key and the revision since which they were.
    pub spans: OrdMap<NodeKey, OrdMap<(String, u64), Arc<ConfigSpan>>>,
    /// Since when each node publishes its configuration.
    pub since: OrdMap<NodeKey, Since>,
    /// Of each setting that is being changed, by which change. Follows from `targets`.
    pub open: OrdMap<Setting, ChangeId>,
    /// Of each change key, the change. Follows from `changes`.
    pub by_change_key: OrdMap<String, ChangeId>,
}

impl Config {
    /// A record, if there is one under that name.
    pub fn get(&self, key: &ConfigRecordKey) -> Option<ConfigRecord> {
        Some(match key {
            ConfigRecordKey::Version => match self.version {
                0 => return None,
                version => ConfigRecord::Version(version),
            },
            ConfigRecordKey::Change(id) => ConfigRecord::Change(self.changes.get(id)?.as_ref().clone()),
            ConfigRecordKey::Target(id, setting) => {
                ConfigRecord::Target(self.targets.get(id)?.get(setting)?.as_ref().clone())
            }
            ConfigRecordKey::Desired(Setting { node, key }) => {
                ConfigRecord::Desired(self.desired.get(node)?.get(key)?.as_ref().clone())
            }
            ConfigRecordKey::Span(Setting { node, key }, from) => {
                ConfigRecord::Span(self.spans.get(node)?.get(&(key.clone(), *from))?.as_ref().clone())
            }
            ConfigRecordKey::Since(node) => ConfigRecord::Since(*self.since.get(node)?),
        })
    }

    /// Every record.
    pub fn records(&self) -> impl Iterator<Item = (ConfigRecordKey, ConfigRecord)> {
        let version = (self.version > 0).then_some(ConfigRecordKey::Version);
        let changes = self.changes.keys().map(|id| ConfigRecordKey::Change(*id));
        let targets = self
            .targets
            .iter()
            .flat_map(|(id, targets)| targets.keys().map(|setting| ConfigRecordKey::Target(*id, setting.clone())));
        let desired = self
            .desired
            .iter()
            .flat_map(|(node, desired)| desired.keys().map(|key| ConfigRecordKey::Desired(Setting::new(node, key))));
        let spans = self.spans.iter().flat_map(|(node, spans)| {
            spans.keys().map(|(key, from)| ConfigRecordKey::Span(Setting::new(node, key), *from))
        });
        let since = self.since.keys().map(|node| ConfigRecordKey::Since(node.clone()));
        let keys = version.into_iter().chain(changes).chain(targets).chain(desired).chain(spans).chain(since);
        keys.filter_map(|key| self.get(&key).map(|record| (key, record)))
    }

    /// What is wanted of a setting.
    pub fn desired_of(&self, setting: &Setting) -> Option<&Arc<Desired>> {
        self.desired.get(&setting.node)?.get(&setting.key)
    }

    /// The last former value of a setting.
    pub fn last_span(&self, node: &NodeKey, key: &str) -> Option<(u64, &Arc<ConfigSpan>)> {
        let spans = self.spans.get(node)?;
        let (from, to) = ((key.to_owned(), 0), (key.to_owned(), u64::MAX));
        spans.range(from..=to).next_back().map(|((_, from), span)| (*from, span))
    }

    /// Puts a record in its place, or takes it away.
    pub(super) fn set(&mut self, key: &ConfigRecordKey, record: Option<ConfigRecord>) {
        match (key, record) {
            (ConfigRecordKey::Version, Some(ConfigRecord::Version(version))) => self.version = version,
            (ConfigRecordKey::Change(id), Some(ConfigRecord::Change(change))) => {
                self.by_change_key.insert(change.change_key.clone(), *id);
                self.changes.insert(*id, Arc::new(change));
            }
            (ConfigRecordKey::Change(id), None) => {
                if let Some(change) = self.changes.remove(id) {
                    self.by_change_key.remove(&change.change_key);
                }
            }
            (ConfigRecordKey::Target(id, setting), Some(ConfigRecord::Target(target))) => {
                match target.state.is_open() {
                    true => {
                        self.open.insert(setting.clone(), *id);
                    }
                    false => self.close(*id, setting),
                }
                self.targets.entry(*id).or_default().insert(setting.clone(), Arc::new(target));
            }
            (ConfigRecordKey::Target(id, setting), None) => {
                self.close(*id, setting);
                if let Some(targets) = self.targets.get_mut(id) {
                    targets.remove(setting);
                    if targets.is_empty() {
                        self.targets.remove(id);
                    }
                }
            }
            (ConfigRecordKey::Desired(Setting { node, key }), Some(ConfigRecord::Desired(desired))) => {
                self.desired.entry(node.clone()).or_default().insert(key.clone(), Arc::new(desired));
            }
            (ConfigRecordKey::Desired(Setting { node, key }), None) => {
                if let Some(desired) = self.desired.get_mut(node) {
                    desired.remove(key);
                    if desired.is_empty() {
                        self.desired.remove(node);
                    }
                }
            }
            (ConfigRecordKey::Span(Setting { node, key }, from), Some(ConfigRecord::Span(span))) => {
                self.spans.entry(node.clone()).or_default().insert((key.clone(), *from), Arc::new(span));
            }
            (ConfigRecordKey::Span(Setting { node, key }, from), None) => {
                if let Some(spans) = self.spans.get_mut(node) {
                    spans.remove(&(key.clone(), *from));
                    if spans.is_empty() {
                        self.spans.remove(node);
                    }
                }
            }
            (ConfigRecordKey::Since(node), Some(ConfigRecord::Since(since))) => {
                self.since.insert(node.clone(), since);
            }
            (ConfigRecordKey::Since(node), None) => {
                self.since.remove(node);
            }
            (key, record) => unreachable!("{record:?} is no record of {key:?}"),
        }
    }

    fn close(&mut self, change: ChangeId, setting: &Setting) {
        if self.open.get(setting) == Some(&change) {
            self.open.remove(setting);
        }
    }
}

/// What a record adds to the state hash.
pub(super) fn hash_of(key: &ConfigRecordKey, record: &ConfigRecord) -> u64 {
    xxh3_64(&postcard::to_extend(&(key, record), vec![b'c']).expect("model types always encode"))
}

impl Transition<'_> {
    /// Puts a record in its place, or takes it away.
    fn put_config(&mut self, key: ConfigRecordKey, record: Option<ConfigRecord>) {
        let config = &mut self.state.config;
        let removed = config.get(&key).map(|before| hash_of(&key, &before));
        let added = record.as_ref().map(|record| hash_of(&key, record));
        config.set(&key, record);
        self.state.rehash(removed, added);
        self.changes.insert(RecordKey::Config(key));
    }
}
