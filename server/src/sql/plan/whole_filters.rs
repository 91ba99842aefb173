//! A filter that leaves out columns becomes a filter of all and a projection, before projections are moved.
//!
//! DataFusion's `ProjectionPushdown` moves a projection below a filter as if the filter had all columns of its input: what it
//! finds at a position among those that are left is taken for what is at that position below, and the condition may then
//! read another column of that name (docs/decisions/0028). Without such filters there is nothing to mistake.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};

/// The rule.
#[derive(Debug)]
pub struct WholeFilters;

/// The rule of DataFusion's that it has to run before.
pub const BEFORE: &str = "ProjectionPushdown";

impl PhysicalOptimizerRule for WholeFilters {
    fn name(&self) -> &str {
        "whole_filters"
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let whole = plan.transform_up(|plan| match plan.downcast_ref::<FilterExec>().map(parted).transpose()? {
            Some(Some(parted)) => Ok(Transformed::yes(parted)),
            _ => Ok(Transformed::no(plan)),
        });
        whole.map(|whole| whole.data)
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// A filter of all columns, and a projection of those that this one leaves; none if it leaves all.
fn parted(filter: &FilterExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(kept) = filter.projection() else { return Ok(None) };
    let input = filter.input();
    let whole = FilterExecBuilder::new(Arc::clone(filter.predicate()), Arc::clone(input)).with_fetch(filter.fetch());
    let schema = input.schema();
    let column = |at: &usize| {
        let name = schema.field(*at).name();
        ProjectionExpr { expr: Arc::new(Column::new(name, *at)), alias: name.clone() }
    };
    let columns: Vec<ProjectionExpr> = kept.iter().map(column).collect();
    Ok(Some(Arc::new(ProjectionExec::try_new(columns, Arc::new(whole.build()?))?)))
}
