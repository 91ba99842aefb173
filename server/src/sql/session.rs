//! Planning and running statements with DataFusion, under limits.

use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{CatalogProvider, CatalogProviderList, MemoryCatalogProviderList};
use datafusion::common::TableReference;
use datafusion::dataframe::DataFrame;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{GreedyMemoryPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement as DfStatement;
use futures::StreamExt;

use super::tables::{CATALOG, DEFAULT_SCHEMA, View, ViewCatalog};
use super::{Error, statement, suggest};

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

/// Consumers named in an error of a query that needs too much memory.
const MEMORY_CONSUMERS_NAMED: NonZeroUsize = NonZeroUsize::new(3).unwrap();

/// Plans and runs statements. Clones share one set of functions and rules.
#[derive(Debug, Clone)]
pub struct Engine {
    template: SessionState,
    limits: Limits,
}

/// A result that is being made.
pub struct Output {
    /// Its columns.
    pub schema: SchemaRef,
    /// Nodes with rows in the tables that are read: how many are up, of how many.
    pub nodes: (u32, u32),
    stream: SendableRecordBatchStream,
    limits: Limits,
    rows: usize,
    bytes: usize,
}

impl Engine {
    /// An engine whose every query has these limits.
    pub fn new(limits: Limits) -> Self {
        let config = SessionConfig::new()
            .with_default_catalog_and_schema(CATALOG, DEFAULT_SCHEMA)
            .with_create_default_catalog_and_schema(false)
            // DataFusion's own would shadow ours.
            .with_information_schema(false)
            // Queries are small and many: they run beside each other, not each on all cores.
            .with_target_partitions(1)
            .with_collect_statistics(false);
        let template = SessionStateBuilder::new().with_config(config).with_default_features().build();
        Self { template, limits }
    }

    /// Plans one statement over the view and starts it. Rows come as the output is read.
    pub async fn start(&self, view: Arc<View>, sql: &str) -> Result<Output, Error> {
        let statement = DfStatement::Statement(Box::new(statement::parse(sql)?));
        let session = self.session(Arc::clone(&view))?;
        let references = session.resolve_table_references(&statement)?;
        check_tables(&view, &references)?;
        let plan = session.statement_to_plan(statement).await?;
        // Parsing has refused what writes; this holds for every node of the plan, also in subqueries.
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&plan)?;
        let nodes = view.nodes_read(references.iter().filter_map(|r| resolve(r).ok()));
        let stream = DataFrame::new(session, plan).execute_stream().await?;
        Ok(Output { schema: stream.schema(), nodes, stream, limits: self.limits, rows: 0, bytes: 0 })
    }

    /// A session of its own for each statement: its view, its memory, its one instant for `now()`.
    fn session(&self, view: Arc<View>) -> Result<SessionState, Error> {
        let pool = TrackConsumersPool::new(GreedyMemoryPool::new(self.limits.memory_bytes), MEMORY_CONSUMERS_NAMED);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(pool))
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
            .build_arc()?;
        let catalogs = MemoryCatalogProviderList::new();
        let catalog: Arc<dyn CatalogProvider> = Arc::new(ViewCatalog(view));
        catalogs.register_catalog(CATALOG.to_owned(), catalog);
        let mut session = SessionStateBuilder::new_from_existing(self.template.clone())
            .with_runtime_env(runtime)
            .with_catalog_list(Arc::new(catalogs))
            .build();
        let options = Arc::clone(session.config().options());
        session.execution_props_mut().mark_start_execution(options);
        Ok(session)
    }
}

/// Schema and table of a reference, or an error for a catalog that does not exist.
fn resolve(reference: &TableReference) -> Result<(&str, &str), Error> {
    match reference.catalog() {
        Some(catalog) if catalog != CATALOG => {
            Err(Error::Invalid(format!("{reference} names the catalog {catalog}; there is only {CATALOG}")))
        }
        _ => Ok((reference.schema().unwrap_or(DEFAULT_SCHEMA), reference.table())),
    }
}

fn check_tables(view: &View, references: &[TableReference]) -> Result<(), Error> {
    for reference in references {
        let (schema, table) = resolve(reference)?;
        let Some(names) = view.table_names(schema) else {
            let near = suggest::nearest(schema, View::schema_names());
            return Err(unknown("schema", schema, near, "SHOW DATABASES"));
        };
        if !view.has_table(schema, table) {
            let near = suggest::nearest(table, names.iter().map(String::as_str));
            return Err(unknown("table", &format!("{schema}.{table}"), near, "SHOW TABLES"));
        }
    }
    Ok(())
}

fn unknown(what: &str, name: &str, near: Option<&str>, list: &str) -> Error {
    let remedy = near.map_or_else(|| format!("{list} lists what there is"), |near| format!("did you mean {near}?"));
    Error::Invalid(format!("there is no {what} {name}; {remedy}"))
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
        Ok(Some(batch))
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
