//! Who publishes under a node's name.

use serde::{Deserialize, Serialize};
use unum_proto::model::{Instance, NodeKey};

use super::{NodeStatus, State};

/// The publisher that a name was given to. Its record is gone when the node is removed: then the name is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publisher {
    /// The epoch of its pushes. No other publisher of the name ever has it.
    pub epoch: u64,
    /// Who it is.
    pub instance: Instance,
    /// The leader's wall clock when it was given the name, microseconds since the epoch.
    pub since_us: i64,
    /// It has given the name back.
    pub released: bool,
    /// Who asked for the name last while this one was live.
    pub rival: Option<Rival>,
}

/// A publisher that wants the name of another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rival {
    /// Who it is.
    pub instance: Instance,
    /// The leader's wall clock when it asked first …
    pub since_us: i64,
    /// … and last, microseconds since the epoch.
    pub last_us: i64,
}

/// A publisher that was given a name has so long for its first push: after that only its pushes keep the name.
const FIRST_PUSH_WITHIN_US: i64 = 15_000_000;

impl State {
    /// Whether the publisher of a name is live, as far as the catalog knows: its TTL runs, and it has not given the name back.
    pub fn is_live(&self, node: &NodeKey, publisher: &Publisher, at_us: i64) -> bool {
        if publisher.released {
            return false;
        }
        match self.nodes.get(node) {
            Some(node) if node.epoch == publisher.epoch => node.status == NodeStatus::Up,
            _ => at_us.saturating_sub(publisher.since_us) < FIRST_PUSH_WITHIN_US,
        }
    }

    /// The live publisher that keeps a name from this instance.
    pub fn holder_against(&self, node: &NodeKey, instance: &Instance, at_us: i64) -> Option<&Publisher> {
        let publisher = self.publishers.get(node)?.value();
        let is_other = !publisher.instance.is_same(instance);
        (is_other && self.is_live(node, publisher, at_us)).then_some(publisher)
    }
}

impl Publisher {
    /// Who it is, where, and since when, for people.
    pub fn described(&self) -> String {
        let evidence = self.instance.evidence();
        let part = |what: &str, text: &str| if text.is_empty() { String::new() } else { format!(", {what} {text}") };
        let since = chrono::DateTime::from_timestamp_micros(self.since_us).unwrap_or_default();
        format!(
            "instance {}{}{}{}, since {}",
            self.instance.id(),
            part("host", &evidence.host),
            part("ip", &evidence.ip),
            part("machine", &evidence.machine_id),
            since.format("%Y-%m-%d %H:%M:%S UTC"),
        )
    }
}
