//! The tables that SQL sees.
//!
//! - System tables, one file each: its columns with their comments, and a function that reads its rows.
//! - For every pushed table `T`: `T`, what the answering replica pushed itself, and `cluster_T`, all nodes'.
//!
//! A [`View`] is what they read: one state, and what the answering replica knows besides.

pub mod columns;
pub mod nodes;
pub mod replicas;
pub mod schemata;
// A file is named after its table.
#[allow(clippy::module_inception)]
pub mod tables;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::{CatalogProvider, MemTable, SchemaProvider, TableProvider};
use datafusion::error::DataFusionError;
use unum_proto::model::{DataType, NodeKey, Row, TableName};

use self::replicas::ReplicaRow;
use crate::catalog::{NodeStatus, State, Table, columnar};

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
    pub columns: &'static [(&'static str, DataType, &'static str)],
    /// Its rows, one value a column.
    pub rows: fn(&View) -> Vec<Row>,
}

static SYSTEM_TABLES: [&SystemTable; 6] = [
    &nodes::TABLE,
    &replicas::TABLE,
    &tables::TABLE,
    &columns::TABLE,
    &schemata::TABLE,
    &tables::INFORMATION_SCHEMA_TABLE,
];

impl SystemTable {
    fn schema(&self) -> SchemaRef {
        let fields = self.columns.iter().map(|(name, data_type, comment)| columnar::field(name, *data_type, comment));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    fn batch(&self, view: &View) -> RecordBatch {
        let rows = (self.rows)(view);
        let columns = self.columns.iter().enumerate().map(|(position, (_, data_type, _))| {
            columnar::build(*data_type, rows.iter().map(|row| row[position].clone()))
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
    /// The Raft group as the answering replica knows it.
    pub replicas: Vec<ReplicaRow>,
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
}

impl View {
    /// The schemas.
    pub fn schema_names() -> [&'static str; 2] {
        [DEFAULT_SCHEMA, INFORMATION_SCHEMA]
    }

    /// Every table of every schema.
    pub(crate) fn list(&self) -> Vec<Listed<'_>> {
        let system = SYSTEM_TABLES.into_iter().map(|table| Listed {
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

    /// Whether there is such a table.
    pub fn has_table(&self, schema: &str, name: &str) -> bool {
        self.source(schema, name).is_some()
    }

    fn batch(&self, schema: &str, name: &str) -> Option<RecordBatch> {
        Some(match self.source(schema, name)? {
            Source::System(table) => table.batch(self),
            Source::Local(table) => columnar::local_batch(table, &self.own),
            Source::Cluster(table) => columnar::cluster_batch(&self.state, table),
        })
    }

    /// Of the nodes with rows in these tables, how many are up and how many there are.
    pub fn nodes_read<'a>(&self, tables: impl IntoIterator<Item = (&'a str, &'a str)>) -> (u32, u32) {
        let mut nodes: BTreeSet<&NodeKey> = BTreeSet::new();
        for (schema, name) in tables {
            match self.source(schema, name) {
                Some(Source::Cluster(table)) => nodes.extend(table.snapshots.keys()),
                Some(Source::Local(table)) => {
                    nodes.extend(table.snapshots.get_key_value(&self.own).map(|(key, _)| key))
                }
                Some(Source::System(table)) if std::ptr::eq(table, &nodes::TABLE) => {
                    nodes.extend(self.state.nodes.keys())
                }
                Some(Source::System(_)) | None => {}
            }
        }
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
        let Some(batch) = self.view.batch(self.schema, name) else { return Ok(None) };
        Ok(Some(Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?)))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.view.has_table(self.schema, name)
    }
}
