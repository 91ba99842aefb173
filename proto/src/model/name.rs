//! Names: of nodes, tables and columns. Parsed once, at the edge.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Invalid;
use super::invalid::quoted;
use super::limits::{IDENTIFIER_CHARS_MAX, NODE_NAME_CHARS_MAX};

macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_newtype!(
    /// A node type or a node's id: `[a-z0-9_.-]{1,64}`.
    NodeName
);
text_newtype!(
    /// The name of a pushed table: `[a-z_][a-z0-9_]{0,63}`, and not one that the catalog uses itself.
    TableName
);
text_newtype!(
    /// The name of a column: `[a-z_][a-z0-9_]{0,63}`.
    ColumnName
);

impl FromStr for NodeName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
        if text.is_empty() || text.len() > NODE_NAME_CHARS_MAX || !text.chars().all(legal) {
            return Err(Invalid::new(
                format!("{} is not a node type or node id", quoted(text)),
                format!("use 1 to {NODE_NAME_CHARS_MAX} characters of a-z, 0-9, '_', '.' and '-'"),
            ));
        }
        Ok(Self(text.into()))
    }
}

/// Tables of schema `unum` that the catalog makes itself, as far as [`CLUSTER_PREFIX`] does not reserve them. A pushed table of
/// the same name could not be reached. A test of the server ties this list to its tables.
pub const RESERVED_TABLES: [&str; 11] = [
    "nodes",
    "replicas",
    "tables",
    "columns",
    "agents",
    "publishers",
    "node_infos",
    "config_changes",
    "config_change_nodes",
    "config_history",
    "config_drift",
];

/// What `cluster_T` is made of; a pushed table must not look like one.
pub const CLUSTER_PREFIX: &str = "cluster_";

impl TableName {
    /// The name of a table that is kept already. It was legal when it was pushed: one that was reserved since is no
    /// reason to lose what has it.
    ///
    /// # Errors
    /// When no version could have kept it.
    pub fn of_record(text: &str) -> Result<Self, Invalid> {
        identifier("table", text)?;
        Ok(Self(text.into()))
    }
}

impl FromStr for TableName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        identifier("table", text)?;
        if RESERVED_TABLES.contains(&text) || text.starts_with(CLUSTER_PREFIX) {
            return Err(Invalid::new(
                format!("the table name {} is the catalog's own", quoted(text)),
                format!("push under another name, not {} or {CLUSTER_PREFIX}…", RESERVED_TABLES.join(", ")),
            ));
        }
        Ok(Self(text.into()))
    }
}

impl FromStr for ColumnName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        identifier("column", text)?;
        Ok(Self(text.into()))
    }
}

fn identifier(what: &str, text: &str) -> Result<(), Invalid> {
    let first = |c: char| c.is_ascii_lowercase() || c == '_';
    let rest = |c: char| first(c) || c.is_ascii_digit();
    if text.len() <= IDENTIFIER_CHARS_MAX && text.starts_with(first) && text.chars().all(rest) {
        return Ok(());
    }
    Err(Invalid::new(
        format!("{} is not a {what} name", quoted(text)),
        format!("use 1 to {IDENTIFIER_CHARS_MAX} characters of a-z, 0-9 and '_', not starting with a digit"),
    ))
}

/// What names a node in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeKey {
    /// The kind of node, for example `tikv` or `unum`.
    pub node_type: NodeName,
    /// Unique within the type.
    pub id: NodeName,
}

impl NodeKey {
    /// Parses both halves.
    ///
    /// ```
    /// # use unum_proto::model::NodeKey;
    /// assert_eq!(NodeKey::parse("tikv", "tikv_1").unwrap().to_string(), "tikv/tikv_1");
    /// assert!(NodeKey::parse("TiKV", "1").unwrap_err().to_string().contains("\"TiKV\""));
    /// ```
    pub fn parse(node_type: &str, id: &str) -> Result<Self, Invalid> {
        Ok(Self { node_type: node_type.parse()?, id: id.parse()? })
    }
}

impl fmt::Display for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.node_type, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: FromStr<Err = Invalid>>(cases: &[(&str, bool)]) {
        for (text, legal) in cases {
            assert_eq!(text.parse::<T>().is_ok(), *legal, "{text:?}");
        }
    }

    #[test]
    fn names_are_held_to_their_patterns() {
        let (long, too_long) = ("a".repeat(64), "a".repeat(65));
        check::<NodeName>(&[("tikv-1.eu", true), (&long, true), (&too_long, false), ("", false), ("A", false)]);
        check::<ColumnName>(&[("cpu", true), ("_x9", true), ("9x", false), ("a-b", false), (&too_long, false)]);
        check::<TableName>(&[("slow_query", true), ("nodes", false), ("cluster_x", false), ("naïve", false)]);
    }
}
