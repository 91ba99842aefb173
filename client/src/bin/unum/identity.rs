//! Whose rows a command publishes.

use std::net::IpAddr;
use std::time::Duration;

use clap::Args;
use unum_client::{Error, NodeDescription, NodeKey};

/// The shortest TTL of a node that is kept alive and names none: a failover must not make it stale.
pub const LIVE_TTL_MIN: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub struct Identity {
    /// The kind of node, for example tikv.
    #[arg(long)]
    node_type: String,
    /// The node's id, unique within the type.
    #[arg(long)]
    id: String,
    /// The node's address as others know it; found out if left out.
    #[arg(long)]
    ip: Option<String>,
    /// The version of what runs on the node.
    #[arg(long, default_value = "")]
    version: String,
    /// A label of the node; may be given several times.
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = parse_label)]
    labels: Vec<(String, String)>,
}

fn parse_label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("{text:?} is not a label; write NAME=VALUE, for example zone=eu-1")),
    }
}

impl Identity {
    /// The node as it is published, under the found address if none is named. A label that is named twice has its last
    /// value.
    pub fn describe(self, found: IpAddr, ttl: Duration) -> Result<NodeDescription, Error> {
        let mut node = NodeDescription::new(NodeKey::parse(&self.node_type, &self.id)?);
        node.ip = self.ip.unwrap_or_else(|| found.to_string());
        node.version = self.version;
        node.labels = self.labels.into_iter().collect();
        node.ttl_ms = ttl.as_millis().try_into().unwrap_or(u32::MAX);
        Ok(node)
    }
}
