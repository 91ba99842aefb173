//! What a replica's store holds, for people.

use std::fmt;

use super::error::StartError;
use super::group;
use super::types::LogId;
use crate::storage::Store;

/// Read with every check that a start makes.
#[derive(Debug)]
pub struct Contents {
    vote: Option<String>,
    purged: Option<LogId>,
    log_end: u64,
    log_chain: u64,
    revision: u64,
    state_hash: u64,
    nodes: usize,
    tables: usize,
}

impl Contents {
    /// Reads the store of a replica that does not run.
    pub async fn read(replica: u64, store_id: u64, store: Store) -> Result<Self, StartError> {
        let (log, state_machine, _) = group::open(replica, store_id, store).await?;
        let state = state_machine.published().state();
        let (vote, log_chain) = log.vote_and_chain();
        Ok(Self {
            vote: vote.map(|vote| vote.to_string()),
            purged: log.purged(),
            log_end: log.usage().end(),
            log_chain,
            revision: state.revision,
            state_hash: state.hash,
            nodes: state.nodes.len(),
            tables: state.tables.len(),
        })
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.purged.map_or(0, |purged| purged.index + 1);
        writeln!(f, "vote {}", self.vote.as_deref().unwrap_or("none"))?;
        writeln!(f, "log entries {first} up to before {}, chain {:016x}", self.log_end, self.log_chain)?;
        writeln!(f, "revision {}, state hash {:016x}", self.revision, self.state_hash)?;
        write!(f, "{} nodes, {} tables", self.nodes, self.tables)
    }
}
