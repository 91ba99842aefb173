//! Parts of messages.

use crate::model::{Invalid, Row, Value};
use crate::wire;

/// A field that has to be set.
pub(in crate::model) fn required<T>(field: Option<T>, name: &str) -> Result<T, Invalid> {
    field.ok_or_else(|| Invalid::new(format!("the message has no {name}"), "set it"))
}

/// A row; whether it fits its schema is not known yet.
pub(in crate::model) fn row_from_wire(wire: wire::Row) -> Row {
    wire.values.into_iter().map(Value::from).collect()
}

/// The inverse of [`row_from_wire`].
pub(in crate::model) fn row_to_wire(row: &Row) -> wire::Row {
    wire::Row { values: row.iter().map(Into::into).collect() }
}

// Pushes.
