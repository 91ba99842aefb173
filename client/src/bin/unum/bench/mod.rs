//! `unum bench`: loads a running cluster, and prints how it did.
//!
//! What is measured is what a program with the SDK sees: the time from the call until the whole answer is there. Several
//! clients share a connection, as the tasks of one program do. It leaves the nodes that it pushed in the catalog.

mod fanout;
mod load;
mod nodes;
mod report;
mod server_metrics;
mod work;

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use unum_client::{Client, Consistency, Error};

use self::load::Measured;
use self::nodes::Nodes;
use self::report::{Report, ReportFormat};
use self::server_metrics::Usage;
use super::Connection;

/// Load a running cluster, and print throughput, latency and what it cost.
///
/// It pushes node_info (and, for join, processlist) of --nodes made-up nodes first, of the types bench_pd, bench_tidb,
/// bench_tiflash and bench_tikv, and leaves them in the catalog: use a cluster of its own.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// What to do.
    #[arg(value_enum)]
    work: Work,
    #[command(flatten)]
    connection: Connection,
    /// Nodes in the catalog, or endpoints of the fan-out.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    nodes: u32,
    /// Bytes of the values of one row of node_info. A row without padding has about 230.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    row_bytes: u32,
    /// Calls in flight.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    clients: u32,
    /// Tables that each node has: node_info, processlist, bench_labels.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    tables: u8,
    /// How long to measure.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Which replica to ask, of those in --endpoints.
    #[arg(long, value_enum, default_value_t = Which::Any)]
    replica: Which,
    /// How fresh an answer has to be: linearizable, bounded:DURATION (as bounded:5s), or stale.
    #[arg(long, default_value = "linearizable", value_parser = super::sql::parse_consistency)]
    consistency: Consistency,
    /// Pushes a second over all nodes, each at its time whether or not others are answered (push, mixed). Without it a push
    /// follows the answer of the one before; mixed pushes each node every 5 seconds.
    #[arg(long)]
    rate: Option<f64>,
    /// Selects a second (mixed), each at its time.
    #[arg(long, default_value_t = 100.0)]
    select_rate: f64,
    /// Endpoints of the fan-out that take the call and never answer.
    #[arg(long, default_value_t = 0)]
    hanging: u32,
    /// HTTP addresses of all replicas, to say what an operation cost them: host:port, separated by commas.
    #[arg(long, value_delimiter = ',')]
    metrics: Vec<String>,
    /// How the result is shown; json is one object a line.
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
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

/// Clients that share a connection.
const CLIENTS_PER_CONNECTION: usize = 8;

/// Publishers that share a connection: each has a stream of its own on it.
const PUBLISHERS_PER_CONNECTION: usize = 256;

/// How often a node pushes in the mixed work.
const PUSH_INTERVAL: Duration = Duration::from_secs(5);

pub async fn run(args: BenchArgs) -> Result<(), Error> {
    let seconds = Duration::from_secs(args.seconds);
    let mut reports = Vec::new();
    if args.work == Work::Fanout {
        let measured = fanout::run(args.nodes, args.row_bytes, args.hanging, args.clients, seconds).await?;
        reports.push(Report::new("fanout", &args, measured, None));
    } else {
        let endpoints = chosen(&args).await?;
        let clients =
            Clients { endpoints: &endpoints, timeout: args.connection.timeout, consistency: args.consistency };
        let nodes = Arc::new(Nodes::new(args.nodes, args.row_bytes)?);
        let tables = if args.work == Work::Join { args.tables.max(2) } else { args.tables };
        let publishers = nodes.push_all(&clients, tables).await?;
        let before = Usage::of_all(&args.metrics).await?;
        let measured: Vec<(&str, Measured)> = match args.work {
            Work::Push => {
                vec![("push", work::push(&nodes, publishers, args.rate, args.clients as usize, seconds).await)]
            }
            Work::Mixed => {
                let rate = args.rate.unwrap_or(f64::from(args.nodes) / PUSH_INTERVAL.as_secs_f64());
                let pushes = work::push(&nodes, publishers, Some(rate), args.clients as usize, seconds);
                let selects = work::paced_selects(&nodes, &clients, args.select_rate, args.clients as usize, seconds);
                let (pushes, selects) = tokio::join!(pushes, selects);
                vec![("mixed-push", pushes), ("mixed-select", selects?)]
            }
            read => vec![(read.name(), work::selects(read, &nodes, &clients, args.clients as usize, seconds).await?)],
        };
        let used = Usage::of_all(&args.metrics).await?.zip(before).map(|(after, before)| after.since(&before));
        reports.extend(measured.into_iter().map(|(name, measured)| Report::new(name, &args, measured, used)));
    }
    super::print(&args.format.render(&reports))?;
    match reports.iter().find_map(|report| report.first_error.clone()) {
        None => Ok(()),
        Some(error) => Err(Error::Refused(format!("some operations failed; the first: {error}"))),
    }
}

impl Work {
    fn name(self) -> &'static str {
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

/// The endpoints to load: those of the replica that was chosen.
async fn chosen(args: &BenchArgs) -> Result<Vec<String>, Error> {
    let all = args.connection.endpoints.clone();
    if args.replica == Which::Any {
        return Ok(all);
    }
    let client = Client::connect(all.clone()).await?.with_timeout(args.connection.timeout);
    let wanted = |status: &unum_client::ReplicaStatus| {
        status.leader.is_some() && (status.leader == Some(status.replica)) == (args.replica == Which::Leader)
    };
    let statuses = client.statuses().await;
    let found = statuses.iter().find(|(_, status)| status.as_ref().is_ok_and(wanted));
    found.map(|(addr, _)| vec![addr.clone()]).ok_or_else(|| {
        let role = if args.replica == Which::Leader { "leads" } else { "follows a leader" };
        Error::Refused(format!("none of {} {role}; name all replicas in --endpoints", all.join(", ")))
    })
}

/// Makes connections to the replicas that are loaded.
struct Clients<'a> {
    endpoints: &'a [String],
    timeout: Duration,
    consistency: Consistency,
}

impl Clients<'_> {
    /// The connection of so many-th client or publisher, in turn over the endpoints.
    fn connect(&self, number: usize) -> Result<Client, Error> {
        let mut endpoints = self.endpoints.to_vec();
        let turn = number % endpoints.len();
        endpoints.rotate_left(turn);
        Ok(Client::connect_lazy(endpoints)?.with_timeout(self.timeout).with_consistency(self.consistency))
    }

    /// `count` clients, some of which share a connection.
    fn shared(&self, count: usize, per_connection: usize) -> Result<Vec<Client>, Error> {
        let connections =
            (0..count.div_ceil(per_connection)).map(|number| self.connect(number)).collect::<Result<Vec<_>, _>>()?;
        // A session of its own each: clones would share the newest revision that any of them saw.
        Ok((0..count).map(|number| connections[number / per_connection].clone()).collect())
    }
}
