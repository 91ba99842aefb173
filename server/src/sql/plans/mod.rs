//! Plans that are used again.
//!
//! Planning takes most of the time of a small query. A statement that differs from an earlier one only in the values that
//! columns are compared with has the same plan: [`shape`] finds what two such statements share, [`parameters`] plans with
//! the values left open, and [`Plans`] keeps what was planned. A plan names its tables and knows no state; it is bound to a
//! view, and to its values, each time it runs.
//!
//! A plan is kept only if nothing but the statement's text, its values, and the schemas of its tables went into it: not
//! what asks for the session, the user or the clock. When a schema grows, the plan is made anew.

pub mod parameters;
pub mod shape;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};
use datafusion::physical_plan::ExecutionPlan;
use lru::LruCache;

use self::parameters::Parameter;
use self::shape::Shape;
use super::digest::Digest;
use super::output::EncodedSchema;
use super::statement::Tells;
use super::tables::View;
use super::tables::lookup::Lookup;
use super::tables::scan::TableScan;

/// Shapes of statements that are remembered. The one that was not used for longest is forgotten.
const SHAPES_MAX: usize = 512;

/// Plans of one shape: statements that differ in values that no parameter can stand for, as in LIMIT.
const PLANS_PER_SHAPE_MAX: usize = 8;

/// A plan that serves all statements of one shape, or all of those that share some values.
#[derive(Debug)]
pub struct Plan {
    /// It has no view yet.
    pub physical: Arc<dyn ExecutionPlan>,
    /// The columns of its result, as they are shown.
    pub schema: SchemaRef,
    /// These, as they are sent.
    pub encoded_schema: EncodedSchema,
    /// Schema and name of what it reads.
    pub tables: Vec<(String, String)>,
    /// That of its statements.
    pub digest: Arc<Digest>,
    /// What it is about.
    pub tells: Tells,
    /// See [`super::Output::yields`].
    pub yields: bool,
    /// The hash of the schema of each table in `tables`, where a push can change it.
    pub schemas: Vec<Option<u64>>,
    /// What it waits for.
    pub parameters: Vec<Parameter>,
    /// The same without operators, if it is so simple.
    pub lookup: Option<Lookup>,
}

impl Plan {
    /// Whether its tables look as they did when it was made.
    pub fn serves(&self, view: &View) -> bool {
        let same =
            |((schema, table), hash): (&(String, String), &Option<u64>)| view.schema_hash(schema, table) == Some(*hash);
        self.tables.iter().zip(&self.schemas).all(same)
    }

    /// Of a result over this view: the nodes with rows in what is read, how many are up of how many, and what its reader
    /// should know.
    pub fn nodes_and_warnings(&self, view: &View) -> ((u32, u32), Vec<String>) {
        match self.tells {
            Tells::Rows => {
                let read: Vec<_> =
                    self.tables.iter().map(|(schema, table)| (schema.as_str(), table.as_str())).collect();
                let (up, all) = view.nodes_read(&read);
                let warnings = if up == all { Vec::new() } else { view.warnings(read.iter().copied()) };
                ((up, all), warnings)
            }
            Tells::Shape => ((0, 0), Vec::new()),
            Tells::Warnings => ((0, 0), view.session.warnings.clone()),
        }
    }

    /// A plan that can be run once: over this view, with these values. What an earlier run left in it is not in it.
    pub fn bound(&self, view: &Arc<View>, values: &[ScalarValue]) -> Result<Arc<dyn ExecutionPlan>> {
        let fill = |predicate: &_| parameters::fill(predicate, values);
        let bound = Arc::clone(&self.physical).transform_up(|node| match node.downcast_ref::<TableScan>() {
            Some(scan) => Ok(Transformed::yes(scan.bound(view, fill)?)),
            None => Ok(Transformed::yes(node.reset_state()?)),
        });
        bound.map(|bound| bound.data)
    }
}

/// A plan that runs only this once, over this view.
pub fn bound_once(plan: Arc<dyn ExecutionPlan>, view: &Arc<View>) -> Result<Arc<dyn ExecutionPlan>> {
    let bound = plan.transform_up(|node| match node.downcast_ref::<TableScan>() {
        Some(scan) => Ok(Transformed::yes(scan.bound(view, |predicate| Ok(Arc::clone(predicate)))?)),
        None => Ok(Transformed::no(node)),
    });
    bound.map(|bound| bound.data)
}

/// Whether nothing went into a plan but the statement: no function of it asks for the time of its call.
pub fn is_timeless(plan: &LogicalPlan) -> Result<bool> {
    let mut timeless = true;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            timeless &= !expr.exists(|expr| {
                Ok(matches!(expr, Expr::ScalarFunction(call) if call.func.signature().volatility == Volatility::Stable))
            })?;
            Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
        })
    })?;
    Ok(timeless)
}

/// Operators that can be made anew from a plan that is in use elsewhere ([`ExecutionPlan::reset_state`]). Others share
/// what they found with their copies, as scalar subqueries do, or are not meant for it, as recursive queries.
const REUSABLE: [&str; 20] = [
    "TableScan",
    "AggregateExec",
    "BoundedWindowAggExec",
    "CoalesceBatchesExec",
    "CoalescePartitionsExec",
    "CooperativeExec",
    "CrossJoinExec",
    "EmptyExec",
    "FilterExec",
    "GlobalLimitExec",
    "HashJoinExec",
    "LocalLimitExec",
    "NestedLoopJoinExec",
    "PlaceholderRowExec",
    "ProjectionExec",
    "SortExec",
    "SortMergeJoinExec",
    "SortPreservingMergeExec",
    "UnionExec",
    "WindowAggExec",
];

/// Whether a plan can be run again, by several queries at a time.
pub fn is_reusable(plan: &Arc<dyn ExecutionPlan>) -> bool {
    REUSABLE.contains(&plan.name()) && plan.children().into_iter().all(is_reusable)
}

/// The plans of a replica.
#[derive(Debug)]
pub struct Plans(Mutex<LruCache<String, Known>>);

/// What is known of statements of one shape.
#[derive(Debug)]
struct Known {
    /// By literal: whether a parameter stands for it.
    open: Vec<bool>,
    /// By the values of the other literals.
    plans: Vec<(Vec<String>, Arc<Plan>)>,
}

impl Default for Plans {
    fn default() -> Self {
        const MAX: NonZeroUsize = NonZeroUsize::new(SHAPES_MAX).expect("it is not 0");
        Self(Mutex::new(LruCache::new(MAX)))
    }
}

impl Plans {
    fn lock(&self) -> MutexGuard<'_, LruCache<String, Known>> {
        // Nothing panics while it is held, and what it guards is whole between two calls.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The plan of a statement, and the values that it waits for.
    pub fn get(&self, shape: &Shape) -> Option<(Arc<Plan>, Vec<ScalarValue>)> {
        let plan = {
            let mut known = self.lock();
            let known = known.get(&shape.key)?;
            let fixed = shape.fixed(&known.open);
            Arc::clone(&known.plans.iter().find(|(values, _)| values.iter().eq(fixed.iter().copied()))?.1)
        };
        let values = shape.values(&plan.parameters)?;
        Some((plan, values))
    }

    /// Keeps the plan of a statement.
    pub fn put(&self, shape: &Shape, plan: Arc<Plan>) {
        let mut open = vec![false; shape.literals.len()];
        plan.parameters.iter().for_each(|parameter| open[parameter.literal] = true);
        let fixed: Vec<String> = shape.fixed(&open).into_iter().map(str::to_owned).collect();
        let mut known = self.lock();
        let known = known.get_or_insert_mut(shape.key.clone(), || Known { open: open.clone(), plans: Vec::new() });
        if known.open != open {
            *known = Known { open, plans: Vec::new() };
        }
        known.plans.retain(|(values, _)| *values != fixed);
        if known.plans.len() == PLANS_PER_SHAPE_MAX {
            known.plans.remove(0);
        }
        known.plans.push((fixed, plan));
    }
}
