//! What must hold after every apply. A failure here is a bug, never bad input: better no replica than a wrong one.

use std::sync::Arc;

use unum_proto::model::TableSchema;

use super::{Hashed, Node, Snapshot};

/// I3: (epoch, sequence) of a node never goes back.
pub(super) fn sequence_advances(before: Option<&Arc<Hashed<Node>>>, after: &Node) {
    if let Some(before) = before {
        assert!(
            (after.epoch, after.sequence) > (before.epoch, before.sequence),
            "node {} goes from epoch {} sequence {} back to {} {}",
            after.description.key,
            before.epoch,
            before.sequence,
            after.epoch,
            after.sequence,
        );
    }
}

/// No row is wider than its table.
pub(super) fn rows_fit(schema: &TableSchema, snapshot: &Snapshot) {
    for row in &snapshot.rows {
        assert!(
            row.len() <= schema.columns.len(),
            "a row of table {} has {} values for {} columns",
            schema.name,
            row.len(),
            schema.columns.len(),
        );
    }
}
