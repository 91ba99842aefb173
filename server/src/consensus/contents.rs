//! What a replica's store holds, for people.

use std::fmt;

use openraft::{EntryPayload, RaftLogReader};
use unum_proto::model::ReplicaId;

use super::error::StartError;
use super::group;
use super::types::LogId;
use crate::catalog::{Command, State};
use crate::storage::{self, Store, StoreId};

/// Read with every check that a start makes.
#[derive(Debug)]
pub struct Contents {
    vote: Option<String>,
    purged: Option<LogId>,
    log_end: u64,
    log_chain: u64,
    revision: u64,
    state_hash: u64,
    /// The state once the rest of the log is applied: records that are behind have lost nothing.
    replayed: State,
}

impl Contents {
    /// Reads the store of a replica that does not run.
    pub async fn read(replica: ReplicaId, store_id: StoreId, store: Store) -> Result<Self, StartError> {
        let (mut log, state_machine, _) = group::open(replica, store_id, store).await?;
        let state = state_machine.newest().state();
        let unreadable = |why: String| StartError::Storage(storage::Error::Corrupt(why));
        let mut replayed = State::clone(&state);
        let after = state_machine.applied().map_or(0, |applied| applied.index + 1);
        for entry in log.try_get_log_entries(after..).await.map_err(|e| unreadable(e.to_string()))? {
            match entry.payload {
                EntryPayload::Normal(command) => {
                    let command = Command::decode(&command.0).map_err(|e| unreadable(e.to_string()))?;
                    replayed.apply(entry.log_id.index, command);
                }
                EntryPayload::Blank | EntryPayload::Membership(_) => replayed.skip(entry.log_id.index),
            }
        }
        let (vote, log_chain) = log.vote_and_chain();
        Ok(Self {
            vote: vote.map(|vote| vote.to_string()),
            purged: log.purged(),
            log_end: log.usage().end(),
            log_chain,
            revision: state.revision,
            state_hash: state.hash,
            replayed,
        })
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.purged.map_or(0, |purged| purged.index + 1);
        writeln!(f, "vote {}", self.vote.as_deref().unwrap_or("none"))?;
        writeln!(f, "log entries {first} up to before {}, chain {:016x}", self.log_end, self.log_chain)?;
        writeln!(f, "revision {}, state hash {:016x}", self.revision, self.state_hash)?;
        let State { revision, hash, nodes, tables, .. } = &self.replayed;
        writeln!(f, "with the whole log: revision {revision}, state hash {hash:016x}")?;
        write!(f, "{} nodes, {} tables", nodes.len(), tables.len())
    }
}
