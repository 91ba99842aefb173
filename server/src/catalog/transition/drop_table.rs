//! A pushed table leaves the catalog.

use unum_proto::model::{CONFIG_TABLE, TableName};

use super::Transition;
use crate::catalog::RecordKey;
use crate::catalog::unused::Unused;

impl Transition<'_> {
    /// A table with its columns and all rows; says whether there was one. An error says why it stays.
    pub(in crate::catalog) fn drop_table(&mut self, name: &TableName, if_exists: bool) -> Result<bool, String> {
        if name.as_str() == CONFIG_TABLE {
            return Err(format!(
                "cluster_{name} is what SET CONFIG goes by and cannot be dropped; remove the node whose rows are to go"
            ));
        }
        match self.remove_table(name) {
            true => Ok(true),
            false if if_exists => Ok(false),
            false => Err(format!("there is no table cluster_{name}; SHOW TABLES lists what there is")),
        }
    }

    /// The same of any table; says whether there was one.
    pub(super) fn remove_table(&mut self, name: &TableName) -> bool {
        let Some(table) = self.state.tables.remove(name) else { return false };
        self.put_unused(name, Unused::default());
        for (node, snapshot) in &table.snapshots {
            self.state.rehash(Some(snapshot.hash()), None);
            self.changes.insert(RecordKey::Snapshot(node.clone(), name.clone()));
        }
        self.state.rehash(Some(table.schema.hash()), None);
        self.changes.insert(RecordKey::Schema(name.clone()));
        true
    }
}
