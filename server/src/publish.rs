//! The replica as a node: it pushes what it knows of itself over gRPC, as any agent does, to itself.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;
use unum_client::collect::{HostTables, host_ip};
use unum_client::config::{config_table, push_requests};
use unum_client::{
    Client, Error, Invalid, NodeDescription, OwnInstance, Program, Publisher, TableRefusal, TableSnapshot,
};

use crate::config::Options;
use crate::config::settings::Settings;
use crate::consensus::Group;
use crate::service::query_log::{HistoryMark, QueryLog};
use crate::service::raft_status;
use crate::storage::StoreId;

/// How long one push may take.
const PUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Between two pushes of the tables that every query changes.
const HISTORY_INTERVAL: Duration = Duration::from_secs(5);

/// What a replica publishes besides `node_info`.
#[derive(Debug)]
pub struct OwnTables {
    group: Group,
    /// A replica that is started again over its directory is the same publisher.
    store: StoreId,
    log: QueryLog,
    settings: Settings,
}

impl OwnTables {
    /// The tables of a replica.
    pub fn new(group: Group, store: StoreId, log: QueryLog, settings: Settings) -> Self {
        Self { group, store, log, settings }
    }
}

/// Publishes every interval, as long as the replica runs.
pub async fn run(options: Options, addr: SocketAddr, own: OwnTables, program: Program) {
    let mut host = HostTables::new(&program, 0);
    let mut node = NodeDescription::new(options.own_node());
    let follows_route = addr.ip().is_unspecified();
    node.ip = if follows_route { host_ip() } else { addr.ip() }.to_string();
    env!("CARGO_PKG_VERSION").clone_into(&mut node.version);
    let client = match Client::builder([addr.to_string()]).build() {
        Ok(client) => client.with_timeout(PUSH_TIMEOUT),
        Err(error) => return tracing::error!(%error, "the replica cannot publish itself"),
    };
    let instance = match OwnInstance::of_id(&format!("unumd-{:016x}", own.store.get())) {
        Ok(instance) => instance,
        Err(error) => return tracing::error!(%error, "the replica cannot publish itself"),
    };
    let mut publisher = client.publisher(node).with_instance(instance);
    let (requester, mut push_requests) = push_requests();
    let settings = own.settings.clone();
    let _subscription = publisher.on_config(move |request| {
        let (requester, settings) = (requester.clone(), settings.clone());
        async move {
            let outcome = settings.set(&request.key, &request.value);
            requester.request_push().await;
            outcome
        }
    });
    let mut history = History::default();
    let (mut running, mut config) = (None, None);
    let mut due = Instant::now();
    loop {
        let request = tokio::select! {
            () = tokio::time::sleep_until(due) => None,
            request = push_requests.next() => Some(request),
        };
        if let Some(request) = request {
            tell(push_changed(&own.group, config_table(own.settings.entries()), &mut publisher, &mut config).await);
            request.done();
            continue;
        }
        due = Instant::now() + options.tunables.publish_interval.get();
        if follows_route {
            publisher.set_ip(host_ip().to_string());
        }
        let pushed = match host.collect_info(publisher.node()).await {
            Ok((info, unread)) => {
                publisher.leave_out(unread.iter().map(TableRefusal::unread).collect());
                push(&own, &mut publisher, info, &mut running, &mut history).await
            }
            Err(invalid) => Err(invalid.into()),
        };
        tell(pushed);
        // What says that the replica is there comes first.
        tell(push_changed(&own.group, config_table(own.settings.entries()), &mut publisher, &mut config).await);
    }
}

fn tell(pushed: Result<(), Error>) {
    if let Err(error) = pushed {
        tracing::warn!(%error, "the replica could not publish itself; the next interval tries again");
    }
}

/// What of the queries that are over has been published.
#[derive(Debug, Default)]
struct History {
    published: HistoryMark,
    at: Option<Instant>,
}

/// A table, if it is not what was acknowledged last, or was dropped since.
async fn push_changed(
    group: &Group,
    table: Result<TableSnapshot, Invalid>,
    publisher: &mut Publisher,
    published: &mut Option<TableSnapshot>,
) -> Result<(), Error> {
    let table = table?;
    let is_kept = || group.state_reader().newest().tables.contains_key(&table.schema.name);
    if published.as_ref().is_some_and(|published| published.rows == table.rows) && is_kept() {
        return Ok(());
    }
    publisher.push_whole(vec![table.clone()]).await?;
    *published = Some(table);
    Ok(())
}

/// First what says that the replica is there, then a push for each table that could be too much for one: none of them
/// keeps the others from going out.
async fn push(
    own: &OwnTables,
    publisher: &mut Publisher,
    info: TableSnapshot,
    running: &mut Option<TableSnapshot>,
    history: &mut History,
) -> Result<(), Error> {
    let ack = publisher.push(vec![info, raft_status::table(&own.group)?]).await?;
    if let Some(TableRefusal { table, why }) = ack.refused.into_iter().find(|refused| !refused.table.is_empty()) {
        return Err(Error::Refused(format!("table {table}: {why}")));
    }
    let running = push_changed(&own.group, own.log.running_table(), publisher, running).await;
    if history.at.is_some_and(|at| at.elapsed() < HISTORY_INTERVAL) {
        return running;
    }
    let (tables, published) = own.log.history_tables(history.published)?;
    let mut outcome = running;
    for table in tables {
        // The first error is the one to tell.
        outcome = outcome.and(publisher.push_whole(vec![table]).await.map(drop));
    }
    history.at = Some(Instant::now());
    if outcome.is_ok() {
        history.published = published;
    }
    outcome
}
