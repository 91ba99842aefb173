//! Validated types that server and client share, and their conversions to and from the wire.
//!
//! A value of these types is right by construction: names match their patterns, rows match their schema, sizes
//! are within [`limits`]. So nothing behind the edge checks again. Floats and text are kept as they came.
//!
//! The serde derives are what the Raft log and the store are encoded with (by the server, with a version in
//! front): the order of fields and variants is a disk format. Add at the end, never reorder.

mod admin;
pub mod config;
mod convert;
mod data_type;
mod ids;
mod instance;
mod invalid;
pub mod limits;
mod name;
mod push;
mod query;
mod schema;
mod schemas;
pub mod secrets;
pub mod typed;
mod value;
mod widen;

pub use admin::{Change, ChangeRequest, MemberStatus, ReplicaStatus};
pub use config::{
    CONFIG_COLUMNS, CONFIG_TABLE, ConfigOutcome, ConfigReport, ConfigReports, ConfigType, DesiredValue, MASK,
};
pub use data_type::DataType;
pub use ids::{ChangeId, QueryId, ReplicaId};
pub use instance::{Evidence, Instance, Registered, Registration};
pub use invalid::Invalid;
pub use name::{CLUSTER_PREFIX, ColumnName, NodeKey, NodeName, RESERVED_TABLES, TableName};
pub use push::{NodeDescription, Push, PushOutcome, PushRetry, RetryReason, TableRefusal, TableSnapshot};
pub use query::{Consistency, Query, ResultFooter, ResultHeader, SqlSession};
pub use schema::{Column, TableSchema};
pub use schemas::{SchemasSeen, SchemasSent};
pub use value::{Row, Value};
