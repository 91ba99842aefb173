//! `unumd`: arguments and exit code.
//!
//! Exit codes: 0 done, 1 an error that stderr names, 2 usage.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use unum_client::repl::Format;
use unum_client::{Program, signal};
use unum_proto::model::ReplicaId;
use unum_server::base::telemetry::{self, LogFormat};
use unum_server::config::{self, File, Flags};
use unum_server::node::{Listeners, Replica};
use unum_server::{check, demo};

/// Many small and short-lived values on several threads: the system's allocator takes a third of a small query for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A replica of Unum: many nodes, one SQL table.
#[derive(Debug, Parser)]
#[command(name = "unumd", version)]
struct Cli {
    /// What is logged, as in RUST_LOG. Default: info for serve, error for demo.
    #[arg(long, global = true, env = "UNUM_LOG")]
    log: Option<String>,
    /// How logs look.
    #[arg(long, global = true, value_enum, default_value_t)]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one replica.
    Serve(ServeArgs),
    /// Look at a stopped replica's directory: is everything there, and whole? Changes nothing.
    Check(CheckArgs),
    /// Run three replicas in this process, on loopback and in a temporary directory, and open the SQL prompt.
    Demo(DemoArgs),
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// This replica's id in --initial-cluster.
    #[arg(long)]
    id: ReplicaId,
    /// Where its records are kept; made if missing.
    #[arg(long)]
    data_dir: PathBuf,
    /// Where gRPC is served; other replicas reach it under the address in --initial-cluster.
    #[arg(long, default_value = "127.0.0.1:7400")]
    listen: SocketAddr,
    /// Where /healthz, /readyz and /metrics are served.
    #[arg(long, default_value = "127.0.0.1:7401")]
    http_listen: SocketAddr,
    /// All replicas of the first start: 1=HOST:PORT,2=HOST:PORT,3=HOST:PORT. The same on each, and on every restart.
    #[arg(long, required_unless_present = "join", conflicts_with = "join")]
    initial_cluster: Option<String>,
    /// A replica of a running group: this one joins it as a learner.
    #[arg(long, value_name = "HOST:PORT")]
    join: Option<String>,
    /// With --join: this replica's own address as the others reach it. Default: --listen.
    #[arg(long, value_name = "HOST:PORT", requires = "join")]
    advertise: Option<String>,
    /// Tells clusters apart that would have the same members.
    #[arg(long, default_value = "unum")]
    cluster_name: String,
    /// A TOML file with further settings: docs/CONFIG.md.
    #[arg(long)]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// The directory of a replica that does not run.
    #[arg(long)]
    data_dir: PathBuf,
}

#[derive(Debug, Args)]
struct DemoArgs {
    /// Run this SQL and exit; may be given several times.
    #[arg(short = 'e', long = "execute", value_name = "SQL")]
    execute: Vec<String>,
    /// How results are shown.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn main() -> ExitCode {
    let program = unum_client::this_program();
    let cli = Cli::parse();
    let result = runtime().map_err(anyhow::Error::from).and_then(|runtime| {
        let result = runtime.block_on(run(cli, &program));
        // A thread may still read the terminal for a prompt that has ended: it must not hold the process up.
        runtime.shutdown_background();
        result
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There is nowhere to say that stderr is gone.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The threads of requests and of Raft: half as many as there are cores. Queries and the store have their own, and a task
/// that wakes another one on a second thread costs more than most of these tasks do.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    tokio::runtime::Builder::new_multi_thread().worker_threads(cores.div_ceil(2)).enable_all().build()
}

async fn run(cli: Cli, program: &Program) -> anyhow::Result<()> {
    let default_log = match cli.command {
        Command::Serve(_) => "info,openraft=error",
        Command::Demo(_) => "off",
        Command::Check(_) => "error",
    };
    telemetry::init_logs(cli.log.as_deref().unwrap_or(default_log), cli.log_format).map_err(anyhow::Error::msg)?;
    let metrics = telemetry::init_metrics().map_err(anyhow::Error::msg)?;
    tokio::spawn(telemetry::keep_up(metrics.clone()));
    match cli.command {
        Command::Demo(args) => demo::run(&args.execute, args.format, metrics, program).await,
        Command::Check(args) => {
            let report = check::run(&args.data_dir).await?;
            writeln!(std::io::stdout(), "{report}")?;
            Ok(())
        }
        Command::Serve(args) => {
            let file = args.config.as_deref().map(File::read).transpose()?.unwrap_or_default();
            let flags = Flags {
                id: args.id,
                data_dir: args.data_dir,
                listen: args.listen,
                http_listen: args.http_listen,
                initial_cluster: args.initial_cluster,
                join: args.join,
                advertise: args.advertise,
                cluster_name: args.cluster_name,
            };
            let options = config::build(flags, file)?;
            let listeners = Listeners::bind(options.listen, options.http_listen).await?;
            let stop = signal::stop();
            let replica = Replica::start(options, listeners, metrics, program).await?;
            let failed = tokio::select! {
                signal = stop => {
                    tracing::info!(signal, "stopping");
                    None
                }
                why = replica.failed() => {
                    tracing::error!(why, "the replica cannot go on");
                    Some(why)
                }
            };
            match failed {
                None => replica.stop().await,
                Some(why) => {
                    replica.abandon().await;
                    anyhow::bail!("{why}; the process ends")
                }
            }
        }
    }
}
