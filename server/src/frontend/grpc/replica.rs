//! `unum.v1.Replica`: what other replicas ask.

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};
use unum_proto::model::{Push, SchemasSeen};
use unum_proto::wire;

use super::status::{from_inbound, from_invalid, from_propose};
use crate::consensus::transport::{Report, ReportAnswer, stores_from_wire, stores_to_wire};
use crate::consensus::{Group, ReportError};
use crate::service::ingest::IngestService;
use crate::service::query::QueryService;

/// The handler.
#[derive(Debug)]
pub struct ReplicaApi {
    /// Raft.
    pub group: Group,
    /// For relayed pushes.
    pub ingest: IngestService,
    /// For queries that somebody kills elsewhere.
    pub query: Arc<QueryService>,
}

type Reply<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl wire::replica_server::Replica for ReplicaApi {
    async fn append_entries(&self, request: Request<wire::RaftMessage>) -> Reply<wire::RaftMessage> {
        self.group.inbound().append_entries(request.into_inner()).await.map(Response::new).map_err(from_inbound)
    }

    async fn vote(&self, request: Request<wire::RaftMessage>) -> Reply<wire::RaftMessage> {
        self.group.inbound().vote(request.into_inner()).await.map(Response::new).map_err(from_inbound)
    }

    async fn pre_vote(&self, request: Request<wire::RaftMessage>) -> Reply<wire::RaftMessage> {
        self.group.inbound().pre_vote(request.into_inner()).await.map(Response::new).map_err(from_inbound)
    }

    async fn transfer_leader(&self, request: Request<wire::RaftMessage>) -> Reply<wire::RaftMessage> {
        self.group.inbound().transfer_leader(request.into_inner()).await.map(Response::new).map_err(from_inbound)
    }

    async fn install_snapshot(&self, request: Request<Streaming<wire::SnapshotPiece>>) -> Reply<wire::RaftMessage> {
        self.group.inbound().install_snapshot(request.into_inner()).await.map(Response::new).map_err(from_inbound)
    }

    async fn read_index(&self, request: Request<wire::ReadIndexRequest>) -> Reply<wire::ReadIndexReply> {
        let wire::ReadIndexRequest { cluster_id, from, round, term } = request.into_inner();
        self.group.inbound().check_cluster(cluster_id).map_err(from_inbound)?;
        let index = self.group.read_index_for(from.into(), term).await.map_err(from_propose)?;
        Ok(Response::new(wire::ReadIndexReply { round, index }))
    }

    async fn report(&self, request: Request<wire::ReportRequest>) -> Reply<wire::ReportReply> {
        let wire::ReportRequest { cluster_id, progress, stores } = request.into_inner();
        self.group.inbound().check_cluster(cluster_id).map_err(from_inbound)?;
        let progress = progress.ok_or_else(|| Status::invalid_argument("the report has no progress; set it"))?;
        let report = Report { progress: progress.into(), stores: stores_from_wire(stores) };
        match self.group.report(report).await {
            Ok(ReportAnswer { all, stores }) => {
                let progress = all.into_iter().map(Into::into).collect();
                Ok(Response::new(wire::ReportReply { progress, stop: None, stores: stores_to_wire(stores) }))
            }
            Err(ReportError::MustStop(stop)) => {
                tracing::error!(%stop, "another replica must not go on");
                Ok(Response::new(wire::ReportReply { stop: Some((&stop).into()), ..Default::default() }))
            }
            Err(ReportError::NotLeader(error)) => Err(from_propose(error)),
        }
    }

    async fn propose(&self, request: Request<wire::ProposeRequest>) -> Reply<wire::ProposeReply> {
        let wire::ProposeRequest { cluster_id, command } = request.into_inner();
        self.group.inbound().check_cluster(cluster_id).map_err(from_inbound)?;
        let outcome = self.group.propose_encoded(&command).await.map_err(from_propose)?;
        Ok(Response::new(wire::ProposeReply { outcome }))
    }

    async fn kill(&self, request: Request<wire::KillRequest>) -> Reply<wire::KillReply> {
        let wire::KillRequest { cluster_id, query_id } = request.into_inner();
        self.group.inbound().check_cluster(cluster_id).map_err(from_inbound)?;
        Ok(Response::new(wire::KillReply { killed: self.query.kill_here(query_id.into()) }))
    }

    async fn relay(&self, request: Request<wire::RelayRequest>) -> Reply<wire::RelayReply> {
        let wire::RelayRequest { cluster_id, pushes, .. } = request.into_inner();
        self.group.inbound().check_cluster(cluster_id).map_err(from_inbound)?;
        let mut schemas = SchemasSeen::default();
        let pushes: Vec<Push> =
            pushes.into_iter().map(|push| schemas.push(push)).collect::<Result<_, _>>().map_err(from_invalid)?;
        let sequences: Vec<u64> = pushes.iter().map(|push| push.sequence).collect();
        let outcomes = self.ingest.relayed(pushes).await.map_err(from_propose)?;
        let replies = sequences.into_iter().zip(outcomes).map(|(seq, outcome)| wire::PushReply::new(seq, outcome));
        Ok(Response::new(wire::RelayReply { replies: replies.collect() }))
    }
}
