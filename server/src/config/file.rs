//! The settings of a replica as a file has them, and where their defaults stand.

use std::path::Path;

use serde::{Deserialize, Serialize};
use unum_proto::model::Invalid;

use crate::catalog::{NODES_MAX, TABLES_MAX};

/// The file that `--config` names. Every key is optional.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    pub(super) raft: RaftSection,
    pub(super) storage: StorageSection,
    pub(super) limits: LimitsSection,
    pub(super) sql: SqlSection,
    pub(super) publish: PublishSection,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RaftSection {
    pub(super) heartbeat_interval_ms: u64,
    pub(super) election_timeout_min_ms: u64,
    pub(super) election_timeout_max_ms: u64,
    pub(super) raft_snapshot_entries: u64,
    pub(super) raft_snapshot_log_bytes: u64,
    pub(super) raft_log_entries_kept: u64,
    pub(super) raft_log_bytes_kept: u64,
}

impl Default for RaftSection {
    fn default() -> Self {
        Self {
            // Small against the lease, so that one lost heartbeat is no election.
            heartbeat_interval_ms: 100,
            election_timeout_min_ms: 150,
            // Also the lease: a failover takes this long, and a random part of it on top.
            election_timeout_max_ms: 300,
            raft_snapshot_entries: 50_000,
            raft_snapshot_log_bytes: 32 * 1024 * 1024,
            raft_log_entries_kept: 10_000,
            // A follower that lacks more is faster with a raft snapshot, and the disk is bounded.
            raft_log_bytes_kept: 16 * 1024 * 1024,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StorageSection {
    pub(super) disk_reserve_bytes: u64,
}

impl Default for StorageSection {
    fn default() -> Self {
        Self {
            // sled rewrites segments while it frees others, and a raft snapshot is one large batch.
            disk_reserve_bytes: 256 * 1024 * 1024,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LimitsSection {
    pub(super) nodes_max: usize,
    pub(super) tables_max: usize,
}

impl Default for LimitsSection {
    fn default() -> Self {
        Self { nodes_max: 20_000, tables_max: 500 }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SqlSection {
    pub(super) query_memory_bytes_max: usize,
    pub(super) result_rows_max: usize,
    pub(super) result_bytes_max: usize,
    pub(super) queries_max: usize,
    pub(super) slow_query_threshold_ms: u64,
}

impl Default for SqlSection {
    fn default() -> Self {
        Self {
            query_memory_bytes_max: 256 * 1024 * 1024,
            result_rows_max: 1_000_000,
            result_bytes_max: 256 * 1024 * 1024,
            queries_max: 512,
            // TiDB's own.
            slow_query_threshold_ms: 300,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PublishSection {
    pub(super) interval_ms: u64,
}

impl Default for PublishSection {
    fn default() -> Self {
        Self { interval_ms: 2_000 }
    }
}

impl File {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, Invalid> {
        let text = std::fs::read_to_string(path).map_err(|e| {
            Invalid::new(format!("the config file {} cannot be read: {e}", path.display()), "check --config")
        })?;
        toml::from_str(&text).map_err(|e| {
            Invalid::new(
                format!("the config file {} is not valid: {}", path.display(), e.to_string().trim_end()),
                "docs/CONFIG.md lists the keys",
            )
        })
    }

    /// Whether its values go together.
    pub fn check(&self) -> Result<(), Invalid> {
        let RaftSection { heartbeat_interval_ms, election_timeout_min_ms, election_timeout_max_ms, .. } = self.raft;
        let ordered = 0 < heartbeat_interval_ms
            && heartbeat_interval_ms < election_timeout_min_ms
            && election_timeout_min_ms < election_timeout_max_ms;
        if !ordered {
            return Err(Invalid::new(
                format!(
                    "raft.heartbeat_interval_ms = {heartbeat_interval_ms}, election_timeout_min_ms = \
                     {election_timeout_min_ms}, election_timeout_max_ms = {election_timeout_max_ms} are not ascending"
                ),
                "a heartbeat is shorter than the shortest election timeout, and that than the longest",
            ));
        }
        for (name, value, max) in [
            ("limits.nodes_max", self.limits.nodes_max, NODES_MAX),
            ("limits.tables_max", self.limits.tables_max, TABLES_MAX),
        ] {
            if value > max {
                return Err(Invalid::new(
                    format!("{name} is {value}"),
                    format!("{max} is the most that a catalog holds"),
                ));
            }
        }
        for (name, value) in [
            ("publish.interval_ms", self.publish.interval_ms),
            ("sql.queries_max", self.sql.queries_max as u64),
            ("raft.raft_snapshot_entries", self.raft.raft_snapshot_entries),
        ] {
            if value == 0 {
                return Err(Invalid::new(format!("{name} is 0"), "use 1 or more"));
            }
        }
        Ok(())
    }
}
