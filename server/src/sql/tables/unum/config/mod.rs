//! The tables of the configuration's changes and of its past.

pub mod change_nodes;
pub mod changes;
pub mod drift;
pub mod history;

use unum_proto::model::MASK;
use unum_proto::model::secrets::is_secret_value;

/// A value, or what stands for one that is a secret.
fn shown(value: Option<&str>, secret: bool) -> Option<&str> {
    value.map(|value| if secret || is_secret_value(value) { MASK } else { value })
}
