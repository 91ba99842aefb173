//! Planning and running statements with DataFusion, under limits.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::{CatalogProvider, CatalogProviderList, MemoryCatalogProviderList};
use datafusion::common::TableReference;
use datafusion::dataframe::DataFrame;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement as DfStatement;
use futures::StreamExt;
use unum_proto::model::SqlSession;

use crate::base::tunable::Tunable;

use super::headings::Headings;
use super::memory::QueryMemory;
use super::statement::{Read, Statement, Tells, current_schema};
use super::tables::{CATALOG, DEFAULT_SCHEMA, SHOWN_AS, View, ViewCatalog};
use super::variables::{self, Context};
use super::yielding::{self, YieldingJoins};
use super::{Error, functions, mistakes, statement, suggest, types};

/// How much one query may take. The defaults stand in `config`.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes that its operators hold at one time.
    pub memory_bytes: usize,
    /// Rows of the result.
    pub rows: usize,
    /// Bytes of the result, as Arrow holds it.
    pub bytes: usize,
}

/// Plans and runs statements. Clones share one set of functions and rules.
#[derive(Debug, Clone)]
pub struct Engine {
    template: SessionState,
    limits: Tunable<Limits>,
}

/// A result that is being made.
pub struct Output {
    /// Its columns.
    pub schema: SchemaRef,
    /// Nodes with rows in the tables that are read: how many are up, of how many.
    pub nodes: (u32, u32),
    /// What the reader should know about the rows.
    pub warnings: Vec<String>,
    /// Whether the next rows, or the end of a thread's turn, come within moments.
    pub yields: bool,
    stream: SendableRecordBatchStream,
    limits: Limits,
    rows: usize,
    bytes: usize,
}

impl Engine {
    /// An engine whose every query has these limits, or lower ones that its session SET.
    pub fn new(limits: Tunable<Limits>) -> Self {
        let mut config = SessionConfig::new()
            .with_default_catalog_and_schema(CATALOG, DEFAULT_SCHEMA)
            .with_create_default_catalog_and_schema(false)
            // DataFusion's own would shadow ours.
            .with_information_schema(false)
            // Queries are small and many: they run beside each other, not each on all cores.
            .with_target_partitions(1)
            .with_collect_statistics(false);
        let parser = &mut config.options_mut().sql_parser;
        // All text here is of one type: no conversions between two.
        parser.map_string_types_to_utf8view = false;
        // NULL is less than any value, as in MySQL.
        "nulls_min".clone_into(&mut parser.default_null_ordering);
        let mut builder = SessionStateBuilder::new()
            .with_config(config)
            .with_default_features()
            .with_physical_optimizer_rule(Arc::new(YieldingJoins));
        let registered = builder.scalar_functions().get_or_insert_default();
        let own: Vec<_> = functions::all().collect();
        // All of DataFusion's that have one of our names, if only as an alias: a session is built from the functions of
        // another one in no order, and the last of a name wins.
        let is_ours = |name: &str| own.iter().any(|function| function.name() == name);
        registered.retain(|function| {
            let replaced = is_ours(function.name()) || function.aliases().iter().any(|alias| is_ours(alias));
            !replaced && !functions::is_refused(function.name())
        });
        registered.extend(own);
        Self { template: builder.build(), limits }
    }

    /// The limits of a session: those that it SET, and never more than the replica's.
    pub fn limits(&self, session: &SqlSession) -> Limits {
        let own = self.limits.get();
        let limit = |name: &str, own: usize| variables::limit(session, name).map_or(own, |set| set.min(own));
        Limits {
            memory_bytes: limit(variables::QUERY_MEMORY_BYTES_MAX, own.memory_bytes),
            rows: limit(variables::RESULT_ROWS_MAX, own.rows),
            bytes: limit(variables::RESULT_BYTES_MAX, own.bytes),
        }
    }

    /// What a statement asks for. It says nothing of the tables yet.
    pub fn parse(&self, sql: &str, caller: &Caller<'_>) -> Result<Statement, Error> {
        let Caller { session, own, user, query_id } = *caller;
        statement::parse(sql, &Context { session, limits: &self.limits.get(), own, user, query_id })
    }

    /// Plans a read over the view and starts it. Rows come as the output is read.
    pub async fn start(&self, view: Arc<View>, read: Read, memory: &Arc<QueryMemory>) -> Result<Output, Error> {
        let Read { statement, headings, tells } = read;
        let statement = DfStatement::Statement(Box::new(statement));
        let session = self.session(Arc::clone(&view), memory)?;
        let references = session.resolve_table_references(&statement)?;
        let schema = current_schema(&view.session);
        check_tables(&view, schema, &references)?;
        let plan = match session.statement_to_plan(statement.clone()).await {
            Ok(plan) => plan,
            Err(error) => {
                let DfStatement::Statement(statement) = &statement else { return Err(error.into()) };
                return Err(mistakes::explain(error, statement, &session));
            }
        };
        // Parsing has refused what writes; this holds for every node of the plan, also in subqueries.
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&plan)?;
        types::check(&plan)?;
        let read: Vec<_> = references.iter().filter_map(|r| resolve(r, schema).ok()).collect();
        let (nodes, warnings) = match tells {
            Tells::Rows => (view.nodes_read(read.iter().copied()), view.warnings(read.iter().copied())),
            Tells::Shape => ((0, 0), Vec::new()),
            Tells::Warnings => ((0, 0), view.session.warnings.clone()),
        };
        let tasks = session.task_ctx();
        let plan = DataFrame::new(session, plan).create_physical_plan().await?;
        let yields = yielding::yields(&plan);
        let stream = datafusion::physical_plan::execute_stream(plan, tasks)?;
        let schema = named(&stream.schema(), &headings);
        Ok(Output { schema, nodes, warnings, yields, stream, limits: self.limits(&view.session), rows: 0, bytes: 0 })
    }

    /// A session of its own for each statement: its view, its memory, its one instant for `now()`.
    fn session(&self, view: Arc<View>, memory: &Arc<QueryMemory>) -> Result<SessionState, Error> {
        let pool: Arc<dyn MemoryPool> = Arc::clone(memory) as _;
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(pool)
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
            .build_arc()?;
        let schema = current_schema(&view.session).to_owned();
        let catalogs = MemoryCatalogProviderList::new();
        let catalog: Arc<dyn CatalogProvider> = Arc::new(ViewCatalog(view));
        catalogs.register_catalog(CATALOG.to_owned(), catalog);
        let config = self.template.config().clone().with_default_catalog_and_schema(CATALOG, schema);
        let mut session = SessionStateBuilder::new_from_existing(self.template.clone())
            .with_config(config)
            .with_runtime_env(runtime)
            .with_catalog_list(Arc::new(catalogs))
            .build();
        let options = Arc::clone(session.config().options());
        session.execution_props_mut().mark_start_execution(options);
        Ok(session)
    }
}

/// Who asks, and whom.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The session.
    pub session: &'a SqlSession,
    /// The replica as a node.
    pub own: &'a str,
    /// Who asks, as the client says.
    pub user: &'a str,
    /// The statement in `processlist`.
    pub query_id: u64,
}

/// The columns as the author of the statement typed them, or as their table shows them.
fn named(schema: &Schema, headings: &Headings) -> SchemaRef {
    let count = schema.fields().len();
    let field = |(position, field): (usize, &Arc<Field>)| {
        let shown = || field.metadata().get(SHOWN_AS).map(String::as_str);
        let name = headings.get(position, count).or_else(shown).unwrap_or(field.name());
        Field::new(name, field.data_type().clone(), field.is_nullable())
    };
    Arc::new(Schema::new(schema.fields().iter().enumerate().map(field).collect::<Vec<_>>()))
}

/// Schema and table of a reference, or an error for a catalog that does not exist.
fn resolve<'a>(reference: &'a TableReference, schema: &'a str) -> Result<(&'a str, &'a str), Error> {
    match reference.catalog() {
        Some(catalog) if catalog != CATALOG => {
            Err(Error::Invalid(format!("{reference} names the catalog {catalog}; there is only {CATALOG}")))
        }
        _ => Ok((reference.schema().unwrap_or(schema), reference.table())),
    }
}

fn check_tables(view: &View, schema: &str, references: &[TableReference]) -> Result<(), Error> {
    for reference in references {
        let (schema, table) = resolve(reference, schema)?;
        let Some(names) = view.table_names(schema) else {
            let near = suggest::nearest(schema, View::schema_names());
            return Err(suggest::unknown("schema", schema, near, "SHOW DATABASES"));
        };
        if !view.has_table(schema, table) {
            let near = suggest::nearest(table, names.iter().map(String::as_str));
            return Err(suggest::unknown("table", &format!("{schema}.{table}"), near, "SHOW TABLES"));
        }
    }
    Ok(())
}

impl Output {
    /// The next rows, or none at the end. Dropping the output ends the query.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        let Some(batch) = self.stream.next().await.transpose()? else { return Ok(None) };
        self.rows += batch.num_rows();
        self.bytes += result_bytes(&batch)?;
        if self.rows > self.limits.rows {
            return Err(Error::TooLarge(format!(
                "the result has more than {} rows; add a LIMIT or a WHERE, or raise sql.result_rows_max",
                self.limits.rows,
            )));
        }
        if self.bytes > self.limits.bytes {
            return Err(Error::TooLarge(format!(
                "the result has more than {} bytes; select fewer columns or rows, or raise sql.result_bytes_max",
                self.limits.bytes,
            )));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let named = RecordBatch::try_new_with_options(Arc::clone(&self.schema), batch.columns().to_vec(), &options);
        named.map(Some).map_err(|e| Error::Internal(e.to_string()))
    }

    /// Rows so far.
    pub fn rows(&self) -> usize {
        self.rows
    }
}

/// Bytes of these rows alone: batches of a join share buffers, which would count many times.
fn result_bytes(batch: &RecordBatch) -> Result<usize, Error> {
    let columns = batch.columns().iter().map(|column| column.to_data().get_slice_memory_size());
    columns.sum::<Result<usize, _>>().map_err(|e| Error::Internal(e.to_string()))
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("schema", &self.schema).field("rows", &self.rows).finish_non_exhaustive()
    }
}
