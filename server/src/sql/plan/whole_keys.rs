//! Groups are by the keys that their author typed, by all of them and by no more.
//!
//! Where a column determines others of its input, DataFusion takes it in an aggregate for one that determines all of its
//! columns, also those of the other side of a join: `SELECT DISTINCT q.k, r.v … ORDER BY q.k, r.v`, where `q` is grouped by
//! `k`, was then ordered by `k` alone; and a SELECT around that, grouped by `k`, was grouped by `v` too
//! (docs/decisions/0030).
//!
//! Two things mend that. Such a column comes to the aggregate by a function that gives back what it gets, through which
//! nothing is known of it ([`keep`]). And what DataFusion adds to GROUP BY before anything can be changed stands behind a
//! mark, and goes ([`mark`], [`unmark`]).

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, ScalarValue, internal_err, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    Aggregate, ColumnarValue, Distinct, Expr, LogicalPlan, Projection, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use sqlparser::ast::{
    Expr as AstExpr, GroupByExpr, Query, Select, Statement as Ast, TableFactor, TableWithJoins, VisitMut, VisitorMut,
};

use crate::sql::mysql::expr::call;

/// The name of the function that is the mark.
const MARK: &str = "#keys_end";

/// Puts a mark behind the keys of each GROUP BY to which something may be added: that of a table alone has no groups below.
pub fn mark(statement: &mut Ast) {
    #[derive(Default)]
    struct Marks {
        /// Names of common table expressions, in lower case.
        common: HashSet<String>,
    }

    impl VisitorMut for Marks {
        type Break = ();

        fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
            let named = query.with.iter().flat_map(|with| &with.cte_tables);
            self.common.extend(named.map(|cte| cte.alias.name.value.to_lowercase()));
            ControlFlow::Continue(())
        }

        fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
            let is_table = |from: &TableWithJoins| match &from.relation {
                TableFactor::Table { name, .. } => {
                    from.joins.is_empty() && !self.common.contains(&name.to_string().to_lowercase())
                }
                _ => false,
            };
            if let GroupByExpr::Expressions(keys, _) = &mut select.group_by
                && !keys.is_empty()
                && !matches!(&select.from[..], [from] if is_table(from))
                // To those of a ROLLUP nothing is added.
                && !keys.iter().any(|key| matches!(key, AstExpr::Rollup(_)))
            {
                keys.push(call(MARK, Vec::new()));
            }
            ControlFlow::Continue(())
        }
    }

    let _: ControlFlow<()> = statement.visit(&mut Marks::default());
}

/// The function that is the mark.
pub fn marker() -> ScalarUDF {
    ScalarUDF::from(Mark(Signature::nullary(Volatility::Volatile)))
}

/// The plan without marks. What DataFusion added behind one goes, too, where what it knew may be wrong.
pub fn unmark(plan: LogicalPlan) -> Result<LogicalPlan> {
    let is_mark = |expr: &Expr| matches!(expr, Expr::ScalarFunction(call) if call.func.name() == MARK);
    let mut has_less = false;
    let unmarked = plan.transform_up_with_subqueries(|plan| {
        let LogicalPlan::Aggregate(aggregate) = plan else { return Ok(Transformed::no(plan)) };
        let Some(end) = aggregate.group_expr.iter().position(is_mark) else {
            return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
        };
        let mut keys = aggregate.group_expr;
        let added = keys.split_off(end).split_off(1);
        if has_mistaken_groups(&aggregate.input) {
            has_less |= !added.is_empty();
        } else {
            keys.extend(added);
        }
        Ok(Transformed::yes(LogicalPlan::Aggregate(Aggregate::try_new(aggregate.input, keys, aggregate.aggr_expr)?)))
    });
    let plan = unmarked?.data;
    if has_less {
        asks_for_what_is_there(&plan)?;
    }
    Ok(plan)
}

/// Says which column is no key any more, and is asked for all the same.
fn asks_for_what_is_there(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|plan| {
        let [input] = plan.inputs()[..] else { return Ok(TreeNodeRecursion::Continue) };
        for column in plan.expressions().iter().flat_map(Expr::column_refs) {
            if !input.schema().has_column(column) {
                // In DataFusion's words, which become ours.
                return plan_err!("column \"{column}\" must appear in the GROUP BY clause");
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// Whether rows come of groups whose columns DataFusion may be mistaken of.
fn has_mistaken_groups(plan: &LogicalPlan) -> bool {
    let is_mistaken = |plan: &LogicalPlan| match plan {
        LogicalPlan::Aggregate(aggregate) => joins_groups(&aggregate.input),
        LogicalPlan::Distinct(Distinct::All(input)) => joins_groups(input),
        _ => false,
    };
    plan.exists(|plan| Ok(is_mistaken(plan))).unwrap_or(true)
}

/// The plan with keys of which nothing is known where rows come of a join of groups.
pub fn keep(plan: LogicalPlan) -> Result<LogicalPlan> {
    let kept = plan.transform_up_with_subqueries(|plan| {
        let (input, keys): (_, HashSet<Column>) = match &plan {
            LogicalPlan::Aggregate(aggregate) if !aggregate.group_expr.is_empty() => {
                (&aggregate.input, aggregate.group_expr.iter().flat_map(Expr::column_refs).cloned().collect())
            }
            LogicalPlan::Distinct(Distinct::All(input)) => (input, input.schema().columns().into_iter().collect()),
            _ => return Ok(Transformed::no(plan)),
        };
        if !joins_groups(input) {
            return Ok(Transformed::no(plan));
        }
        let input = as_they_are(&keys, input)?;
        let exprs = plan.expressions();
        plan.with_new_exprs(exprs, vec![input]).map(Transformed::yes)
    });
    kept.map(|kept| kept.data)
}

/// Whether rows come of a join of which a side has groups: only those have columns that determine others. What is known of
/// columns while the plan is made says less than what the optimizer finds, so it is not asked.
fn joins_groups(plan: &LogicalPlan) -> bool {
    let has_groups = |plan: &LogicalPlan| {
        plan.exists(|plan| Ok(matches!(plan, LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(_)))).unwrap_or(true)
    };
    match plan {
        LogicalPlan::Join(_) => plan.inputs().into_iter().any(has_groups),
        LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(_) => false,
        _ => plan.inputs().into_iter().any(joins_groups),
    }
}

/// The rows of a plan with these columns as they are, and nothing known of them.
pub fn as_they_are(keys: &HashSet<Column>, input: &Arc<LogicalPlan>) -> Result<LogicalPlan> {
    let as_it_is = Arc::new(ScalarUDF::from(AsItIs(Signature::any(1, Volatility::Immutable))));
    let column = |column: Column| {
        let expr = Expr::Column(column.clone());
        if !keys.contains(&column) {
            return expr;
        }
        let call = ScalarFunction::new_udf(Arc::clone(&as_it_is), vec![expr]);
        Expr::ScalarFunction(call).alias_qualified(column.relation, column.name)
    };
    let columns = input.schema().columns().into_iter().map(column).collect();
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::clone(input))?))
}

/// A function that gives back what it gets.
#[derive(Debug, PartialEq, Eq, Hash)]
struct AsItIs(Signature);

impl ScalarUDFImpl for AsItIs {
    fn name(&self) -> &'static str {
        "as_it_is"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        Ok(args.first().cloned().unwrap_or(DataType::Null))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(args.args.into_iter().next().unwrap_or(ColumnarValue::Scalar(ScalarValue::Null)))
    }
}

/// A function that stands behind the keys of a GROUP BY, and is gone before anything runs.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Mark(Signature);

impl ScalarUDFImpl for Mark {
    fn name(&self) -> &'static str {
        MARK
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("the end of a GROUP BY is no value")
    }
}
