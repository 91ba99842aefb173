//! Unum's client SDK: ask the whole cluster in SQL, and publish what a node knows of itself.
//!
//! ```no_run
//! use unum_client::{Client, DataType, NodeDescription, NodeKey, Table};
//!
//! # async fn example() -> Result<(), unum_client::Error> {
//! let client = Client::connect(["127.0.0.1:7400", "127.0.0.1:7410"]).await?;
//!
//! // Publish a table of any schema under this node's name.
//! let node = NodeDescription::new(NodeKey::parse("tikv", "tikv_1")?);
//! let mut publisher = client.publisher(node);
//! let table = Table::new("backlog", &[("depth", DataType::Float64, "requests that wait")])?.row([0.25.into()]);
//! let revision = publisher.push(vec![table.snapshot()]).await?.revision;
//!
//! // Every linearizable answer from now on, by any replica, has it.
//! let result = client.query("SELECT node_id, depth FROM cluster_backlog").await?;
//! assert!(result.revision >= revision);
//! for row in result.rows() {
//!     println!("{} {:?}", row.get::<String>("node_id")?, row.get::<Option<f64>>("depth")?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - [`Client`] fails over between endpoints inside the caller's deadline; `retry` is the only place that tries again.
//! - [`Publisher`] pushes exactly once: a retry repeats the sequence. The name is its own while it is live.
//! - [`config`]: a publisher sets what SQL wants of its node, and says what came of it.
//! - [`collect`] reads this host's facts, and [`rows`] reads CSV, TSV and NDJSON; [`repl`] is the SQL prompt of the `unum`
//!   command.

mod builder;
mod client;
pub mod collect;
pub mod config;
mod error;
mod helper;
mod publisher;
pub mod repl;
mod result;
mod retry;
pub mod rows;
mod session;
mod shared_file;
pub mod signal;
mod table;
mod this_program;
mod transport;

pub use builder::ClientBuilder;
pub use client::Client;
pub use error::Error;
pub use helper::Program;
pub use publisher::{Ack, OwnInstance, Publisher, state_directory};
pub use result::{FromValue, QueryResult, Row};
pub use shared_file::{Contents, SharedFile, Stamp};
pub use table::Table;
pub use this_program::this_program;
#[doc(hidden)]
pub use transport::serve_stub;
pub use unum_proto::model::{
    Change, ChangeId, Column, ColumnName, Consistency, DataType, Invalid, MemberStatus, NodeDescription, NodeKey,
    NodeName, ReplicaId, ReplicaStatus, TableName, TableRefusal, TableSchema, TableSnapshot, Value,
};
