//! What nodes hear and say of their configuration, at one replica.

use tokio::sync::watch;
use unum_proto::model::{ConfigReports, DesiredValue, NodeKey};

use crate::base::clock;
use crate::catalog::Proposal;
use crate::consensus::{Group, ProposeError};

/// What nodes hear and say of their configuration, at one replica.
#[derive(Debug, Clone)]
pub struct ConfigService {
    group: Group,
}

impl ConfigService {
    /// The service of a replica.
    pub fn new(group: Group) -> Self {
        Self { group }
    }

    /// The next thing that a node is to hear after what it heard at `cursor`; at first all of it. It may be late, and is
    /// never lost: what is not decided is told again.
    pub async fn next(&self, node: &NodeKey, cursor: &mut WatchCursor) -> (u64, Vec<DesiredValue>) {
        let first = cursor.updates.is_none();
        let updates = cursor.updates.get_or_insert_with(|| self.group.config_updates());
        loop {
            // Before the state is read: what comes after is updates.
            updates.mark_unchanged();
            let state = self.group.state_reader().newest();
            let values = state.config.to_be_set(node, first);
            if first || values != cursor.values {
                cursor.values.clone_from(&values);
                return (state.revision, values);
            }
            if updates.changed().await.is_err() {
                // The replica stops, and this stream with it.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Takes what a node says to the log.
    pub async fn report(&self, reports: ConfigReports) -> Result<(), ProposeError> {
        let ConfigReports { node, reports } = reports;
        let proposal = Proposal::report_config(clock::now_us(), node, reports);
        self.group.propose_anywhere(&proposal).await.map(drop)
    }
}

/// What a node has heard.
#[derive(Debug, Default)]
pub struct WatchCursor {
    updates: Option<watch::Receiver<()>>,
    values: Vec<DesiredValue>,
}
