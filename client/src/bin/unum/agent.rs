//! `unum agent`: publishes what this host knows about itself, every interval.

use std::time::Duration;

use clap::Args;
use unum_client::collect::{HostTables, PROCESSES_DEFAULT, PROCESSES_MAX};
use unum_client::{Error, Publisher, signal};

use super::Connection;
use super::identity::{Identity, LIVE_TTL_MIN};

#[derive(Debug, Args)]
pub struct AgentArgs {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    identity: Identity,
    /// Between two pushes.
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration)]
    interval: Duration,
    /// How long the node may be silent before it is called stale. Default: ten intervals, at least 10s.
    #[arg(long, value_parser = humantime::parse_duration)]
    ttl: Option<Duration>,
    /// How many of the busiest processes are published with their command lines, which may have passwords in them. 0:
    /// none.
    #[arg(long, default_value_t = PROCESSES_DEFAULT, value_parser = parse_processes)]
    processes: usize,
}

fn parse_processes(text: &str) -> Result<usize, String> {
    let within = |count: &usize| *count <= PROCESSES_MAX;
    text.parse().ok().filter(within).ok_or_else(|| format!("{text:?} is not a count; use 0 to {PROCESSES_MAX}"))
}

/// An agent's TTL if none is named: a failover or a busy host must not make a node stale.
const TTL_INTERVALS: u32 = 10;

pub async fn run(args: AgentArgs) -> Result<(), Error> {
    let client = unum_client::Client::connect_lazy(args.connection.endpoints)?.with_timeout(args.connection.timeout);
    let mut tables = HostTables::new(args.processes);
    let ttl = args.ttl.unwrap_or_else(|| LIVE_TTL_MIN.max(args.interval * TTL_INTERVALS));
    let mut publisher = client.publisher(args.identity.describe(tables.ip(), ttl)?);
    tracing::info!(node = %publisher.node().key, ip = publisher.node().ip, interval = ?args.interval, "agent started");
    let mut ticks = tokio::time::interval(args.interval.max(Duration::from_millis(10)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let stop = signal::stop();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = &mut stop => {
                tracing::info!("agent stops");
                return Ok(());
            }
        }
        tokio::select! {
            pushed = push(&mut publisher, &mut tables) => pushed?,
            _ = &mut stop => {
                tracing::info!("agent stops");
                return Ok(());
            }
        }
    }
}

/// What is due now. What a retry cannot mend ends the agent; anything else is told, and the next interval tries again.
async fn push(publisher: &mut Publisher, tables: &mut HostTables) -> Result<(), Error> {
    for push in tokio::task::block_in_place(|| tables.collect(publisher.node()))? {
        match publisher.push(push).await {
            Ok(ack) => tracing::debug!(revision = ack.revision, duplicate = ack.duplicate, "pushed"),
            Err(error @ (Error::Unreachable { .. } | Error::Deadline { .. } | Error::OutcomeUnknown { .. })) => {
                tracing::warn!(%error, "push failed; the next interval tries again");
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
    tables.acknowledged();
    Ok(())
}
