//! The arguments of `unum bench`.

use clap::{Args, ValueEnum};
use unum_client::Consistency;

use crate::Connection;

/// Load a running cluster, and print throughput, latency and what it cost.
///
/// It pushes node_info (and, for join, processlist) of --nodes made-up nodes first, of the types bench_pd, bench_tidb,
/// bench_tiflash and bench_tikv, and leaves them in the catalog: use a cluster of its own.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// What to do.
    #[arg(value_enum)]
    pub(super) work: Work,
    #[command(flatten)]
    pub(super) connection: Connection,
    /// Nodes in the catalog, or endpoints of the fan-out.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) nodes: u32,
    /// Bytes of the values of one row of node_info. A row without padding has about 230.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(super) row_bytes: u32,
    /// Calls in flight.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(super) clients: u32,
    /// Tables that each node has: node_info, processlist, bench_labels.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub(super) tables: u8,
    /// How long to measure.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(super) seconds: u64,
    /// Which replica to ask, of those in --endpoints.
    #[arg(long, value_enum, default_value_t = Which::Any)]
    pub(super) replica: Which,
    /// How fresh an answer has to be: linearizable, bounded:DURATION (as bounded:5s), or stale.
    #[arg(long, default_value = "linearizable", value_parser = crate::sql::parse_consistency)]
    pub(super) consistency: Consistency,
    /// Pushes a second over all nodes, each at its time whether or not others are answered (push, mixed). Without it a push
    /// follows the answer of the one before; mixed pushes each node every 5 seconds.
    #[arg(long)]
    pub(super) rate: Option<f64>,
    /// Selects a second (mixed), each at its time.
    #[arg(long, default_value_t = 100.0)]
    pub(super) select_rate: f64,
    /// Endpoints of the fan-out that take the call and never answer.
    #[arg(long, default_value_t = 0)]
    pub(super) hanging: u32,
    /// HTTP addresses of all replicas, to say what an operation cost them: host:port, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub(super) metrics: Vec<String>,
    /// How the result is shown; json is one object a line.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: ReportFormat,
}

/// What `unum bench` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Work {
    /// One node's row by id, a different id each time.
    PointSelect,
    /// All rows of cluster_node_infos.
    Scan,
    /// Count, average and maximum over all nodes by type.
    GroupBy,
    /// All nodes' node_info with their processlist, counted by type.
    Join,
    /// A row of node_info, a different node each time.
    Push,
    /// Pushes at --rate under point selects at --select-rate.
    Mixed,
    /// What Unum replaces: --nodes gRPC endpoints in this process, all asked at once for their row.
    Fanout,
}

/// How results are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ReportFormat {
    /// For people.
    #[default]
    Table,
    /// One object a line.
    Json,
}

/// Which replica is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// The leader.
    Leader,
    /// The first that does not lead.
    Follower,
    /// All in turn, a connection each.
    Any,
}

impl Work {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PointSelect => "point-select",
            Self::Scan => "scan",
            Self::GroupBy => "group-by",
            Self::Join => "join",
            Self::Push => "push",
            Self::Mixed => "mixed",
            Self::Fanout => "fanout",
        }
    }
}
