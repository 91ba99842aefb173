//! `unum`: the SQL prompt, the agent, and what administrators ask.
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
use unum_client::{Change, Client, Consistency, Error, Invalid, NodeDescription, NodeKey, Publisher};

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
    /// How each endpoint sees the group. Needs no majority.
    Status(Connection),
    /// The replicas of the group.
    #[command(subcommand)]
    Member(MemberCommand),
    /// The nodes of the catalog.
    #[command(subcommand)]
    Node(NodeCommand),
    /// Who leads.
    #[command(subcommand)]
    Leader(LeaderCommand),
    /// Publish this host's node_info every interval, under a node's name.
    Agent(AgentArgs),
}

#[derive(Debug, Subcommand)]
enum MemberCommand {
    /// All replicas, and how far each is.
    List(Connection),
    /// Add a replica as a learner; then start it with --join.
    Add {
        /// Its id, which was never used before, and its gRPC address: ID=HOST:PORT.
        #[arg(value_name = "ID=HOST:PORT")]
        member: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Give a learner a vote, once it has caught up.
    Promote {
        /// The learner.
        id: u64,
        #[command(flatten)]
        connection: Connection,
    },
    /// Take a replica out of the group. Its id must not be used again.
    Remove {
        /// The replica.
        id: u64,
        #[command(flatten)]
        connection: Connection,
    },
}

#[derive(Debug, Subcommand)]
enum NodeCommand {
    /// All nodes, and whether they are up.
    List(Connection),
    /// Remove a node's rows. Only a restart of its agent brings it back.
    Remove {
        /// NODE_TYPE/ID, for example tikv/tikv_1.
        node: String,
        #[command(flatten)]
        connection: Connection,
    },
}

#[derive(Debug, Subcommand)]
enum LeaderCommand {
    /// Let another voter lead.
    Transfer {
        /// Which one; the one that is furthest if left out.
        #[arg(long)]
        to: Option<u64>,
        #[command(flatten)]
        connection: Connection,
    },
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
    /// How fresh an answer has to be: linearizable, bounded:DURATION (as bounded:5s), or stale.
    #[arg(long, default_value = "linearizable", value_parser = parse_consistency)]
    consistency: Consistency,
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
    /// How long the node may be silent before it is called stale. Default: ten intervals, at least 10s.
    #[arg(long, value_parser = humantime::parse_duration)]
    ttl: Option<Duration>,
    /// The node's address as others know it; found out if left out.
    #[arg(long)]
    ip: Option<String>,
    /// The version of what runs on the node.
    #[arg(long, default_value = "")]
    version: String,
}

/// An agent's TTL if none is named: a failover or a busy host must not make a node stale.
const TTL_INTERVALS: u32 = 10;
const TTL_MIN_DEFAULT: Duration = Duration::from_secs(10);

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
        Command::Status(connection) => status(connection).await,
        Command::Member(command) => member(command).await,
        Command::Node(command) => node(command).await,
        Command::Leader(LeaderCommand::Transfer { to, connection }) => {
            change(connection, Change::TransferLeader { to }).await
        }
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

impl Connection {
    async fn open(self) -> Result<Client, Error> {
        Ok(Client::connect(self.endpoints).await?.with_timeout(self.timeout))
    }
}

fn parse_consistency(text: &str) -> Result<Consistency, Invalid> {
    text.parse()
}

fn print(line: &str) -> Result<(), Error> {
    writeln!(std::io::stdout(), "{line}").map_err(|e| Error::Refused(format!("standard output cannot be written: {e}")))
}

async fn status(connection: Connection) -> Result<(), Error> {
    let client = Client::connect_lazy(connection.endpoints)?.with_timeout(connection.timeout);
    let mut answered = 0;
    for (addr, status) in client.statuses().await {
        match status {
            Ok(status) => {
                answered += 1;
                let role = status.members.iter().find(|member| member.id == status.replica);
                let leader = status.leader.map_or("no leader known".to_owned(), |id| format!("leader {id}"));
                print(&format!(
                    "{addr}: replica {} ({}), {leader}, term {}, revision {}, state hash {:016x}, version {}, cluster {:016x}",
                    status.replica,
                    role.map_or("not a member", |member| member.role.as_str()),
                    status.term,
                    status.revision,
                    status.state_hash,
                    status.version,
                    status.cluster_id,
                ))?;
            }
            Err(why) => print(&format!("{addr}: no answer ({why})"))?,
        }
    }
    match answered {
        0 => Err(Error::Unreachable { endpoints: Vec::new(), last: "no endpoint answered".into() }),
        _ => Ok(()),
    }
}

async fn change(connection: Connection, change: Change) -> Result<(), Error> {
    print(&connection.open().await?.change(change).await?)
}

async fn table(connection: Connection, sql: &str) -> Result<(), Error> {
    repl::run_script(&connection.open().await?, sql, Format::Table, &mut std::io::stdout().lock()).await
}

async fn member(command: MemberCommand) -> Result<(), Error> {
    match command {
        MemberCommand::List(connection) => table(connection, "SELECT * FROM replicas ORDER BY id").await,
        MemberCommand::Add { member, connection } => {
            let invalid = || Error::Refused(format!("{member:?} is not a member; write ID=HOST:PORT"));
            let (id, addr) = member.split_once('=').ok_or_else(invalid)?;
            let id = id.parse().map_err(|_| invalid())?;
            change(connection, Change::add_member(id, addr.to_owned())?).await
        }
        MemberCommand::Promote { id, connection } => change(connection, Change::PromoteMember { id }).await,
        MemberCommand::Remove { id, connection } => change(connection, Change::RemoveMember { id }).await,
    }
}

async fn node(command: NodeCommand) -> Result<(), Error> {
    match command {
        NodeCommand::List(connection) => {
            let columns = "node_type, id, status, status_since, ip, version, epoch, sequence, received_at";
            table(connection, &format!("SELECT {columns} FROM nodes ORDER BY node_type, id")).await
        }
        NodeCommand::Remove { node, connection } => {
            let (node_type, id) = node.split_once('/').ok_or_else(|| {
                Error::Refused(format!("{node:?} is not a node; write NODE_TYPE/ID, for example tikv/tikv_1"))
            })?;
            change(connection, Change::RemoveNode { node: NodeKey::parse(node_type, id)? }).await
        }
    }
}

async fn sql(args: SqlArgs) -> Result<(), Error> {
    let client = args.connection.open().await?.with_consistency(args.consistency);
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
    let ttl = args.ttl.unwrap_or_else(|| TTL_MIN_DEFAULT.max(args.interval * TTL_INTERVALS));
    node.ttl_ms = ttl.as_millis().try_into().unwrap_or(u32::MAX);
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
        Err(error @ (Error::Unreachable { .. } | Error::Deadline { .. } | Error::OutcomeUnknown { .. })) => {
            tracing::warn!(%error, "push failed; the next interval tries again");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}
