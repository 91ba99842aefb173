//! The HTTP port: `/healthz`, `/readyz`, `/metrics`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

use crate::base::disk::DiskSpace;
use crate::base::process;
use crate::consensus::Group;
use crate::frontend::listener::Listener;
use crate::service::query::QueryService;

/// How long `/readyz` waits for the barrier: less than a probe's usual second.
const READY_TIMEOUT: Duration = Duration::from_millis(800);

/// What the probes look at.
#[derive(Debug, Clone)]
pub struct Probes {
    /// For who leads.
    pub group: Group,
    /// For the barrier.
    pub query: Arc<QueryService>,
    /// For the room on the disk.
    pub disk: DiskSpace,
    /// The process's metrics.
    pub metrics: PrometheusHandle,
}

/// Serves the HTTP port until `stop`.
pub async fn serve(listener: Listener, probes: Probes, stop: CancellationToken) -> std::io::Result<()> {
    axum::serve(listener.into_socket(), router(probes)).with_graceful_shutdown(stop.cancelled_owned()).await
}

fn router(probes: Probes) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(render))
        .with_state(probes)
}

/// Ready only when a leader is known and the barrier answers: then every query can be answered.
async fn ready(State(probes): State<Probes>) -> (StatusCode, String) {
    match probes.query.ready(READY_TIMEOUT).await {
        Ok(()) => (StatusCode::OK, "ready\n".into()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {error}\n")),
    }
}

async fn render(State(probes): State<Probes>) -> String {
    let members = probes.group.members();
    let replica = probes.group.replica().to_string();
    let gauge = |name: &'static str, value: u64| metrics::gauge!(name, "replica" => replica.clone()).set(value as f64);
    let state = probes.group.state_reader().newest();
    gauge("unum_raft_term", members.term);
    gauge("unum_raft_is_leader", u64::from(probes.group.leads()));
    gauge("unum_revision", state.revision);
    gauge("unum_nodes", state.nodes.len() as u64);
    gauge("unum_tables", state.tables.len() as u64);
    gauge("unum_catalog_bytes", state.bytes());
    gauge("unum_log_bytes", probes.group.log_bytes());
    gauge("unum_disk_free_bytes", probes.disk.free_bytes());
    gauge("unum_disk_exhausted", u64::from(probes.disk.exhausted().is_some()));
    process::record();
    probes.metrics.render()
}
