//! What must hold after every apply. A failure here is a bug, never bad input: better no replica than a wrong one.

use std::sync::Arc;

use super::{Hashed, KnownSchema, Node, Snapshot};

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

/// No row is wider than its table, and each of its values can be read as its column's type.
pub(super) fn rows_fit(schema: &KnownSchema, snapshot: &Snapshot) {
    for row in &snapshot.rows {
        assert!(
            row.len() <= schema.columns.len(),
            "a row of table {} has {} values for {} columns",
            schema.name,
            row.len(),
            schema.columns.len(),
        );
        for (value, column) in row.iter().zip(&schema.columns) {
            let (of, name) = (column.data_type, &column.name);
            assert!(value.fits(of), "{:?} in {}.{name}, which is {of}", value.data_type(), schema.name);
        }
    }
}
