//! The tables of the configuration's changes and of its past.

pub mod change_nodes;
pub mod changes;
pub mod drift;
pub mod history;

use unum_proto::model::MASK;

/// A value, or what stands for one that is a secret.
fn shown(value: Option<&str>, secret: bool) -> Option<&str> {
    if secret { value.map(|_| MASK) } else { value }
}
