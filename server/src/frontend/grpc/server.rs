//! The gRPC server of a replica.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use unum_proto::model::limits::MESSAGE_BYTES_MAX;
use unum_proto::wire;
use unum_proto::wire::admin_server::AdminServer;
use unum_proto::wire::config_server::ConfigServer;
use unum_proto::wire::ingest_server::IngestServer;
use unum_proto::wire::query_server::QueryServer;
use unum_proto::wire::replica_server::ReplicaServer;

use super::admin::AdminApi;
use super::config::ConfigApi;
use super::ingest::IngestApi;
use super::query::QueryApi;
use super::replica::ReplicaApi;
use crate::consensus::Group;
use crate::consensus::transport::REPLICA_MESSAGE_BYTES_MAX;
use crate::frontend::listener::Listener;
use crate::service::admin::AdminService;
use crate::service::configure::ConfigService;
use crate::service::ingest::IngestService;
use crate::service::publishers::PublisherService;
use crate::service::query::QueryService;

/// Requests of one connection at a time.
const STREAMS_PER_CONNECTION_MAX: u32 = 1024;

/// Streams that a peer may reset before it is cut off: a client that cancels in bulk costs more than it asks.
const PENDING_RESETS_MAX: usize = 256;

/// A peer that is gone without a word is noticed after both.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// What is served over gRPC.
#[derive(Debug, Clone)]
pub struct Services {
    /// Raft.
    pub group: Group,
    /// Pushes.
    pub ingest: IngestService,
    /// Queries.
    pub query: Arc<QueryService>,
    /// Administration.
    pub admin: AdminService,
    /// Configuration of nodes.
    pub config: ConfigService,
}

/// Serves gRPC until `stop`; then finishes what runs.
pub async fn serve(
    listener: Listener,
    services: Services,
    stop: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let Services { group, ingest, query, admin, config } = services;
    let publishers = PublisherService::new(group.clone());
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_service_status("", tonic_health::ServingStatus::Serving).await;
    let reflection =
        || tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(wire::DESCRIPTORS);
    let replica = ReplicaServer::new(ReplicaApi { group, ingest: ingest.clone(), query: query.clone() })
        .max_decoding_message_size(REPLICA_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(REPLICA_MESSAGE_BYTES_MAX);
    let ingest = IngestServer::new(IngestApi { service: ingest, publishers, stop: stop.clone() })
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let query = QueryServer::new(QueryApi::new(query))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    Server::builder()
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .http2_max_pending_accept_reset_streams(Some(PENDING_RESETS_MAX))
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .add_service(replica)
        .add_service(ingest)
        .add_service(query)
        .add_service(
            ConfigServer::new(ConfigApi { service: config, stop: stop.clone() })
                .max_decoding_message_size(MESSAGE_BYTES_MAX),
        )
        .add_service(AdminServer::new(AdminApi(admin)).max_decoding_message_size(MESSAGE_BYTES_MAX))
        .add_service(health_service)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .serve_with_incoming_shutdown(listener.incoming(), stop.cancelled_owned())
        .await?;
    Ok(())
}
