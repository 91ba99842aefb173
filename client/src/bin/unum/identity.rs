//! Whose rows a command publishes, and as which instance.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use unum_client::{Client, Error, NodeDescription, NodeKey, OwnInstance, Publisher, state_directory};

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
    /// Where the id is kept by which this publisher is known after a restart, so that it has its name back at once.
    /// Default: unum in $XDG_STATE_HOME or in ~/.local/state; /var/lib/unum-agent for root.
    #[arg(long, env = "UNUM_STATE_DIR", value_name = "DIRECTORY")]
    state_dir: Option<PathBuf>,
    /// Take the name from another publisher of it that is live; that one ends.
    #[arg(long)]
    take_over: bool,
}

/// What publishes: an agent and a push under one name are two publishers.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Agent,
    Push,
}

/// How long a publisher that ends tries to give its name back.
const RELEASE_TIMEOUT: Duration = Duration::from_millis(500);

fn parse_label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("{text:?} is not a label; write NAME=VALUE, for example zone=eu-1")),
    }
}

impl Identity {
    /// Whether no address is named.
    pub fn finds_ip(&self) -> bool {
        self.ip.is_none()
    }

    /// The publisher of the node, under the found address if none is named. It has the instance that is kept in the state
    /// directory; where none can be kept there, and none was named, that of this process.
    pub fn publisher(self, client: &Client, kind: Kind, found: IpAddr, ttl: Duration) -> Result<Publisher, Error> {
        let (state_dir, take_over) = (self.state_dir.clone(), self.take_over);
        let publisher = client.publisher(self.describe(found, ttl)?);
        let key = &publisher.node().key;
        let kind = match kind {
            Kind::Agent => "agent",
            Kind::Push => "push",
        };
        let file = format!("{kind}-{}-{}.instance", key.node_type, key.id);
        let instance = match (&state_dir, state_directory()) {
            (Some(directory), _) => OwnInstance::kept_in(&directory.join(file))?,
            (None, directory) => match OwnInstance::kept_in(&directory.join(file)) {
                Ok(instance) => instance,
                Err(error) => {
                    tracing::warn!(
                        %error,
                        "after a restart this publisher is another one, and waits until the node's TTL is over; name a --state-dir"
                    );
                    OwnInstance::of_process()
                }
            },
        };
        let publisher = publisher.with_instance(instance);
        Ok(if take_over { publisher.taking_over() } else { publisher })
    }

    /// The node as it is published, under the found address if none is named. A label that is named twice has its last
    /// value.
    fn describe(self, found: IpAddr, ttl: Duration) -> Result<NodeDescription, Error> {
        let mut node = NodeDescription::new(NodeKey::parse(&self.node_type, &self.id)?);
        node.ip = self.ip.unwrap_or_else(|| found.to_string());
        node.version = self.version;
        node.labels = self.labels.into_iter().collect();
        node.ttl_ms = ttl.as_millis().try_into().unwrap_or(u32::MAX);
        Ok(node)
    }
}

/// Gives the name back, so that whoever comes next has it at once. What comes of it is told, and ends nothing.
pub async fn release(publisher: &mut Publisher) {
    match tokio::time::timeout(RELEASE_TIMEOUT, publisher.release()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the name is free when the node's TTL is over"),
        Err(_) => tracing::warn!("no answer in time: the name is free when the node's TTL is over"),
    }
}
