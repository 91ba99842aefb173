//! `unum`: the SQL prompt, the agent, tables from files, and what administrators ask.
//!
//! Exit codes: 0 done, 1 the SQL or request was refused, 2 usage, 3 no replica reachable, 4 not permitted,
//! 5 deadline or no quorum, 6 another publisher has the node's name.

mod admin;
mod agent;
mod agent_config;
mod agent_tables;
mod bench;
#[cfg(unix)]
mod first_process;
mod identity;
mod push;
mod sql;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use unum_client::{Client, ClientBuilder, Error, Program};

/// Many small and short-lived values on several threads: the system's allocator takes a third of a small query for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    Sql(sql::SqlArgs),
    /// How each endpoint sees the group. Needs no majority.
    Status(Connection),
    /// The replicas of the group.
    #[command(subcommand)]
    Member(admin::MemberCommand),
    /// The nodes of the catalog.
    #[command(subcommand)]
    Node(admin::NodeCommand),
    /// Who leads.
    #[command(subcommand)]
    Leader(admin::LeaderCommand),
    /// Publish this host's node_info, load, processes, hardware and systeminfo every interval, under a node's name; set
    /// what SET CONFIG wants of it.
    Agent(agent::AgentArgs),
    Push(push::PushArgs),
    Bench(bench::BenchArgs),
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

/// What hangs when the process ends is left behind after this time: a hook that is being ended, an address that is looked up.
const END_LIMIT: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let program = unum_client::this_program();
    // Half of the cores: a task that wakes another one on a second thread costs more than most tasks here do.
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
    match tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(start(program));
            runtime.shutdown_timeout(END_LIMIT);
            code
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: cannot start threads: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn start(program: Program) -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let done = |()| ExitCode::SUCCESS;
    let command = Cli::parse().command;
    #[cfg(unix)]
    if matches!(command, Command::Agent(_)) && first_process::is_first() {
        return first_process::run().await.unwrap_or_else(|error| {
            let _ = writeln!(std::io::stderr(), "error: the agent does not start: {error}");
            ExitCode::FAILURE
        });
    }
    let result = match command {
        Command::Sql(args) => sql::run(args).await,
        Command::Agent(args) => agent::run(args, &program).await.map(done),
        Command::Push(args) => push::run(args, &program).await.map(done),
        Command::Bench(args) => bench::run(args, &program).await.map(done),
        Command::Status(connection) => admin::status(connection).await.map(done),
        Command::Member(command) => admin::member(command).await.map(done),
        Command::Node(command) => admin::node(command).await.map(done),
        Command::Leader(command) => admin::leader(command).await.map(done),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            // There is nowhere to say that stderr is gone.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

impl Connection {
    /// A client in the making: every command's begins here.
    fn builder(&self) -> ClientBuilder {
        Client::builder(self.endpoints.clone()).timeout(self.timeout)
    }

    async fn open(&self) -> Result<Client, Error> {
        self.builder().connect().await
    }
}

fn print(line: &str) -> Result<(), Error> {
    writeln!(std::io::stdout(), "{line}").map_err(|e| Error::Refused(format!("standard output cannot be written: {e}")))
}
