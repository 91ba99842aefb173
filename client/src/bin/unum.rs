//! `unum`: the SQL prompt and the agent.
//!
//! Exit codes: 0 done, 1 the SQL or request was refused, 2 usage, 3 no replica reachable, 4 not permitted,
//! 5 deadline or no quorum.

use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use unum_client::collect::HostCollector;
use unum_client::repl::{self, Format};
use unum_client::signal;
use unum_client::{Client, Error, NodeDescription, NodeKey, Publisher};

/// Many nodes, one SQL table.
#[derive(Debug, Parser)]
#[command(name = "unum", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run SQL: a prompt on a terminal, or what -e, -f or standard input give.
    Sql(SqlArgs),
    /// Publish this host's node_info every interval, under a node's name.
    Agent(AgentArgs),
}

#[derive(Debug, Args)]
struct Connection {
    /// Replicas to ask, any of them: host:port, separated by commas.
    #[arg(long, env = "UNUM_ENDPOINTS", value_delimiter = ',', default_value = "127.0.0.1:7400")]
    endpoints: Vec<String>,
    /// How long one statement or push may take, failovers included.
    #[arg(long, default_value = "10s", value_parser = humantime::parse_duration)]
    timeout: Duration,
}

#[derive(Debug, Args)]
struct SqlArgs {
    #[command(flatten)]
    connection: Connection,
    /// Run this SQL and exit; may be given several times.
    #[arg(short = 'e', long = "execute", value_name = "SQL")]
    execute: Vec<String>,
    /// Run the SQL in this file and exit.
    #[arg(short = 'f', long = "file", value_name = "FILE", conflicts_with = "execute")]
    file: Option<PathBuf>,
    /// How results are shown.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
struct AgentArgs {
    #[command(flatten)]
    connection: Connection,
    /// The kind of node, for example tikv.
    #[arg(long)]
    node_type: String,
    /// The node's id, unique within the type.
    #[arg(long)]
    id: String,
    /// Between two pushes.
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration)]
    interval: Duration,
    /// The node's address as others know it; found out if left out.
    #[arg(long)]
    ip: Option<String>,
    /// The version of what runs on the node.
    #[arg(long, default_value = "")]
    version: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let result = match Cli::parse().command {
        Command::Sql(args) => sql(args).await,
        Command::Agent(args) => agent(args).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There is nowhere to say that stderr is gone.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

async fn sql(args: SqlArgs) -> Result<(), Error> {
    let client = Client::connect(args.connection.endpoints).await?.with_timeout(args.connection.timeout);
    let text = if let Some(path) = &args.file {
        std::fs::read_to_string(path)
            .map_err(|e| Error::Refused(format!("the file {} cannot be read: {e}", path.display())))?
    } else if !args.execute.is_empty() {
        // Each -e is a statement of its own, with or without its semicolon.
        args.execute.join(";\n")
    } else if std::io::stdin().is_terminal() {
        return repl::run_interactive(&client, args.format).await;
    } else {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|e| Error::Refused(format!("standard input cannot be read: {e}")))?;
        text
    };
    repl::run_script(&client, &text, args.format, &mut std::io::stdout().lock()).await
}

async fn agent(args: AgentArgs) -> Result<(), Error> {
    let client = Client::connect_lazy(args.connection.endpoints)?.with_timeout(args.connection.timeout);
    let mut collector = HostCollector::new();
    let mut node = NodeDescription::new(NodeKey::parse(&args.node_type, &args.id)?);
    node.ip = args.ip.unwrap_or_else(|| collector.ip().to_string());
    node.version = args.version;
    let mut publisher = client.publisher(node);
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
            pushed = push(&mut publisher, &mut collector) => pushed?,
            _ = &mut stop => {
                tracing::info!("agent stops");
                return Ok(());
            }
        }
    }
}

/// One push. What a retry cannot mend ends the agent; anything else is told, and the next interval tries again.
async fn push(publisher: &mut Publisher, collector: &mut HostCollector) -> Result<(), Error> {
    let table = tokio::task::block_in_place(|| collector.collect(publisher.node()))?;
    match publisher.push(vec![table]).await {
        Ok(ack) => tracing::debug!(revision = ack.revision, duplicate = ack.duplicate, "pushed"),
        Err(error @ (Error::Unreachable { .. } | Error::Deadline { .. })) => {
            tracing::warn!(%error, "push failed; the next interval tries again");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}
