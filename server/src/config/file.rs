//! The settings of a replica as a file has them: a line each, with its default.

use std::path::Path;

use serde::{Deserialize, Serialize};
use unum_proto::model::Invalid;

use crate::catalog::{NODES_MAX, TABLES_MAX};

/// One setting, as the configuration of a replica shows it.
pub(super) struct Setting {
    /// `section.name`
    pub(super) key: &'static str,
    /// Whether it changes while the replica runs.
    pub(super) dynamic: bool,
    /// What it is.
    pub(super) description: &'static str,
}

/// A line a setting: its section's field, its default, its entry in [`SETTINGS`].
macro_rules! settings {
    ($($section:ident: $type:ident {
        $($name:ident: $value:ty = $default:expr, $change:ident, $description:literal;)*
    })*) => {
        /// The file that `--config` names. Every key is optional.
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct File {
            $(pub(super) $section: $type,)*
        }

        $(
            #[derive(Debug, Clone, Serialize, Deserialize)]
            #[serde(deny_unknown_fields, default)]
            pub(super) struct $type {
                $(pub(super) $name: $value,)*
            }

            impl Default for $type {
                fn default() -> Self {
                    Self { $($name: $default,)* }
                }
            }
        )*

        /// All of them; docs/CONFIG.md says more.
        pub(super) static SETTINGS: &[Setting] = &[$($(Setting {
            key: concat!(stringify!($section), ".", stringify!($name)),
            dynamic: settings!(@$change),
            description: $description,
        },)*)*];
    };
    (@at_once) => { true };
    (@at_start) => { false };
}

settings! {
    raft: RaftSection {
        // Small against the lease, so that one lost heartbeat is no election.
        heartbeat_interval_ms: u64 = 100, at_start, "between two heartbeats of the leader";
        election_timeout_min_ms: u64 = 150, at_start, "the shortest election timeout";
        // Also the lease: a failover takes this long, and a random part of it on top.
        election_timeout_max_ms: u64 = 300, at_start, "the longest election timeout, and the length of the lease";
        raft_snapshot_entries: u64 = 50_000, at_once, "a raft snapshot is built after so many entries";
        raft_snapshot_log_bytes: u64 = 32 * 1024 * 1024, at_once, "or after so many bytes of them";
        raft_log_entries_kept: u64 = 10_000, at_once, "entries kept behind a raft snapshot";
        // A follower that lacks more is faster with a raft snapshot, and the disk is bounded.
        raft_log_bytes_kept: u64 = 16 * 1024 * 1024, at_once, "bytes of entries kept behind a raft snapshot";
    }
    storage: StorageSection {
        // sled rewrites segments while it frees others, and a raft snapshot is one large batch.
        disk_reserve_bytes: u64 = 256 * 1024 * 1024, at_once, "pushes are refused when the disk has less room";
    }
    limits: LimitsSection {
        nodes_max: usize = 20_000, at_once, "nodes of the catalog";
        tables_max: usize = 500, at_once, "tables of the catalog";
        unused_kept_ms: u64 = 30 * 24 * 3_600_000, at_once, "tables without rows and columns without values go after so long; 0: never";
    }
    sql: SqlSection {
        query_memory_bytes_max: usize = 256 * 1024 * 1024, at_once, "what the operators of one query may hold";
        result_rows_max: usize = 1_000_000, at_once, "rows of one result";
        result_bytes_max: usize = 256 * 1024 * 1024, at_once, "bytes of one result";
        queries_max: usize = 512, at_once, "queries that run at one time";
        // TiDB's own.
        slow_query_threshold_ms: u64 = 300, at_once, "a query that takes as long is in slow_query";
    }
    publish: PublishSection {
        interval_ms: u64 = 2_000, at_once, "how often the replica pushes what it knows of itself";
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
