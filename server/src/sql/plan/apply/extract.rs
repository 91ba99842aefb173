//! Takes subqueries out of the expressions of a plan.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result, not_impl_err};
use datafusion::logical_expr::expr::InSubquery;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Expr, Filter, Join, JoinType, LogicalPlan, LogicalPlanBuilder, Operator, Projection, Subquery,
};

use super::node::{Apply, Asked, Kind};
use super::outer::Replace;
use super::slots::Slots;

/// Whether a plan asks subqueries for each row.
pub fn has_any(plan: &LogicalPlan) -> bool {
    let is_apply = |plan: &LogicalPlan| match plan {
        LogicalPlan::Extension(extension) => extension.node.as_any().downcast_ref::<Apply>().is_some(),
        _ => false,
    };
    plan.exists(|plan| Ok(is_apply(plan))).unwrap_or(true)
}

/// The plan with no subquery in an expression but for those that are plain conditions.
pub fn extract(plan: LogicalPlan) -> Result<LogicalPlan> {
    Extraction::default().plan(plan)
}

#[derive(Default)]
struct Extraction {
    /// For names of columns.
    count: usize,
}

impl Extraction {
    fn plan(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let plan = plan.map_children(|child| self.plan(child).map(Transformed::yes))?.data;
        if !has_subquery(&plan)? {
            return Ok(plan);
        }
        match plan {
            LogicalPlan::Filter(filter) => self.filter(filter),
            LogicalPlan::Join(join) => self.join(join),
            other => self.any(other),
        }
    }

    /// Conditions that DataFusion joins stay; the others are asked for.
    fn filter(&mut self, filter: Filter) -> Result<LogicalPlan> {
        let columns = Arc::clone(filter.input.schema());
        let (mut kept, mut rest) = (Vec::new(), Vec::new());
        for condition in split_conjunction_owned(filter.predicate) {
            match self.plain(condition)? {
                (condition, true) => kept.push(condition),
                (condition, false) => rest.push(condition),
            }
        }
        let mut input = filter.input;
        if let Some(condition) = conjunction(kept) {
            input = Arc::new(LogicalPlan::Filter(Filter::try_new(condition, input)?));
        }
        let Some(condition) = conjunction(rest) else { return Ok(Arc::unwrap_or_clone(input)) };
        let mut subqueries = Vec::new();
        let condition = self.expr(condition, &columns, &mut subqueries)?;
        let asked = Arc::new(over(input, subqueries)?);
        let filtered = LogicalPlan::Filter(Filter::try_new(condition, asked)?);
        without_answers(filtered, &columns)
    }

    /// Whether a condition is one that DataFusion makes a join of, with the subqueries inside it extracted.
    fn plain(&mut self, condition: Expr) -> Result<(Expr, bool)> {
        Ok(match condition {
            Expr::Exists(mut exists) if is_joinable(&exists.subquery) => {
                exists.subquery = self.within(exists.subquery)?;
                (Expr::Exists(exists), true)
            }
            Expr::Not(inner) => match *inner {
                Expr::Exists(mut exists) if is_joinable(&exists.subquery) => {
                    exists.subquery = self.within(exists.subquery)?;
                    exists.negated = !exists.negated;
                    (Expr::Exists(exists), true)
                }
                other => (Expr::Not(Box::new(other)), false),
            },
            Expr::InSubquery(InSubquery { expr, subquery, negated: false })
                if is_joinable(&subquery) && !has_subquery_in(&expr)? =>
            {
                let subquery = self.within(subquery)?;
                (Expr::InSubquery(InSubquery { expr, subquery, negated: false }), true)
            }
            other => {
                let plain = !has_subquery_in(&other)?;
                (other, plain)
            }
        })
    }

    fn within(&mut self, subquery: Subquery) -> Result<Subquery> {
        let plan = self.plan(Arc::unwrap_or_clone(subquery.subquery))?;
        Ok(Subquery { subquery: Arc::new(plan), ..subquery })
    }

    /// The condition of an inner join is one of all pairs.
    fn join(&mut self, join: Join) -> Result<LogicalPlan> {
        if join.join_type != JoinType::Inner {
            return not_impl_err!(
                "a subquery in the condition of an outer join is not answered; move it to WHERE, or into a derived table"
            );
        }
        let filter = join.filter.clone();
        let plain = LogicalPlan::Join(Join { filter: None, ..join });
        match filter {
            Some(condition) => self.filter(Filter::try_new(condition, Arc::new(plain))?),
            None => Ok(plain),
        }
    }

    /// Any operator of one input.
    fn any(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let inputs = plan.inputs();
        let [input] = inputs.as_slice() else {
            return not_impl_err!("a subquery stands where none is answered; move it into a derived table");
        };
        let shape = Arc::clone(plan.schema());
        let keeps_columns = matches!(plan, LogicalPlan::Sort(_) | LogicalPlan::Limit(_));
        let input = match plan {
            LogicalPlan::Sort(_) => Arc::new(with_asked_columns((*input).clone(), &plan.expressions())?),
            _ => Arc::new((*input).clone()),
        };
        let columns = Arc::clone(input.schema());
        let mut subqueries = Vec::new();
        let exprs = plan
            .expressions()
            .into_iter()
            .map(|expr| {
                let name = expr.qualified_name();
                let replaced = self.expr(expr, &columns, &mut subqueries)?;
                Ok(match replaced.qualified_name() == name || keeps_columns {
                    true => replaced,
                    false => replaced.alias_qualified(name.0, name.1),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let asked = over(input, subqueries)?;
        let made = plan.with_new_exprs(exprs, vec![asked])?;
        if keeps_columns { without_answers(made, &shape) } else { Ok(made) }
    }

    /// An expression with columns in the place of its subqueries.
    fn expr(&mut self, expr: Expr, columns: &DFSchemaRef, subqueries: &mut Vec<Asked>) -> Result<Expr> {
        let replaced = expr.transform_down(|expr| {
            let (subquery, kind) = match expr {
                Expr::ScalarSubquery(subquery) => (subquery, Kind::Scalar),
                Expr::Exists(exists) => {
                    let column = self.ask(exists.subquery, Kind::Exists, columns, subqueries)?;
                    let answer = if exists.negated { Expr::Not(Box::new(column)) } else { column };
                    return Ok(Transformed::new(answer, true, TreeNodeRecursion::Jump));
                }
                Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
                    let value = self.expr(*expr, columns, subqueries)?;
                    (subquery, Kind::In { value, negated })
                }
                other => return Ok(Transformed::no(other)),
            };
            let column = self.ask(subquery, kind, columns, subqueries)?;
            Ok(Transformed::new(column, true, TreeNodeRecursion::Jump))
        });
        replaced.map(|replaced| replaced.data)
    }

    fn ask(
        &mut self,
        subquery: Subquery,
        kind: Kind,
        columns: &DFSchemaRef,
        subqueries: &mut Vec<Asked>,
    ) -> Result<Expr> {
        let plan = self.plan(Arc::unwrap_or_clone(subquery.subquery))?;
        let slots = Arc::new(Slots::default());
        let plan = Replace { schema: columns, slots: &slots, between: Vec::new() }.plan(plan)?;
        self.count += 1;
        let name = format!("#subquery_{}", self.count);
        subqueries.push(Asked { plan, kind, name: name.clone(), slots });
        Ok(Expr::Column(Column::from_name(name)))
    }
}

/// The rows with the answers of subqueries. One that looks for the answer of another one is above it.
fn over(input: Arc<LogicalPlan>, subqueries: Vec<Asked>) -> Result<LogicalPlan> {
    let mut plan = Arc::unwrap_or_clone(input);
    for asked in subqueries {
        plan = Apply::new(plan, vec![asked])?.into_plan();
    }
    Ok(plan)
}

/// A projection with those columns below it, too, that subqueries of an ORDER BY ask for.
fn with_asked_columns(input: LogicalPlan, exprs: &[Expr]) -> Result<LogicalPlan> {
    let LogicalPlan::Projection(projection) = &input else { return Ok(input) };
    let mut wanted: Vec<Column> = Vec::new();
    for expr in exprs {
        expr.apply(|part| {
            let subquery = match part {
                Expr::ScalarSubquery(subquery) => subquery,
                Expr::Exists(exists) => &exists.subquery,
                Expr::InSubquery(within) => &within.subquery,
                _ => return Ok(TreeNodeRecursion::Continue),
            };
            for outer in &subquery.outer_ref_columns {
                if let Expr::OuterReferenceColumn(_, column) = outer
                    && input.schema().index_of_column(column).is_err()
                    && projection.input.schema().index_of_column(column).is_ok()
                    && !wanted.contains(column)
                {
                    wanted.push(column.clone());
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    if wanted.is_empty() {
        return Ok(input);
    }
    let exprs = projection.expr.iter().cloned().chain(wanted.into_iter().map(Expr::Column)).collect();
    Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::clone(&projection.input))?))
}

/// Only the columns that were there before.
fn without_answers(plan: LogicalPlan, columns: &DFSchema) -> Result<LogicalPlan> {
    let exprs: Vec<Expr> =
        columns.iter().map(|(qualifier, field)| Expr::Column(Column::from((qualifier, field)))).collect();
    match exprs.is_empty() {
        true => LogicalPlanBuilder::from(plan).project(exprs)?.build(),
        false => Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(plan))?)),
    }
}

fn has_subquery(plan: &LogicalPlan) -> Result<bool> {
    let mut has = false;
    plan.apply_expressions(|expr| {
        has |= has_subquery_in(expr)?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(has)
}

fn has_subquery_in(expr: &Expr) -> Result<bool> {
    expr.exists(|expr| Ok(matches!(expr, Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_))))
}

/// Whether a subquery asks for the row around it only in equalities of its outermost WHERE: DataFusion joins it then.
fn is_joinable(subquery: &Subquery) -> bool {
    let mut plan = subquery.subquery.as_ref();
    loop {
        match plan {
            LogicalPlan::Projection(projection) if !projection.expr.iter().any(asks_outside) => {
                plan = &projection.input
            }
            LogicalPlan::SubqueryAlias(alias) => plan = &alias.input,
            LogicalPlan::Filter(filter) => {
                let equal = |condition: &Expr| match condition {
                    Expr::BinaryExpr(binary) if binary.op == Operator::Eq => {
                        let column = |expr: &Expr| matches!(expr, Expr::Column(_) | Expr::OuterReferenceColumn(..));
                        column(&binary.left) && column(&binary.right)
                    }
                    other => !asks_outside(other),
                };
                let conditions = split_conjunction_owned(filter.predicate.clone());
                let plain = conditions.iter().all(equal) && !has_subquery(plan).unwrap_or(true);
                return plain && !asks_outside_in(&filter.input);
            }
            other => return !asks_outside_in(other),
        }
    }
}

fn asks_outside(expr: &Expr) -> bool {
    expr.exists(|expr| Ok(matches!(expr, Expr::OuterReferenceColumn(..)))).unwrap_or(true)
}

fn asks_outside_in(plan: &LogicalPlan) -> bool {
    let mut asks = false;
    let looked = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            asks |= asks_outside(expr);
            Ok(TreeNodeRecursion::Continue)
        })
    });
    asks || looked.is_err()
}
