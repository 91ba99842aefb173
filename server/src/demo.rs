//! `unumd demo`: three replicas in one process, and the SQL prompt.
//!
//! Nothing is simulated: real gRPC on loopback ports that it picks, real sled in a temporary directory that it
//! removes, and this host's facts published by each replica.

use std::io::IsTerminal;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use futures::FutureExt;
use metrics_exporter_prometheus::PrometheusHandle;
use unum_client::repl::{self, Format, Script};
use unum_client::signal;
use unum_client::{Client, Program};
use unum_proto::model::ReplicaId;

use crate::config::{self, File, Flags};
use crate::node::{Listeners, Replica};

const REPLICAS: u64 = 3;

/// How long the replicas may take to elect a leader and publish themselves, on a machine that is busy.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Starts the cluster, runs `statements` or the prompt, and stops it.
pub async fn run(
    statements: &[String],
    format: Format,
    metrics: PrometheusHandle,
    program: &Program,
) -> anyhow::Result<()> {
    // Before there is a directory that would be left behind.
    let prompt = statements.is_empty() && std::io::stdin().is_terminal();
    // At the prompt Ctrl-C ends a query, and not the cluster.
    let stop = if prompt { signal::stop_but_interrupt().boxed() } else { signal::stop().boxed() };
    let dir = tempfile::Builder::new().prefix("unum-demo-").tempdir().context("no temporary directory")?;
    let mut listeners = Vec::new();
    for _ in 0..REPLICAS {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        listeners.push(Listeners::bind(any, any).await?);
    }
    let addresses = listeners.iter().map(|listener| listener.grpc_addr().to_string()).collect::<Vec<_>>();
    let members: Vec<_> = addresses.iter().zip(1..).map(|(addr, id): (_, u64)| format!("{id}={addr}")).collect();
    let mut replicas = Vec::new();
    for (listeners, id) in listeners.into_iter().zip(1..) {
        let flags = Flags {
            id: ReplicaId::from(id),
            data_dir: dir.path().join(id.to_string()),
            // Bound already.
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            http_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            initial_cluster: Some(members.join(",")),
            join: None,
            advertise: None,
            cluster_name: "demo".into(),
        };
        let options = config::build(flags, File::default())?;
        replicas.push(Replica::start(options, listeners, metrics.clone(), program).await?);
    }
    let client = Client::connect(addresses.clone()).await?;
    let used = tokio::select! {
        used = use_cluster(&client, &addresses, statements, format) => used,
        failed = futures::future::select_all(replicas.iter().map(|replica| Box::pin(replica.failed()))) => {
            bail!("a replica failed: {}", failed.0)
        }
        _ = stop => Ok(()),
    };
    for replica in replicas {
        replica.stop().await?;
    }
    dir.close().context("the temporary directory cannot be removed")?;
    used
}

async fn use_cluster(
    client: &Client,
    addresses: &[String],
    statements: &[String],
    format: Format,
) -> anyhow::Result<()> {
    wait_until_all_published(client).await?;
    let mut out = std::io::stdout();
    let script = Script { format, bail: true, output: None, file: None };
    if !statements.is_empty() {
        repl::run_script(client, &statements.join(";\n"), script, &mut out).await?;
    } else if std::io::stdin().is_terminal() {
        tracing::info!(endpoints = addresses.join(","), "three replicas run; `unum sql --endpoints …` reaches them");
        repl::run_interactive(client, format, true).await?;
    } else {
        // On a thread of its own: it may wait for ever, and the replicas must run meanwhile.
        let read = tokio::task::spawn_blocking(|| std::io::read_to_string(std::io::stdin())).await?;
        let text = read.context("standard input cannot be read")?;
        repl::run_script(client, &text, script, &mut out).await?;
    }
    Ok(())
}

async fn wait_until_all_published(client: &Client) -> anyhow::Result<()> {
    const PAUSE: Duration = Duration::from_millis(20);
    let all = async {
        loop {
            let nodes = client.query("SELECT id FROM nodes").await;
            if nodes.is_ok_and(|nodes| nodes.row_count() as u64 == REPLICAS) {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(START_TIMEOUT, all)
        .await
        .with_context(|| format!("the replicas did not find together within {} s", START_TIMEOUT.as_secs()))
}
