//! What a statement reads: one state, and what the answering replica knows besides.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef};
use unum_proto::model::{CLUSTER_PREFIX, DataType, NodeKey, QueryId, ReplicaId, Row, SqlSession, TableName};

use crate::catalog::columnar::{self, Cell, chunks};
use crate::catalog::{NodeStatus, State, Table};
use crate::sql::Limits;
use crate::sql::syntax::names::{DEFAULT_SCHEMA, NODE_INFO, NODE_INFOS, SCHEMAS, cluster_table};
use crate::sql::variables::Context;

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
    pub(in crate::sql) fn schema(&self) -> SchemaRef {
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

    pub(in crate::sql) fn batch(&self, view: &View) -> RecordBatch {
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
    /// The tables that the server makes itself.
    pub system_tables: &'static [&'static SystemTable],
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
    pub query_id: QueryId,
    /// The limits of the replica.
    pub limits: Limits,
}

/// A member of the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaRow {
    /// The replica.
    pub id: ReplicaId,
    /// Its gRPC address.
    pub addr: String,
    /// leader, follower or learner.
    pub role: &'static str,
    /// The term of the answering replica.
    pub term: u64,
    /// The last entry of its log.
    pub last_log: Option<u64>,
    /// The last entry it applied.
    pub applied: Option<u64>,
    /// Entries that the leader has and it does not.
    pub lag: Option<u64>,
    /// The hash of its state at `applied`.
    pub state_hash: Option<u64>,
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

/// Of which nodes a result's rows are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Nodes with rows in the tables that were read, and up.
    pub nodes_up: u32,
    /// Nodes with rows in the tables that were read.
    pub nodes_total: u32,
    /// What the reader should know about the rows.
    pub warnings: Vec<String>,
}

/// What a name stands for.
pub(in crate::sql) enum Source<'a> {
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
    pub(in crate::sql) fn context<'a>(&'a self, own: &'a str) -> Context<'a> {
        Context::new(&self.session, &self.limits, own, &self.user, self.query_id)
    }

    /// Every table of every schema.
    pub(crate) fn list(&self) -> Vec<Listed<'_>> {
        let system = self.system_tables.iter().map(|table| Listed {
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
        SCHEMAS
            .contains(&schema)
            .then(|| self.list().into_iter().filter(|t| t.schema == schema).map(|t| t.name).collect())
    }

    /// Whether a column of a table is one that the catalog adds to every table.
    pub(in crate::sql) fn is_provenance(&self, schema: &str, table: &str, column: &str) -> bool {
        match self.source(schema, table) {
            Some(Source::Cluster(table)) => columnar::is_provenance(table, column),
            _ => false,
        }
    }

    pub(in crate::sql) fn source(&self, schema: &str, name: &str) -> Option<Source<'_>> {
        if let Some(table) = self.system_tables.iter().find(|table| table.schema == schema && table.name == name) {
            return Some(Source::System(table));
        }
        if schema != DEFAULT_SCHEMA {
            return None;
        }
        let pushed = |name: &str| self.state.tables.get(&name.parse::<TableName>().ok()?).map(Arc::as_ref);
        match cluster_table(name) {
            Some(pushed_as) => pushed(pushed_as).map(Source::Cluster),
            None => pushed(name).map(Source::Local),
        }
    }

    /// The hash of the schema of a table that a push can change, and none of one that never changes; none if there is no
    /// such table.
    pub(in crate::sql) fn schema_hash(&self, schema: &str, name: &str) -> Option<Option<u64>> {
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
    pub(in crate::sql) fn nodes_of<'a>(
        &self,
        tables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> BTreeSet<&NodeKey> {
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

    /// What a reader of rows of these tables is told of their nodes.
    pub(in crate::sql) fn coverage(&self, tables: &[(&str, &str)]) -> Coverage {
        let (nodes_up, nodes_total) = self.nodes_read(tables);
        let warnings = if nodes_up == nodes_total { Vec::new() } else { self.warnings(tables.iter().copied()) };
        Coverage { nodes_up, nodes_total, warnings }
    }

    fn nodes_read(&self, tables: &[(&str, &str)]) -> (u32, u32) {
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
