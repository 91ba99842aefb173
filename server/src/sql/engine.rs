//! The engine: a statement is prepared, and a read that was prepared is executed over a view.
//!
//! Each of the two has a half that never takes long, for where requests come in: [`Engine::kept`] finds what is prepared
//! already, [`Engine::look_up`] answers a lookup.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use unum_proto::model::limits::SQL_BYTES_MAX;
use unum_proto::model::{QueryId, SqlSession, Value};

use super::plan::{Plan, PlanCache, Planner, plan};
use super::prepared::{KeptRead, Prepared, Read};
use super::run::execution::Execution;
use super::run::memory::QueryMemory;
use super::statement::{self, Select, Statement};
use super::syntax::Tokens;
use super::syntax::names::current_schema;
use super::tables::view::View;
use super::variables::{self, Context};
use super::{Error, Limits};
use crate::base::tunable::Tunable;

/// Bytes of a statement that is looked at where requests come in: splitting a long one takes its time.
const KEPT_BYTES_MAX: usize = 1024;

/// A statement, and who asks it whom.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The statement.
    pub sql: &'a str,
    /// A value for each `?` in it.
    pub parameters: &'a [Value],
    /// The session.
    pub session: &'a SqlSession,
    /// The replica as a node.
    pub own: &'a str,
    /// Who asks, as the client says.
    pub user: &'a str,
    /// The statement in `processlist`.
    pub query_id: QueryId,
}

/// Prepares and executes statements.
#[derive(Debug)]
pub struct Engine {
    planner: Planner,
    limits: Tunable<Limits>,
    plans: PlanCache,
}

impl Engine {
    /// An engine whose every query has these limits, or lower ones that its session SET.
    pub fn new(limits: Tunable<Limits>) -> Self {
        Self { planner: Planner::new(), limits, plans: PlanCache::default() }
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

    /// What a statement is and asks for. It says nothing of the tables yet.
    pub fn prepare(&self, request: &Request<'_>) -> Result<Prepared, Error> {
        let Request { sql, parameters, session, own, user, query_id } = *request;
        let tokens = Tokens::parse(sql)?.bind(parameters)?;
        // Large values are no part of what is kept: a plan holds those that are no parameters of it.
        let is_kept = sql.len() + bytes_of(parameters) <= SQL_BYTES_MAX;
        let fingerprint = is_kept.then(|| tokens.fingerprint(&place(session))).flatten();
        if let Some(found) = fingerprint.as_ref().and_then(|fingerprint| self.plans.get(fingerprint)) {
            return Ok(Prepared::kept(sql, found, tokens));
        }
        metrics::counter!("unum_plans_total", "planned" => "now").increment(1);
        let limits = self.limits.get();
        let statement = statement::parse(&tokens, fingerprint, &Context::new(session, &limits, own, user, query_id))?;
        Ok(Prepared::new(sql, &tokens, statement))
    }

    /// A short statement whose plan is there already. What is found so is not parsed any more.
    pub fn kept(&self, sql: &str, parameters: &[Value], session: &SqlSession) -> Option<Prepared> {
        if sql.len() + bytes_of(parameters) > KEPT_BYTES_MAX {
            return None;
        }
        // What is wrong with it is told where it is prepared.
        let tokens = Tokens::parse(sql).and_then(|tokens| tokens.bind(parameters)).ok()?;
        let found = self.plans.get(&tokens.fingerprint(&place(session))?)?;
        Some(Prepared::kept(sql, found, tokens))
    }

    /// Executes a lookup on the spot; none if it is out of date, or would read much: then it is to be executed.
    pub fn look_up(&self, read: &Read, view: &View) -> Result<Option<Execution>, Error> {
        let Read::Kept(KeptRead { plan, values, .. }) = read else { return Ok(None) };
        let Some(lookup) = plan.lookup.as_ref().filter(|_| plan.serves(view)) else { return Ok(None) };
        let Some(parts) = lookup.rows(view, values)? else { return Ok(None) };
        Execution::ready(plan, view, self.limits(&view.session), parts).map(Some)
    }

    /// Executes a read over a view. Its rows come as they are asked for.
    pub async fn execute(&self, read: &Read, view: Arc<View>, memory: &Arc<QueryMemory>) -> Result<Execution, Error> {
        match read {
            Read::New(select) => self.plan_and_run(view, select, memory).await,
            Read::Kept(KeptRead { plan, values, .. }) if plan.serves(&view) => {
                self.run(&view, plan, plan.bound(&view, values)?, self.planner.tasks(memory))
            }
            Read::Kept(KeptRead { tokens, .. }) => {
                let select = self.again(tokens, &view)?;
                self.plan_and_run(view, &select, memory).await
            }
        }
    }

    /// A statement whose plan is out of date.
    fn again(&self, tokens: &Tokens, view: &View) -> Result<Box<Select>, Error> {
        let own = view.own.to_string();
        let fingerprint = tokens.fingerprint(&place(&view.session));
        match statement::parse(tokens, fingerprint, &view.context(&own))? {
            Statement::Select(select) => Ok(select),
            Statement::Command(_) => Err(Error::Internal("a statement that had a plan is no SELECT".into())),
        }
    }

    async fn plan_and_run(
        &self,
        view: Arc<View>,
        select: &Select,
        memory: &Arc<QueryMemory>,
    ) -> Result<Execution, Error> {
        let session = self.planner.session(Arc::clone(&view), memory)?;
        let (plan, kept) = self.planner.plan(&view, &session, select).await?;
        let runnable = match kept {
            Some(kept_under) => {
                self.plans.put(kept_under, Arc::clone(&plan));
                plan.bound(&view, &plan.values(&kept_under.fingerprint).unwrap_or_default())?
            }
            None => plan::bound_once(Arc::clone(&plan.physical), &view)?,
        };
        self.run(&view, &plan, runnable, session.task_ctx())
    }

    fn run(
        &self,
        view: &View,
        plan: &Plan,
        runnable: Arc<dyn ExecutionPlan>,
        tasks: Arc<TaskContext>,
    ) -> Result<Execution, Error> {
        let stream = datafusion::physical_plan::execute_stream(runnable, tasks)?;
        Ok(Execution::stream(plan, view, self.limits(&view.session), stream))
    }
}

/// What of a session takes part in what a statement means.
fn place(session: &SqlSession) -> Cow<'_, str> {
    match variables::time_zone(session) {
        "UTC" => Cow::Borrowed(current_schema(session)),
        zone => Cow::Owned(format!("{} {zone}", current_schema(session))),
    }
}

fn bytes_of(parameters: &[Value]) -> usize {
    parameters.iter().map(Value::bytes).sum()
}
