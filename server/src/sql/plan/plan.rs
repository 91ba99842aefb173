//! A plan: physical operators that know no state, and what is to be known of their result.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};
use datafusion::physical_plan::ExecutionPlan;

use crate::sql::statement::ResultKind;
use crate::sql::syntax::Fingerprint;
use crate::sql::tables::lookup::Lookup;
use crate::sql::tables::parameter::{self, Parameter};
use crate::sql::tables::scan::TableScan;
use crate::sql::tables::view::{Coverage, View};

/// A plan that serves all statements of one fingerprint, or all of those that share some values.
#[derive(Debug)]
pub struct Plan {
    /// It has no view yet.
    pub physical: Arc<dyn ExecutionPlan>,
    /// The columns of its result, as they are shown.
    pub schema: SchemaRef,
    /// Schema and name of what it reads.
    pub tables: Vec<(String, String)>,
    /// What the reader of its result is told.
    pub kind: ResultKind,
    /// Whether it gives other queries their turn within moments ([`super::cooperative`]).
    pub is_cooperative: bool,
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

    /// What the reader of its result over this view is told besides the rows.
    pub fn coverage(&self, view: &View) -> Coverage {
        match self.kind {
            ResultKind::NodeRows => {
                let read: Vec<_> =
                    self.tables.iter().map(|(schema, table)| (schema.as_str(), table.as_str())).collect();
                view.coverage(&read)
            }
            ResultKind::Metadata => Coverage::default(),
            ResultKind::Warnings => Coverage { warnings: view.session.warnings.clone(), ..Coverage::default() },
        }
    }

    /// The values that it waits for, as a statement has them; none if one does not fit its column's type.
    pub fn values(&self, fingerprint: &Fingerprint) -> Option<Vec<ScalarValue>> {
        parameter::values_of(&self.parameters, fingerprint)
    }

    /// A plan that can be run once: over this view, with these values. What an earlier run left in it is not in it.
    pub fn bound(&self, view: &Arc<View>, values: &[ScalarValue]) -> Result<Arc<dyn ExecutionPlan>> {
        let fill = |predicate: &_| parameter::fill(predicate, values);
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
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(timeless)
}

/// Operators that can be made anew from a plan that is in use elsewhere ([`ExecutionPlan::reset_state`]). Others share
/// what they found with their copies, as scalar subqueries do, or are not meant for it, as recursive queries.
const REUSABLE: [&str; 21] = [
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
    "SilentExec",
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
