//! What the reader of some rows should know: which nodes they are of that do not push any more.

use unum_proto::model::limits::{SESSION_WARNINGS_MAX, WARNING_BYTES_MAX};

use super::view::View;
use crate::catalog::NodeStatus;

impl View {
    /// One warning a node that is not up and has rows in these tables.
    pub fn warnings<'a>(&self, tables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
        let nodes = self.nodes_of(tables).into_iter().filter_map(|key| self.state.nodes.get(key));
        let silent: Vec<_> = nodes.filter(|node| node.status != NodeStatus::Up).collect();
        let warning = |node: &&std::sync::Arc<crate::catalog::Hashed<crate::catalog::Node>>| {
            let since = chrono::DateTime::from_timestamp_micros(node.received_at_us)
                .map_or_else(String::new, |at| at.format(" of %Y-%m-%d %H:%M:%S UTC").to_string());
            format!("node {} is {}; its rows are those{since}", node.description.key, node.status.as_str())
        };
        let mut warnings: Vec<String> = silent.iter().take(SESSION_WARNINGS_MAX - 1).map(warning).collect();
        if silent.len() > warnings.len() {
            warnings.push(format!("and {} more nodes are not up", silent.len() - warnings.len()));
        }
        debug_assert!(warnings.iter().all(|warning| warning.len() <= WARNING_BYTES_MAX));
        warnings
    }
}
