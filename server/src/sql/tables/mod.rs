//! The tables that SQL sees.
//!
//! - System tables, one file each: its columns with their comments, and a function that reads its rows.
//! - For every pushed table `T`: `T`, what the answering replica pushed itself, and `cluster_T`, all nodes'.
//! - [`information_schema`]: the tables about tables, in MySQL's shape, and TiDB's `cluster_*` tables.
//!
//! A [`View`] is what they read: one state, and what the answering replica knows besides. Names are compared in lower
//! case; a table says in which case its columns are shown.

pub mod config;
pub mod information_schema;
pub mod lookup;
pub mod nodes;
pub mod replicas;
pub mod scan;
// A file is named after its table.
#[allow(clippy::module_inception)]
pub mod tables;
mod warnings;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef};
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::error::DataFusionError;
use unum_proto::model::{DataType, NodeKey, Row, SqlSession, TableName};

use self::replicas::ReplicaRow;
use self::scan::ViewTable;
use super::Limits;
use super::variables::Context;
use crate::catalog::columnar::{self, Cell, chunks};
use crate::catalog::{NodeStatus, State, Table};

/// The one catalog, named as MySQL names its own.
pub const CATALOG: &str = "def";
/// The schema of names without one.
pub const DEFAULT_SCHEMA: &str = "unum";
/// Where the tables about tables are.
pub const INFORMATION_SCHEMA: &str = "information_schema";

const CLUSTER_PREFIX: &str = "cluster_";

/// The founding idea's name for `cluster_node_info`; both reach it, this one is listed.
const NODE_INFOS: &str = "cluster_node_infos";
const NODE_INFO: &str = "cluster_node_info";

/// Name, type and meaning of each column.
pub type Columns = &'static [(&'static str, DataType, &'static str)];

/// One table that the server makes itself.
#[derive(Debug)]
pub struct SystemTable {
    /// Its schema.
    pub schema: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub comment: &'static str,
    /// Name, type and meaning of each column.
    pub columns: Columns,
    /// Whose rows it shows.
    pub reads: Reads,
    /// Its rows, one value a column.
    pub rows: fn(&View) -> Vec<Row>,
}

/// Which nodes a system table's rows are of.
#[derive(Debug, Clone, Copy)]
pub enum Reads {
    /// No node's.
    Nothing,
    /// Every node's.
    Nodes,
    /// Those of the nodes that pushed this table.
    Pushed(&'static str),
}

/// The key under which a field's metadata has its name as the table shows it, where that is not its name.
pub const SHOWN_AS: &str = "shown_as";

/// All of them.
pub static SYSTEM_TABLES: &[&SystemTable] = &[
    &nodes::TABLE,
    &replicas::TABLE,
    &tables::TABLE,
    &config::changes::TABLE,
    &config::change_nodes::TABLE,
    &config::history::TABLE,
    &config::drift::TABLE,
    &information_schema::tables::TABLE,
    &information_schema::columns::TABLE,
    &information_schema::schemata::TABLE,
    &information_schema::create_statements::TABLE,
    &information_schema::session_variables::TABLE,
    &information_schema::session_status::TABLE,
    &information_schema::processlist::TABLE,
    &information_schema::cluster_info::TABLE,
    &information_schema::cluster_config::TABLE,
    &information_schema::cluster_hardware::TABLE,
    &information_schema::cluster_load::TABLE,
    &information_schema::cluster_systeminfo::TABLE,
    &information_schema::cluster_processlist::TABLE,
    &information_schema::cluster_slow_query::TABLE,
    &information_schema::cluster_statements_summary::TABLE,
];

/// A type as SQL names it.
pub fn type_name(arrow: &ArrowType) -> String {
    let model = match arrow {
        ArrowType::Boolean => DataType::Bool,
        ArrowType::Int64 => DataType::Int64,
        ArrowType::UInt64 => DataType::UInt64,
        ArrowType::Float64 => DataType::Float64,
        ArrowType::Utf8 => DataType::Text,
        ArrowType::Binary => DataType::Bytes,
        ArrowType::Timestamp(..) => DataType::Timestamp,
        other => return other.to_string().to_uppercase(),
    };
    model.to_string()
}

/// How a table shows the name of a column.
pub(crate) fn shown(field: &Field) -> &str {
    field.metadata().get(SHOWN_AS).unwrap_or(field.name())
}

impl SystemTable {
    fn schema(&self) -> SchemaRef {
        let field = |(name, data_type, comment): &(&str, DataType, &str)| {
            let plain = columnar::field(&name.to_lowercase(), *data_type, comment);
            if plain.name() == name {
                return plain;
            }
            let mut metadata = plain.metadata().clone();
            metadata.insert(SHOWN_AS.to_owned(), (*name).to_owned());
            plain.with_metadata(metadata)
        };
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }

    fn batch(&self, view: &View) -> RecordBatch {
        let rows = (self.rows)(view);
        let columns = self.columns.iter().enumerate().map(|(position, (_, data_type, _))| {
            columnar::build(*data_type, rows.iter().map(|row| Cell::from(&row[position])))
        });
        columnar::batch(self.schema(), columns.collect(), rows.len())
    }
}

/// What a statement reads: one revision of the catalog as one replica answers it.
#[derive(Debug)]
pub struct View {
    /// The catalog.
    pub state: Arc<State>,
    /// The answering replica as a node: whose rows `T` are.
    pub own: NodeKey,
    /// What the answering replica knows besides.
    pub live: Arc<dyn Live>,
    /// The session that asks.
    pub session: SqlSession,
    /// Who asks, as the client says.
    pub user: String,
    /// The statement in `processlist`.
    pub query_id: u64,
    /// The limits of the replica.
    pub limits: Limits,
}

/// What a replica knows of itself and its group at this moment: not part of any revision.
pub trait Live: std::fmt::Debug + Send + Sync {
    /// The members of the Raft group.
    fn replicas(&self) -> Vec<ReplicaRow>;
    /// What it runs: rows of `processlist`.
    fn queries(&self) -> Vec<Row>;
    /// What SHOW STATUS shows.
    fn status(&self) -> Vec<(&'static str, String)>;
}

/// What a name stands for.
enum Source<'a> {
    System(&'static SystemTable),
    Local(&'a Table),
    Cluster(&'a Table),
}

/// One table in a listing.
pub(crate) struct Listed<'a> {
    pub schema: &'static str,
    pub name: String,
    pub comment: String,
    source: Source<'a>,
}

impl Listed<'_> {
    /// Its columns.
    pub(crate) fn arrow_schema(&self) -> SchemaRef {
        match self.source {
            Source::System(table) => table.schema(),
            Source::Local(table) => columnar::local_schema(table),
            Source::Cluster(table) => columnar::cluster_schema(table),
        }
    }

    /// Its rows, where they are known without reading it.
    pub(crate) fn rows(&self, own: &NodeKey) -> Option<u64> {
        match self.source {
            Source::System(_) => None,
            Source::Local(table) => Some(table.snapshots.get(own).map_or(0, |s| s.rows.len() as u64)),
            Source::Cluster(table) => Some(table.rows() as u64),
        }
    }

    /// Bytes of its values, where they are known without reading it.
    pub(crate) fn bytes(&self) -> Option<u64> {
        match self.source {
            Source::Cluster(table) => Some(table.bytes()),
            Source::System(_) | Source::Local(_) => None,
        }
    }

    /// When the leader took in the newest of its rows.
    pub(crate) fn received_at_us(&self, own: &NodeKey) -> Option<i64> {
        match self.source {
            Source::System(_) => None,
            Source::Local(table) => table.snapshots.get(own).map(|snapshot| snapshot.received_at_us),
            Source::Cluster(table) => table.snapshots.values().map(|snapshot| snapshot.received_at_us).max(),
        }
    }
}

impl View {
    /// What the statement's variables and constants come from.
    pub(super) fn context<'a>(&'a self, own: &'a str) -> Context<'a> {
        Context::new(&self.session, &self.limits, own, &self.user, self.query_id)
    }

    /// The schemas.
    pub fn schema_names() -> [&'static str; 2] {
        [DEFAULT_SCHEMA, INFORMATION_SCHEMA]
    }

    /// Every table of every schema.
    pub(crate) fn list(&self) -> Vec<Listed<'_>> {
        let system = SYSTEM_TABLES.iter().map(|table| Listed {
            schema: table.schema,
            name: table.name.to_owned(),
            comment: table.comment.to_owned(),
            source: Source::System(table),
        });
        let pushed = self.state.tables.iter().flat_map(|(name, table)| {
            let listed = |name: String, comment: &str, source| Listed {
                schema: DEFAULT_SCHEMA,
                name,
                comment: comment.to_owned(),
                source,
            };
            let cluster = match format!("{CLUSTER_PREFIX}{name}") {
                name if name == NODE_INFO => NODE_INFOS.to_owned(),
                name => name,
            };
            [
                listed(name.to_string(), "what the answering replica pushed itself", Source::Local(table)),
                listed(cluster, "all nodes' rows", Source::Cluster(table)),
            ]
        });
        system.chain(pushed).collect()
    }

    /// The tables of a schema, or none if there is no such schema.
    pub fn table_names(&self, schema: &str) -> Option<Vec<String>> {
        Self::schema_names()
            .contains(&schema)
            .then(|| self.list().into_iter().filter(|t| t.schema == schema).map(|t| t.name).collect())
    }

    fn source(&self, schema: &str, name: &str) -> Option<Source<'_>> {
        if let Some(table) = SYSTEM_TABLES.iter().find(|table| table.schema == schema && table.name == name) {
            return Some(Source::System(table));
        }
        if schema != DEFAULT_SCHEMA {
            return None;
        }
        let name = if name == NODE_INFOS { NODE_INFO } else { name };
        let pushed = |name: &str| self.state.tables.get(&name.parse::<TableName>().ok()?).map(Arc::as_ref);
        match name.strip_prefix(CLUSTER_PREFIX) {
            Some(name) => pushed(name).map(Source::Cluster),
            None => pushed(name).map(Source::Local),
        }
    }

    /// The hash of the schema of a table that a push can change, and none of one that never changes; none if there is no
    /// such table.
    pub(super) fn schema_hash(&self, schema: &str, name: &str) -> Option<Option<u64>> {
        Some(match self.source(schema, name)? {
            Source::System(_) => None,
            Source::Local(table) | Source::Cluster(table) => Some(table.schema.hash()),
        })
    }

    /// Whether there is such a table.
    pub fn has_table(&self, schema: &str, name: &str) -> bool {
        self.source(schema, name).is_some()
    }

    /// The nodes with rows in these tables.
    fn nodes_of<'a>(&self, tables: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeSet<&NodeKey> {
        let mut nodes: BTreeSet<&NodeKey> = BTreeSet::new();
        for (schema, name) in tables {
            match self.source(schema, name) {
                Some(Source::Cluster(table)) => nodes.extend(table.snapshots.keys()),
                Some(Source::Local(table)) => {
                    nodes.extend(table.snapshots.get_key_value(&self.own).map(|(key, _)| key))
                }
                Some(Source::System(table)) => match table.reads {
                    Reads::Nothing => {}
                    Reads::Nodes => nodes.extend(self.state.nodes.keys()),
                    Reads::Pushed(name) => {
                        let pushed = name.parse::<TableName>().ok().and_then(|name| self.state.tables.get(&name));
                        nodes.extend(pushed.iter().flat_map(|table| table.snapshots.keys()));
                    }
                },
                None => {}
            }
        }
        nodes
    }

    /// Of the nodes with rows in these tables, how many are up and how many there are.
    pub fn nodes_read(&self, tables: &[(&str, &str)]) -> (u32, u32) {
        if let [(schema, name)] = tables
            && let Some(Source::Cluster(table)) = self.source(schema, name)
        {
            let (up, all) = chunks::nodes(&self.state, table);
            return (up as u32, all as u32);
        }
        let nodes = self.nodes_of(tables.iter().copied());
        let up = |key: &&&NodeKey| self.state.nodes.get(**key).is_some_and(|node| node.status == NodeStatus::Up);
        (nodes.iter().filter(up).count() as u32, nodes.len() as u32)
    }
}

/// A view as DataFusion's catalog.
#[derive(Debug)]
pub struct ViewCatalog(pub Arc<View>);

impl CatalogProvider for ViewCatalog {
    fn schema_names(&self) -> Vec<String> {
        View::schema_names().map(str::to_owned).to_vec()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let schema = View::schema_names().into_iter().find(|schema| *schema == name)?;
        Some(Arc::new(ViewSchema { view: Arc::clone(&self.0), schema }))
    }
}

#[derive(Debug)]
struct ViewSchema {
    view: Arc<View>,
    schema: &'static str,
}

#[async_trait]
impl SchemaProvider for ViewSchema {
    fn table_names(&self) -> Vec<String> {
        self.view.table_names(self.schema).unwrap_or_default()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        Ok(ViewTable::of(&self.view, self.schema, name).map(|table| Arc::new(table) as _))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.view.has_table(self.schema, name)
    }
}
