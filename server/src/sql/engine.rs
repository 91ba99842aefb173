//! Planning and running statements with DataFusion, under limits.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::{CatalogProvider, CatalogProviderList, MemoryCatalogProviderList};
use datafusion::common::TableReference;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement as DfStatement;
use sqlparser::ast::Statement as Ast;
use unum_proto::model::SqlSession;

use crate::base::tunable::Tunable;

use super::digest::digest;
use super::headings::Headings;
use super::memory::QueryMemory;
use super::output::{EncodedSchema, Found, Output};
use super::plans::parameters::{self, Parameter};
use super::plans::shape::Shape;
use super::plans::{self, Plan, Plans};
use super::statement::{Planned, Read, Statement, Words, current_schema};
use super::tables::lookup::Lookup;
use super::tables::{CATALOG, DEFAULT_SCHEMA, SHOWN_AS, View, ViewCatalog};
use super::variables::{self, Context};
use super::yielding::{self, YieldingJoins};
use super::{Error, functions, mistakes, statement, suggest, types};

/// Bytes of a statement that is looked at where requests come in: splitting a long one takes its time.
const LOOKUP_BYTES_MAX: usize = 1024;

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

/// Plans and runs statements.
#[derive(Debug)]
pub struct Engine {
    template: SessionState,
    /// Without a place to spill to.
    runtime: Arc<RuntimeEnv>,
    limits: Tunable<Limits>,
    plans: Plans,
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
        // A filter that one run of a plan finds would be in the next one's way.
        config.options_mut().optimizer.enable_dynamic_filter_pushdown = false;
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
        let runtime = RuntimeEnvBuilder::new()
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
            .build_arc()
            .expect("nothing of it can fail without a directory to spill to");
        Self { template: builder.build(), runtime, limits, plans: Plans::default() }
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
        let words = Words::of(sql)?;
        let shape = words.shape(current_schema(session));
        if let Some((plan, values)) = shape.as_ref().and_then(|shape| self.plans.get(shape)) {
            metrics::counter!("unum_plans_total", "planned" => "before").increment(1);
            return Ok(Statement::Planned(Box::new(Planned { plan, values, words })));
        }
        metrics::counter!("unum_plans_total", "planned" => "now").increment(1);
        statement::parse(words, shape, &Context::new(session, &self.limits.get(), own, user, query_id))
    }

    /// The plan that a short statement has already: what is found so is not parsed any more. Longer ones take too long for
    /// where this is called.
    pub fn planned(&self, sql: &str, session: &SqlSession) -> Option<Planned> {
        if sql.len() > LOOKUP_BYTES_MAX {
            return None;
        }
        // What is wrong with it is told where it is parsed.
        let words = Words::of(sql).ok()?;
        let (plan, values) = self.plans.get(&words.shape(current_schema(session))?)?;
        metrics::counter!("unum_plans_total", "planned" => "before").increment(1);
        Some(Planned { plan, values, words })
    }

    /// Answers a lookup on the spot; none if it is out of date, or would read much: then it is to be run.
    pub fn look_up(&self, view: &View, planned: &Planned) -> Result<Option<Found>, Error> {
        let Planned { plan, values, .. } = planned;
        let Some(lookup) = plan.lookup.as_ref().filter(|_| plan.serves(view)) else { return Ok(None) };
        let Some(parts) = lookup.rows(view, values)? else { return Ok(None) };
        Found::new(plan, plan.nodes_and_warnings(view), parts, self.limits(&view.session)).map(Some)
    }

    /// Runs a plan over the view. Rows come as the output is read.
    pub async fn run(&self, view: Arc<View>, planned: Planned, memory: &Arc<QueryMemory>) -> Result<Output, Error> {
        let Planned { plan, values, words } = planned;
        if plan.serves(&view) {
            let runnable = plan.bound(&view, &values)?;
            return self.execute(&view, &plan, runnable, self.tasks(memory));
        }
        let own = view.own.to_string();
        let shape = words.shape(current_schema(&view.session));
        match statement::parse(words, shape, &view.context(&own))? {
            Statement::Read(read) => self.start(view, *read, memory).await,
            other => Err(Error::Internal(format!("{other:?} had a plan"))),
        }
    }

    /// Plans a read over the view and starts it. Rows come as the output is read.
    pub async fn start(&self, view: Arc<View>, read: Read, memory: &Arc<QueryMemory>) -> Result<Output, Error> {
        let session = self.session(Arc::clone(&view), memory)?;
        let (plan, kept) = self.plan(&view, &session, &read).await?;
        let values = read.shape.as_ref().and_then(|shape| shape.values(&plan.parameters)).unwrap_or_default();
        let runnable = match &kept {
            Some(shape) => {
                self.plans.put(shape, Arc::clone(&plan));
                plan.bound(&view, &values)?
            }
            None => plans::bound_once(Arc::clone(&plan.physical), &view)?,
        };
        self.execute(&view, &plan, runnable, session.task_ctx())
    }

    /// A plan of a read, and what it may be kept under.
    async fn plan<'a>(
        &self,
        view: &View,
        session: &SessionState,
        read: &'a Read,
    ) -> Result<(Arc<Plan>, Option<&'a Shape>), Error> {
        let of = |ast: &Ast| DfStatement::Statement(Box::new(ast.clone()));
        let references = session.resolve_table_references(&of(&read.statement))?;
        let schema = current_schema(&view.session);
        check_tables(view, schema, &references)?;
        let logical = session.statement_to_plan(of(&read.statement)).await;
        let logical = logical.map_err(|error| mistakes::explain(error, &read.statement, session))?;
        // Parsing has refused what writes; this holds for every node of the plan, also in subqueries.
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&logical)?;
        types::check(&logical)?;
        let tables: Vec<_> = references.iter().filter_map(|r| resolve(r, schema).ok()).collect();
        let tables: Vec<_> = tables.into_iter().map(|(schema, table)| (schema.to_owned(), table.to_owned())).collect();
        let plan = |physical: Arc<dyn ExecutionPlan>, parameters| {
            Arc::new(Plan {
                schema: named(&physical.schema(), &read.headings),
                encoded_schema: EncodedSchema::default(),
                yields: yielding::yields(&physical),
                schemas: tables.iter().map(|(schema, table)| view.schema_hash(schema, table).flatten()).collect(),
                tables: tables.clone(),
                tells: read.tells,
                digest: Arc::new(digest(read.shape.as_ref().map_or("", |shape| &shape.sql))),
                lookup: Lookup::of(&physical),
                physical,
                parameters,
            })
        };
        let shape = read.shape.as_ref();
        let shape = if plans::is_timeless(&logical)? { shape } else { None };
        if let Some(shape) = shape
            && let Some((physical, parameters)) = open_plan(session, &read.statement, shape).await?
        {
            return Ok((plan(physical, parameters), Some(shape)));
        }
        let physical = session.create_physical_plan(&logical).await?;
        let kept = shape.filter(|_| plans::is_reusable(&physical));
        Ok((plan(physical, Vec::new()), kept))
    }

    fn execute(
        &self,
        view: &View,
        plan: &Plan,
        runnable: Arc<dyn ExecutionPlan>,
        tasks: Arc<TaskContext>,
    ) -> Result<Output, Error> {
        let stream = datafusion::physical_plan::execute_stream(runnable, tasks)?;
        Ok(Output::new(plan, plan.nodes_and_warnings(view), stream, self.limits(&view.session)))
    }

    /// What operators of a plan that is there already find around them. Functions are in the plan.
    fn tasks(&self, memory: &Arc<QueryMemory>) -> Arc<TaskContext> {
        let memory_pool: Arc<dyn MemoryPool> = Arc::clone(memory) as _;
        let runtime = RuntimeEnv { memory_pool, ..RuntimeEnv::clone(&self.runtime) };
        let config = self.template.config().clone();
        let none = (HashMap::new(), HashMap::new(), HashMap::new(), HashMap::new());
        let runtime = Arc::new(runtime);
        Arc::new(TaskContext::new(None, String::new(), config, none.0, none.1, none.2, none.3, runtime))
    }

    /// A session of its own for each statement: its view, its memory, its one instant for `now()`.
    fn session(&self, view: Arc<View>, memory: &Arc<QueryMemory>) -> Result<SessionState, Error> {
        let memory_pool: Arc<dyn MemoryPool> = Arc::clone(memory) as _;
        let runtime = Arc::new(RuntimeEnv { memory_pool, ..RuntimeEnv::clone(&self.runtime) });
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

/// A plan with the values left open that columns are compared with; none if it cannot be run again, or if there are none
/// that can be left open.
async fn open_plan(
    session: &SessionState,
    statement: &Ast,
    shape: &Shape,
) -> Result<Option<(Arc<dyn ExecutionPlan>, Vec<Parameter>)>, Error> {
    let mut opened = statement.clone();
    parameters::open(&mut opened, shape);
    // What cannot be planned this way is planned with its values, and if that fails, too, with a reason.
    let Ok(logical) = session.statement_to_plan(DfStatement::Statement(Box::new(opened))).await else {
        return Ok(None);
    };
    let Some(parameters) = parameters::of(&logical, shape).filter(|parameters| !parameters.is_empty()) else {
        return Ok(None);
    };
    let called = session.optimize(&logical).and_then(|logical| parameters::called(logical, &parameters));
    let Ok(called) = called else { return Ok(None) };
    let Ok(physical) = session.query_planner().create_physical_plan(&called, session).await else { return Ok(None) };
    let served = plans::is_reusable(&physical) && parameters::are_in_scans(&physical)?;
    Ok(served.then_some((physical, parameters)))
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
