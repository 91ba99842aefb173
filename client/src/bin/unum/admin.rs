//! What administrators ask: the replicas of the group, the nodes of the catalog, who leads.

use clap::Subcommand;
use unum_client::repl;
use unum_client::{Change, Error, NodeKey, ReplicaId};

use super::{Connection, print};

#[derive(Debug, Subcommand)]
pub enum MemberCommand {
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
        id: ReplicaId,
        #[command(flatten)]
        connection: Connection,
    },
    /// Take a replica out of the group. Its id must not be used again.
    Remove {
        /// The replica.
        id: ReplicaId,
        #[command(flatten)]
        connection: Connection,
    },
}

#[derive(Debug, Subcommand)]
pub enum NodeCommand {
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
pub enum LeaderCommand {
    /// Let another voter lead.
    Transfer {
        /// Which one; the one that is furthest if left out.
        #[arg(long)]
        to: Option<ReplicaId>,
        #[command(flatten)]
        connection: Connection,
    },
}

pub async fn status(connection: Connection) -> Result<(), Error> {
    let client = connection.builder().build()?;
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
    repl::show(&connection.open().await?, sql, &mut std::io::stdout().lock()).await
}

pub async fn member(command: MemberCommand) -> Result<(), Error> {
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

pub async fn node(command: NodeCommand) -> Result<(), Error> {
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

pub async fn leader(command: LeaderCommand) -> Result<(), Error> {
    let LeaderCommand::Transfer { to, connection } = command;
    change(connection, Change::TransferLeader { to }).await
}
