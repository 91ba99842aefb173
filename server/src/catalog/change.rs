//! Changes of the catalog that a statement makes, each exactly once for its change key.
//!
//! A new one is a variant of [`CatalogChange`] and what it does to the state, beside the others in `transition`. How it is proposed,
//! told of and found again when it is repeated is the same for all: the key of each that was made is a record. Changes of the nodes'
//! configuration take time and have a story of their own: [`super::config`].

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use unum_proto::model::{ColumnName, DataType, TableName};

use super::Hashed;
use super::transition::Transition;
use crate::catalog::RecordKey;

/// Changes whose keys are remembered. A client repeats one for as long as its statement has time, which is far shorter than
/// anybody needs to make as many others.
pub const CHANGE_KEYS_MAX: usize = 10_000;

/// What a statement changes in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CatalogChange {
    /// A pushed table leaves, with its columns and the rows of all nodes. A node that pushes it again begins it anew.
    DropTable {
        /// Its name, as it was pushed.
        table: TableName,
        /// Whether it may be unknown.
        if_exists: bool,
    },
    /// A column of a pushed table leaves, with its values on all nodes.
    DropColumn {
        /// The table, as it was pushed.
        table: TableName,
        /// The column.
        column: ColumnName,
        /// Whether it may be unknown.
        if_exists: bool,
    },
    /// A column of a pushed table gets a type that all its values can have without loss.
    SetType {
        /// The table, as it was pushed.
        table: TableName,
        /// The column.
        column: ColumnName,
        /// The type.
        data_type: DataType,
    },
}

/// What came of a change that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Changed {
    /// It is made.
    Made,
    /// An earlier attempt had made it.
    Before,
    /// There was nothing to be changed.
    Nothing,
}

/// Which changes were made: by revision, and by change key.
#[derive(Debug, Clone, Default)]
pub struct ChangeKeys {
    by_revision: OrdMap<u64, Arc<Hashed<String>>>,
    by_key: OrdMap<String, u64>,
}

impl ChangeKeys {
    /// The revision of the change with this key.
    pub fn revision_of(&self, change_key: &str) -> Option<u64> {
        self.by_key.get(change_key).copied()
    }

    pub(super) fn get(&self, revision: u64) -> Option<&Arc<Hashed<String>>> {
        self.by_revision.get(&revision)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Arc<Hashed<String>>)> {
        self.by_revision.iter().map(|(revision, key)| (*revision, key))
    }

    pub(super) fn insert(&mut self, revision: u64, change_key: Hashed<String>) {
        self.by_key.insert(change_key.value().clone(), revision);
        self.by_revision.insert(revision, Arc::new(change_key));
    }

    fn remove_oldest(&mut self) -> Option<(u64, Arc<Hashed<String>>)> {
        let (revision, change_key) = self.by_revision.get_min().cloned()?;
        self.by_revision.remove(&revision);
        self.by_key.remove(change_key.value());
        Some((revision, change_key))
    }
}

impl Transition<'_> {
    /// Makes a change, unless one with its key was made; an error says why not, and nothing is changed then.
    pub(super) fn change(&mut self, change_key: String, change: CatalogChange) -> Result<Changed, String> {
        if self.state.change_keys.revision_of(&change_key).is_some() {
            return Ok(Changed::Before);
        }
        let changed = match change {
            CatalogChange::DropTable { table, if_exists } => self.drop_table(&table, if_exists)?,
            CatalogChange::DropColumn { table, column, if_exists } => self.drop_column(&table, &column, if_exists)?,
            CatalogChange::SetType { table, column, data_type } => self.set_type(&table, &column, data_type)?,
        };
        if !changed {
            return Ok(Changed::Nothing);
        }
        self.remember_change(change_key);
        Ok(Changed::Made)
    }

    fn remember_change(&mut self, change_key: String) {
        let revision = self.state.revision;
        let change_key = Hashed::change_key(revision, change_key);
        self.state.rehash(None, Some(change_key.hash()));
        self.state.change_keys.insert(revision, change_key);
        self.changes.insert(RecordKey::ChangeKey(revision));
        if self.state.change_keys.by_revision.len() > CHANGE_KEYS_MAX
            && let Some((revision, forgotten)) = self.state.change_keys.remove_oldest()
        {
            self.state.rehash(Some(forgotten.hash()), None);
            self.changes.insert(RecordKey::ChangeKey(revision));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use unum_proto::model::{DataType, NodeDescription, NodeKey, Push, TableSchema, TableSnapshot};

    use super::*;
    use crate::catalog::{Command, Outcome, StampedPush, State};

    fn pushed(table: &str) -> State {
        let schema = TableSchema::of(table, &[("value", DataType::Int64, "")]).expect("a schema");
        let table = TableSnapshot { schema: schema.into(), rows: vec![vec![1i64.into()]], collected_at_us: 0 };
        let node = NodeDescription::new(NodeKey::parse("test", "n1").expect("a name"));
        let push = StampedPush::new(Push::new(node, 1, 1, vec![table]).expect("a push"));
        let mut state = State::default();
        state.apply(1, Command::Pushes { received_at_us: 0, pushes: vec![push] });
        state
    }

    fn drop_table(state: &mut State, key: &str, table: &str, if_exists: bool) -> Result<Changed, String> {
        let change = CatalogChange::DropTable { table: TableName::of_record(table).expect("a name"), if_exists };
        let restored = |state: &State| {
            State::restore(state.revision, state.records().map(|(key, record)| (key, record.to_owned())))
        };
        let command = Command::Change { at_us: 0, change_key: key.to_owned(), change };
        let mut again = restored(state).expect("a state restores from its records");
        let outcome = again.apply(state.revision + 1, command.clone()).outcome;
        let applied = state.apply(state.revision + 1, command);
        assert_eq!((&applied.outcome, state.hash), (&outcome, again.hash), "a restored state goes on as this one");
        assert_eq!(restored(state).expect("it restores").hash, state.hash, "the hash is that of the records");
        match applied.outcome {
            Outcome::Changed(changed) => changed,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_change_is_made_once_for_its_key() {
        let mut state = pushed("metrics");
        assert_eq!(drop_table(&mut state, "k1", "metrics", false), Ok(Changed::Made));
        assert!(state.tables.is_empty());
        assert_eq!(drop_table(&mut state, "k1", "metrics", false), Ok(Changed::Before));
        assert!(drop_table(&mut state, "k2", "metrics", false).expect_err("it is gone").contains("cluster_metrics"));
        assert_eq!(drop_table(&mut state, "k2", "metrics", true), Ok(Changed::Nothing));
        assert_eq!(state.change_keys.iter().count(), 1, "what was refused, or was nothing, is not remembered");
    }

    #[test]
    fn a_table_that_was_dropped_begins_anew() {
        let mut state = pushed("metrics");
        drop_table(&mut state, "k", "metrics", false).expect("it is there");
        let schema = TableSchema::of("metrics", &[("value", DataType::Text, "")]).expect("a schema");
        let table = TableSnapshot { schema: schema.into(), rows: vec![vec!["x".into()]], collected_at_us: 0 };
        let node = NodeDescription::new(NodeKey::parse("test", "n1").expect("a name"));
        let push = StampedPush::new(Push::new(node, 1, 2, vec![table]).expect("a push"));
        state.apply(3, Command::Pushes { received_at_us: 0, pushes: vec![push] });
        let table = &state.tables[&"metrics".parse::<TableName>().expect("a name")];
        assert_eq!((table.rows(), table.schema.columns[0].data_type), (1, DataType::Text));
    }

    #[test]
    fn the_configuration_of_nodes_is_not_dropped() {
        let mut state = pushed("config");
        let refused = drop_table(&mut state, "k", "config", true).expect_err("it is refused");
        assert!(refused.contains("remove the node"), "{refused}");
        assert_eq!(state.tables.len(), 1);
    }

    #[test]
    fn the_oldest_key_makes_room() {
        let mut state = State::default();
        for number in 0..=CHANGE_KEYS_MAX {
            state.skip(number as u64 + 1);
            let mut transition = Transition { state: &mut state, at_us: 0, changes: BTreeSet::new() };
            transition.remember_change(format!("k{number}"));
            let oldest = (number == CHANGE_KEYS_MAX).then_some(RecordKey::ChangeKey(1));
            let changes: BTreeSet<_> = oldest.into_iter().chain([RecordKey::ChangeKey(number as u64 + 1)]).collect();
            assert_eq!(transition.changes, changes);
        }
        assert_eq!(state.change_keys.revision_of("k0"), None);
        assert_eq!(state.change_keys.revision_of("k1"), Some(2));
        assert_eq!(state.change_keys.iter().count(), CHANGE_KEYS_MAX);
        let restored = State::restore(state.revision, state.records().map(|(key, record)| (key, record.to_owned())));
        assert_eq!(restored.expect("it restores").hash, state.hash);
    }
}
