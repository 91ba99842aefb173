//! The planner: from a SELECT over a view to a plan, with DataFusion.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::{CatalogProvider, CatalogProviderList, MemoryCatalogProviderList, TableProvider};
use datafusion::common::TableReference;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement as DfStatement;
use sqlparser::ast::{ObjectName, Statement as Ast};

use super::cooperative::{self, CooperativeJoins};
use super::moved_constraints::MovedConstraints;
use super::outer_sides::OuterSides;
use super::plan::{Plan, is_reusable, is_timeless};
use super::sorted_inputs::SortedInputs;
use super::whole_filters::{self, WholeFilters};
use super::whole_order::WholeOrder;
use super::{apply, called_as_columns, claimed_orders, errors, joins, named_keys, one_row, parameterize, whole_keys};
use crate::sql::mysql::lower::{self, Lowering};
use crate::sql::mysql::registry;
use crate::sql::run::memory::QueryMemory;
use crate::sql::statement::{ColumnNames, KeptUnder, Select};
use crate::sql::syntax::Fingerprint;
use crate::sql::syntax::names::{CATALOG, DEFAULT_SCHEMA, SCHEMAS, current_schema};
use crate::sql::tables::lookup::Lookup;
use crate::sql::tables::parameter::Parameter;
use crate::sql::tables::provider::ViewCatalog;
use crate::sql::tables::scan::ViewTable;
use crate::sql::tables::view::{SHOWN_AS, View};
use crate::sql::{Error, suggest, variables};

/// Makes plans, and what they run in.
#[derive(Debug)]
pub struct Planner {
    template: SessionState,
    /// Without a place to spill to.
    runtime: Arc<RuntimeEnv>,
}

impl Planner {
    /// A planner with MySQL's functions, whose every query runs on one thread.
    pub fn new() -> Self {
        let mut config = SessionConfig::new()
            .with_default_catalog_and_schema(CATALOG, DEFAULT_SCHEMA)
            .with_create_default_catalog_and_schema(false)
            // DataFusion's own would shadow ours.
            .with_information_schema(false)
            // Queries are small and many: they run beside each other, not each on all cores.
            .with_target_partitions(1)
            .with_collect_statistics(false);
        // A filter that one run of a plan finds would be in the next one's way. Each kind has its own switch.
        let optimizer = &mut config.options_mut().optimizer;
        optimizer.enable_dynamic_filter_pushdown = false;
        optimizer.enable_join_dynamic_filter_pushdown = false;
        optimizer.enable_topk_dynamic_filter_pushdown = false;
        optimizer.enable_aggregate_dynamic_filter_pushdown = false;
        // It takes a column that may be NULL in one of its own plans and not in the other for a mistake.
        config.options_mut().execution.skip_physical_aggregate_schema_check = true;
        let parser = &mut config.options_mut().sql_parser;
        // All text here is of one type: no conversions between two.
        parser.map_string_types_to_utf8view = false;
        // A literal with a point is exact.
        parser.parse_float_as_decimal = true;
        // NULL is less than any value, as in MySQL.
        "nulls_min".clone_into(&mut parser.default_null_ordering);
        let mut builder = SessionStateBuilder::new()
            .with_config(config)
            .with_default_features()
            .with_query_planner(Arc::new(apply::Planning))
            .with_physical_optimizer_rules(physical_rules());
        let registered = builder.scalar_functions().get_or_insert_default();
        let own: Vec<_> = registry::functions().collect();
        // All of DataFusion's that have one of our names, if only as an alias: a session is built from the functions of
        // another one in no order, and the last of a name wins.
        let is_ours = |name: &str| own.iter().any(|function| function.name() == name);
        registered.retain(|function| {
            let replaced = is_ours(function.name()) || function.aliases().iter().any(|alias| is_ours(alias));
            !replaced && !registry::is_refused(function.name())
        });
        registered.extend(own);
        registered.push(Arc::new(whole_keys::marker()));
        builder.aggregate_functions().get_or_insert_default().extend(registry::aggregates());
        let runtime = RuntimeEnvBuilder::new()
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
            .build_arc()
            .expect("nothing of it can fail without a directory to spill to");
        Self { template: builder.build(), runtime }
    }

    /// A plan of a SELECT, and what it may be kept under.
    pub async fn plan<'a>(
        &self,
        view: &View,
        session: &SessionState,
        select: &'a Select,
    ) -> Result<(Arc<Plan>, Option<&'a KeptUnder>), Error> {
        let of = |ast: &Ast| DfStatement::Statement(Box::new(ast.clone()));
        let references = session.resolve_table_references(&of(&select.statement))?;
        let schema = current_schema(&view.session);
        check_tables(view, schema, &references)?;
        let mut statement = select.statement.clone();
        let columns = |name: &ObjectName| columns_of(view, schema, name);
        joins::resolve(&mut statement, &columns)?;
        called_as_columns::rename(&mut statement, &columns);
        whole_keys::mark(&mut statement);
        let logical = session.statement_to_plan(of(&statement)).await;
        let explained = |error| errors::explain(error, &select.statement, session);
        let zone = variables::time_zone(&view.session);
        let mut lowering = lowering(session, zone);
        let logical = logical.and_then(|logical| lowered(&mut lowering, logical)).map_err(explained)?;
        // Parsing has refused what writes; this holds for every node of the plan, also in subqueries.
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&logical)?;
        let tables: Vec<_> = references.iter().filter_map(|r| resolve(r, schema).ok()).collect();
        let tables: Vec<_> = tables.into_iter().map(|(schema, table)| (schema.to_owned(), table.to_owned())).collect();
        let plan = |physical: Arc<dyn ExecutionPlan>, parameters| {
            Arc::new(Plan {
                schema: named(&physical.schema(), &select.column_names),
                is_cooperative: cooperative::is_cooperative(&physical),
                schemas: tables.iter().map(|(schema, table)| view.schema_hash(schema, table).flatten()).collect(),
                tables: tables.clone(),
                kind: select.kind,
                lookup: Lookup::of(&physical),
                physical,
                parameters,
            })
        };
        let kept_under = select.kept_under.as_ref();
        let kept_under = if is_timeless(&logical)? && !lowering.asked_for_now { kept_under } else { None };
        if let Some(kept_under) = kept_under
            && !apply::has_any(&logical)
            && let Some((physical, parameters)) = open_plan(session, zone, &statement, &kept_under.fingerprint).await?
        {
            return Ok((plan(physical, parameters), Some(kept_under)));
        }
        let physical = session.create_physical_plan(&logical).await?;
        let kept_under = kept_under.filter(|_| is_reusable(&physical));
        Ok((plan(physical, Vec::new()), kept_under))
    }

    /// What operators of a plan that is there already find around them. Functions are in the plan.
    pub fn tasks(&self, memory: &Arc<QueryMemory>) -> Arc<TaskContext> {
        let memory_pool: Arc<dyn MemoryPool> = Arc::clone(memory) as _;
        let runtime = RuntimeEnv { memory_pool, ..RuntimeEnv::clone(&self.runtime) };
        let config = self.template.config().clone();
        let none = (HashMap::new(), HashMap::new(), HashMap::new(), HashMap::new());
        let runtime = Arc::new(runtime);
        Arc::new(TaskContext::new(None, String::new(), config, none.0, none.1, none.2, none.3, runtime))
    }

    /// A session of its own for each statement: its view, its memory, its one instant for `now()`.
    pub fn session(&self, view: Arc<View>, memory: &Arc<QueryMemory>) -> Result<SessionState, Error> {
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

/// DataFusion's rules, and ours around them: its last check comes last.
fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> =
        vec![Arc::new(OuterSides), Arc::new(MovedConstraints)];
    for rule in PhysicalOptimizer::new().rules {
        if rule.name() == whole_filters::BEFORE {
            rules.push(Arc::new(WholeFilters));
        }
        rules.push(rule);
    }
    let check = rules.pop();
    rules.push(Arc::new(SortedInputs));
    rules.push(Arc::new(WholeOrder));
    rules.push(Arc::new(CooperativeJoins));
    rules.extend(check);
    rules
}

/// The columns of a table, in lower case, and which of them the catalog adds; none if there is no such table.
fn columns_of(view: &View, schema: &str, name: &ObjectName) -> Option<Vec<(String, bool)>> {
    let names: Vec<String> =
        name.0.iter().filter_map(|part| part.as_ident()).map(|part| part.value.to_lowercase()).collect();
    let (schema, table) = match names.as_slice() {
        [table] => (schema, table),
        [.., schema, table] => (schema.as_str(), table),
        [] => return None,
    };
    let schema = SCHEMAS.into_iter().find(|known| *known == schema)?;
    let columns = ViewTable::of(view, schema, table)?.schema();
    let is_provenance = |name: &str| view.is_provenance(schema, table, name);
    Some(columns.fields().iter().map(|field| (field.name().clone(), is_provenance(field.name()))).collect())
}

/// A plan that DataFusion can optimize: MySQL's operators are lowered, subqueries that are asked for each row have theirs.
fn lowered(lowering: &mut Lowering, logical: LogicalPlan) -> datafusion::error::Result<LogicalPlan> {
    whole_keys::unmark(logical)
        .and_then(|logical| lowering.plan(logical))
        .and_then(lower::shown)
        .and_then(apply::extract)
        .and_then(one_row::say)
        .and_then(whole_keys::keep)
        .and_then(named_keys::name)
        .and_then(claimed_orders::forget)
}

/// Lowers plans of the session's statement.
fn lowering(session: &SessionState, zone: &str) -> Lowering {
    Lowering::new(session.execution_props().query_execution_start_time.unwrap_or_default(), zone)
}

/// A plan with the values left open that columns are compared with; none if it cannot be run again, or if there are none
/// that can be left open.
async fn open_plan(
    session: &SessionState,
    zone: &str,
    statement: &Ast,
    fingerprint: &Fingerprint,
) -> Result<Option<(Arc<dyn ExecutionPlan>, Vec<Parameter>)>, Error> {
    let mut opened = statement.clone();
    parameterize::open(&mut opened, fingerprint);
    // What cannot be planned this way is planned with its values, and if that fails, too, with a reason.
    let planned = session.statement_to_plan(DfStatement::Statement(Box::new(opened))).await;
    let Ok(logical) = planned.and_then(|logical| {
        let literals = parameterize::literals(fingerprint);
        lowered(&mut lowering(session, zone).with_literals(literals), logical)
    }) else {
        return Ok(None);
    };
    let Some(parameters) = parameterize::parameters(&logical, fingerprint).filter(|parameters| !parameters.is_empty())
    else {
        return Ok(None);
    };
    let called = session.optimize(&logical).and_then(|logical| parameterize::called(logical, &parameters));
    let Ok(called) = called else { return Ok(None) };
    let Ok(physical) = session.query_planner().create_physical_plan(&called, session).await else { return Ok(None) };
    let served = is_reusable(&physical) && parameterize::are_in_scans(&physical)?;
    Ok(served.then_some((physical, parameters)))
}

/// The columns as the author of the statement typed them, or as their table shows them.
fn named(schema: &Schema, column_names: &ColumnNames) -> SchemaRef {
    let count = schema.fields().len();
    let field = |(position, field): (usize, &Arc<Field>)| {
        let shown = || field.metadata().get(SHOWN_AS).map(String::as_str);
        let name = column_names.get(position, count).or_else(shown).unwrap_or(field.name());
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
            let near = suggest::nearest(schema, SCHEMAS);
            return Err(suggest::unknown("schema", schema, near, "SHOW DATABASES"));
        };
        if !view.has_table(schema, table) {
            let near = suggest::nearest(table, names.iter().map(String::as_str));
            return Err(suggest::unknown("table", &format!("{schema}.{table}"), near, "SHOW TABLES"));
        }
    }
    Ok(())
}
