//! A node's configuration: what it publishes of it, and how it sets what SQL wants of it.
//!
//! - [`config_table`]: the table `config`, secrets masked before they leave the node.
//! - [`Subscription`]: what is wanted, applied key by key and reported.
//! - [`hook`] and [`file`]: targets of `unum agent`; [`command`] runs what they and the agent run.

pub mod command;
pub mod file;
pub mod hook;
mod push_request;
mod subscription;

use unum_proto::model::secrets::{is_secret, is_secret_value};
pub use unum_proto::model::{CONFIG_COLUMNS, CONFIG_TABLE, ConfigOutcome, ConfigType, MASK};
use unum_proto::model::{Invalid, TableSnapshot, Value};

pub use self::push_request::{PushRequest, PushRequester, PushRequests, push_requests};
pub use self::subscription::{ConfigRequest, Subscription};
use crate::Table;

/// One key of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Its name.
    pub key: String,
    /// What it is; none if it is not set.
    pub value: Option<String>,
    /// What it may hold: SET CONFIG checks it.
    pub data_type: ConfigType,
    /// What it is when nobody sets it.
    pub default: Option<String>,
    /// Whether a change takes effect at once.
    pub dynamic: bool,
    /// Whether its values are masked; those whose names say so always are.
    pub secret: bool,
    /// What it does.
    pub description: String,
}

impl ConfigEntry {
    /// A dynamic key of a type.
    pub fn new(key: impl Into<String>, value: impl Into<String>, data_type: ConfigType) -> Self {
        Self {
            key: key.into(),
            value: Some(value.into()),
            data_type,
            default: None,
            dynamic: true,
            secret: false,
            description: String::new(),
        }
    }
}

impl ConfigEntry {
    /// Whether its values are masked: it is marked, or its name or a value of it says so.
    pub fn is_secret(&self) -> bool {
        let mut values = self.value.iter().chain(&self.default);
        self.secret || is_secret(&self.key) || values.any(|value| is_secret_value(value))
    }
}

/// The table that a node publishes its configuration as. Secrets are masked here, before they leave the node.
pub fn config_table(entries: impl IntoIterator<Item = ConfigEntry>) -> Result<TableSnapshot, Invalid> {
    let rows = entries.into_iter().map(|entry| {
        let secret = entry.is_secret();
        let shown = |value: String| Value::from(if secret { MASK.to_owned() } else { value });
        vec![
            entry.key.into(),
            entry.value.map_or(Value::Null, shown),
            entry.data_type.to_string().into(),
            entry.default.map_or(Value::Null, shown),
            entry.dynamic.into(),
            secret.into(),
            entry.description.into(),
        ]
    });
    let table = rows.fold(Table::new(CONFIG_TABLE, CONFIG_COLUMNS)?, Table::row);
    Ok(table.snapshot())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_leave_the_node() {
        let entry = |key: &str, secret| ConfigEntry {
            default: Some("hush".into()),
            secret,
            ..ConfigEntry::new(key, "hush", ConfigType::Text)
        };
        let table = config_table([entry("db.password", false), entry("pin", true), entry("log.level", false)]).unwrap();
        let text = format!("{:?}", table.rows[..2].iter().collect::<Vec<_>>());
        assert!(!text.contains("hush") && text.contains(MASK), "{text}");
        assert_eq!(table.rows[2][1], "hush".into());
    }
}
