//! The options of a replica, from its flags and its file.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use unum_proto::model::{Invalid, NodeKey, ReplicaId};
use xxhash_rust::xxh3::xxh3_64;

use super::file::File;
use crate::base::tunable::Tunable;
use crate::consensus::{self, CompactionBounds};
use crate::service::{ingest, query_log};
use crate::sql;

/// The node type under which replicas publish themselves.
pub const OWN_NODE_TYPE: &str = "unum";

/// What a replica is started with, checked.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where its records are.
    pub data_dir: PathBuf,
    /// Where it serves gRPC.
    pub listen: SocketAddr,
    /// Where it serves `/healthz`, `/readyz` and `/metrics`.
    pub http_listen: SocketAddr,
    /// Its part in the group.
    pub consensus: consensus::Options,
    /// How it comes into its group.
    pub entry: Entry,
    /// What changes while it runs.
    pub tunables: Tunables,
    /// All settings, as a file has them.
    pub file: File,
}

/// How a replica comes into its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// It is one of the first voters.
    Founder,
    /// It asks a running group to take it in.
    Joiner {
        /// A replica of that group.
        endpoint: String,
        /// Its own address as the others reach it.
        advertise: String,
    },
}

impl Options {
    /// The replica as a node of the catalog.
    pub fn own_node(&self) -> NodeKey {
        NodeKey::parse(OWN_NODE_TYPE, &format!("{OWN_NODE_TYPE}_{}", self.consensus.replica))
            .expect("a number makes a legal node id")
    }
}

/// The flags of `unumd serve`, as far as they are options of a replica.
#[derive(Debug, Clone)]
pub struct Flags {
    /// `--id`
    pub id: ReplicaId,
    /// `--data-dir`
    pub data_dir: PathBuf,
    /// `--listen`
    pub listen: SocketAddr,
    /// `--http-listen`
    pub http_listen: SocketAddr,
    /// `--initial-cluster`
    pub initial_cluster: Option<String>,
    /// `--join`
    pub join: Option<String>,
    /// `--advertise`
    pub advertise: Option<String>,
    /// `--cluster-name`
    pub cluster_name: String,
}

/// Puts flags and file together and checks the whole.
pub fn build(flags: Flags, file: File) -> Result<Options, Invalid> {
    let (entry, initial_members) = entry(&flags)?;
    file.check()?;
    let tunables = Tunables::new(&file);
    Ok(Options {
        data_dir: flags.data_dir,
        listen: flags.listen,
        http_listen: flags.http_listen,
        entry,
        consensus: consensus::Options {
            cluster_id: cluster_id(&flags.cluster_name, &initial_members),
            replica: flags.id,
            initial_members,
            timing: timing(&file),
            compaction: tunables.compaction.clone(),
        },
        tunables,
        file,
    })
}

pub(super) fn timing(file: &File) -> consensus::Timing {
    let ms = Duration::from_millis;
    consensus::Timing {
        heartbeat_interval: ms(file.raft.heartbeat_interval_ms),
        election_timeout_min: ms(file.raft.election_timeout_min_ms),
        election_timeout_max: ms(file.raft.election_timeout_max_ms),
    }
}

/// What changes while the replica runs.
#[derive(Debug, Clone)]
pub struct Tunables {
    /// Pushes are refused when the disk has fewer bytes free.
    pub disk_reserve_bytes: Tunable<u64>,
    /// How much the catalog may hold.
    pub limits: Tunable<ingest::Limits>,
    /// How long tables without rows and columns without values stay; 0: for ever.
    pub unused_kept: Tunable<Duration>,
    /// The limits of its queries.
    pub sql: Tunable<sql::Limits>,
    /// What it remembers of its queries, and how many run at a time.
    pub query_log: Tunable<query_log::Options>,
    /// Between two pushes of its own tables.
    pub publish_interval: Tunable<Duration>,
    /// When a raft snapshot is built, and how much log stays behind it.
    pub compaction: Tunable<CompactionBounds>,
}

impl Tunables {
    fn new(file: &File) -> Self {
        Self {
            disk_reserve_bytes: Tunable::new(file.storage.disk_reserve_bytes),
            limits: Tunable::new(limits(file)),
            unused_kept: Tunable::new(Duration::from_millis(file.limits.unused_kept_ms)),
            sql: Tunable::new(sql_limits(file)),
            query_log: Tunable::new(query_log_options(file)),
            publish_interval: Tunable::new(Duration::from_millis(file.publish.interval_ms)),
            compaction: Tunable::new(compaction(file)),
        }
    }

    pub(super) fn set(&self, file: &File) {
        self.disk_reserve_bytes.set(file.storage.disk_reserve_bytes);
        self.limits.set(limits(file));
        self.unused_kept.set(Duration::from_millis(file.limits.unused_kept_ms));
        self.sql.set(sql_limits(file));
        self.query_log.set(query_log_options(file));
        self.publish_interval.set(Duration::from_millis(file.publish.interval_ms));
        self.compaction.set(compaction(file));
    }
}

fn limits(file: &File) -> ingest::Limits {
    ingest::Limits { nodes: file.limits.nodes_max, tables: file.limits.tables_max }
}

fn sql_limits(file: &File) -> sql::Limits {
    sql::Limits {
        memory_bytes: file.sql.query_memory_bytes_max,
        rows: file.sql.result_rows_max,
        bytes: file.sql.result_bytes_max,
    }
}

fn query_log_options(file: &File) -> query_log::Options {
    query_log::Options {
        queries_max: file.sql.queries_max,
        slow_threshold: Duration::from_millis(file.sql.slow_query_threshold_ms),
    }
}

fn compaction(file: &File) -> CompactionBounds {
    CompactionBounds {
        snapshot_entries: file.raft.raft_snapshot_entries,
        snapshot_bytes: file.raft.raft_snapshot_log_bytes,
        kept_entries: file.raft.raft_log_entries_kept,
        kept_bytes: file.raft.raft_log_bytes_kept,
    }
}

/// How the replica comes in, and the first voters if it is one of them.
fn entry(flags: &Flags) -> Result<(Entry, BTreeMap<ReplicaId, String>), Invalid> {
    if u64::from(flags.id) == 0 {
        return Err(Invalid::new("--id 0 is not legal", "count replicas from 1"));
    }
    match (&flags.initial_cluster, &flags.join) {
        (Some(initial_cluster), None) => {
            let members = parse_members(initial_cluster)?;
            if !members.contains_key(&flags.id) {
                let ids: Vec<_> = members.keys().map(ReplicaId::to_string).collect();
                return Err(Invalid::new(
                    format!("--id {} is not a member of --initial-cluster, which has {}", flags.id, ids.join(", ")),
                    "use one of those ids, or add this one",
                ));
            }
            Ok((Entry::Founder, members))
        }
        (None, Some(endpoint)) => {
            let advertise = flags.advertise.clone().unwrap_or_else(|| flags.listen.to_string());
            if flags.advertise.is_none() && (flags.listen.ip().is_unspecified() || flags.listen.port() == 0) {
                return Err(Invalid::new(
                    format!("the other replicas cannot reach {advertise}"),
                    "name this replica's own address with --advertise HOST:PORT",
                ));
            }
            Ok((Entry::Joiner { endpoint: endpoint.clone(), advertise }, BTreeMap::new()))
        }
        _ => Err(Invalid::new(
            "how this replica comes into its group is not clear",
            "name either --initial-cluster, for the first voters, or --join, for a group that runs",
        )),
    }
}

/// `1=HOST:PORT,2=HOST:PORT,…`
fn parse_members(text: &str) -> Result<BTreeMap<ReplicaId, String>, Invalid> {
    let invalid = |part: &str, why: &str| {
        Invalid::new(
            format!("--initial-cluster {text:?}: {part:?} {why}"),
            "write 1=HOST:PORT,2=HOST:PORT,3=HOST:PORT, with every id once",
        )
    };
    let mut members = BTreeMap::new();
    for part in text.split(',').map(str::trim) {
        let (id, addr) = part.split_once('=').ok_or_else(|| invalid(part, "has no '='"))?;
        let id: ReplicaId = id.parse().map_err(|_| invalid(part, "has no number before '='"))?;
        let port = addr.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
        if !matches!(port, Some(Ok(_))) {
            return Err(invalid(part, "has no HOST:PORT after '='"));
        }
        if members.insert(id, addr.to_owned()).is_some() {
            return Err(invalid(part, "has an id that was there before"));
        }
    }
    Ok(members)
}

/// Tells clusters apart: by their name and first membership, as etcd does.
fn cluster_id(name: &str, members: &BTreeMap<ReplicaId, String>) -> u64 {
    let members: Vec<_> = members.iter().map(|(id, addr)| format!("{id}={addr}")).collect();
    xxh3_64(format!("{name}\n{}", members.join(",")).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(id: u64, initial_cluster: &str) -> Flags {
        Flags {
            id: id.into(),
            data_dir: "d".into(),
            listen: "127.0.0.1:1".parse().unwrap(),
            http_listen: "127.0.0.1:2".parse().unwrap(),
            initial_cluster: Some(initial_cluster.into()),
            join: None,
            advertise: None,
            cluster_name: "unum".into(),
        }
    }

    #[test]
    fn wrong_options_are_refused_with_the_value_and_the_remedy() {
        for (id, cluster, expected) in [
            (4, "1=a:1,2=b:2", "--id 4 is not a member of --initial-cluster, which has 1, 2; use one of those ids"),
            (1, "1=a:1,1=b:2", "\"1=b:2\" has an id that was there before"),
            (1, "1=a", "\"1=a\" has no HOST:PORT after '='"),
            (1, "x=a:1", "\"x=a:1\" has no number before '='"),
            (1, "", "\"\" has no '='"),
        ] {
            let error = build(flags(id, cluster), File::default()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let file: File = toml::from_str("[raft]\nheartbeat_interval_ms = 500").unwrap();
        let error = build(flags(1, "1=a:1"), file).unwrap_err().to_string();
        assert!(error.contains("raft.heartbeat_interval_ms = 500"), "{error}");
        assert!(toml::from_str::<File>("[raft]\nheart = 1").unwrap_err().to_string().contains("heart"));
    }

    #[test]
    fn clusters_differ_by_name_and_members() {
        let id = |name: &str, members: &str| cluster_id(name, &parse_members(members).unwrap());
        assert_eq!(id("a", "1=x:1,2=y:2"), id("a", "2=y:2,1=x:1"));
        assert_ne!(id("a", "1=x:1"), id("b", "1=x:1"));
        assert_ne!(id("a", "1=x:1"), id("a", "1=x:2"));
    }
}
