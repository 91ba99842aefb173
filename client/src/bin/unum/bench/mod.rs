//! `unum bench`: loads a running cluster, and prints how it did.
//!
//! What is measured is what a program with the SDK sees: the time from the call until the whole answer is there. Several
//! clients share a connection, as the tasks of one program do. It leaves the nodes that it pushed in the catalog.

mod args;
mod clients;
mod fanout;
mod load;
mod nodes;
mod report;
mod server_metrics;
mod work;

use std::sync::Arc;
use std::time::Duration;

use unum_client::{Error, Program};

pub use self::args::BenchArgs;
use self::args::{Which, Work};
use self::clients::Clients;
use self::load::Measured;
use self::nodes::Nodes;
use self::report::Report;
use self::server_metrics::Usage;

/// How often a node pushes in the mixed work.
const PUSH_INTERVAL: Duration = Duration::from_secs(5);

pub async fn run(args: BenchArgs, program: &Program) -> Result<(), Error> {
    let seconds = Duration::from_secs(args.seconds);
    let mut reports = Vec::new();
    if args.work == Work::Fanout {
        let row = Nodes::new(program, 1, args.row_bytes).await?.node_info(0, 0);
        let measured = fanout::run(args.nodes, &row, args.hanging, args.clients, seconds).await?;
        reports.push(Report::new("fanout", &args, measured, None));
    } else {
        let endpoints = chosen(&args).await?;
        let clients =
            Clients { endpoints: &endpoints, timeout: args.connection.timeout, consistency: args.consistency };
        let nodes = Arc::new(Nodes::new(program, args.nodes, args.row_bytes).await?);
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

/// The endpoints to load: those of the replica that was chosen.
async fn chosen(args: &BenchArgs) -> Result<Vec<String>, Error> {
    let all = args.connection.endpoints.clone();
    if args.replica == Which::Any {
        return Ok(all);
    }
    let client = args.connection.open().await?;
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
