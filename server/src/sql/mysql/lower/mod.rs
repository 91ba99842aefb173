//! A plan with MySQL's operators becomes one of DataFusion's: every value has its type by then, so nothing is coerced any more.
//!
//! It goes from the tables up, so that the types below an expression are those that there will be. What compares columns
//! becomes DataFusion's own comparison, which joins, filters and pruning know; the rest becomes functions of a fixed type.

mod call;
mod compare;
mod convert;
mod hexadecimal;
mod json;
mod types;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use chrono::{DateTime, Utc};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, DFSchemaRef, ExprSchema, NullEquality, Result, ScalarValue, internal_err};
use datafusion::logical_expr::expr::{AggregateFunction, Cast, InSubquery, ScalarFunction, WindowFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Distinct, Expr, GroupingSet, LogicalPlan, Projection, RecursiveQuery, Subquery, Union};

use super::call::Evaluated;
use super::functions::all;
use super::planned::Planned;
use super::types::Type;

use compare::comparable;
use types::literal;

pub use json::BOOLEAN_COLUMN;
pub use types::type_of;

pub use convert::convert;
use convert::plain;

/// The zone of the catalog's times.
const UTC: &str = "UTC";

/// What a plan is lowered with.
#[derive(Debug)]
pub struct Lowering {
    /// The instant at which the statement began.
    now: DateTime<Utc>,
    /// The zone of the session.
    zone: String,
    /// Whether it was asked for: the same statement has another plan then the next time.
    pub asked_for_now: bool,
    /// The values of literals that were left open, by the ids of their placeholders.
    literals: HashMap<String, ScalarValue>,
    /// The schemas around a subquery, the outermost first.
    outer: Vec<DFSchemaRef>,
}

impl Lowering {
    /// Of a statement that began at this instant, in a session of this zone.
    pub fn new(now: DateTime<Utc>, zone: &str) -> Self {
        Self { now, zone: zone.to_owned(), asked_for_now: false, literals: HashMap::new(), outer: Vec::new() }
    }

    /// The same of a statement in which literals were left open. Those that no value of a column's type is are put back.
    pub fn with_literals(self, literals: HashMap<String, ScalarValue>) -> Self {
        Self { literals, ..self }
    }

    /// The plan with DataFusion's operators.
    pub fn plan(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let plan = plan.map_children(|child| self.plan(child).map(Transformed::yes))?.data;
        let plan = match plan {
            LogicalPlan::Union(union) => return merged_union(union),
            LogicalPlan::RecursiveQuery(recursive) => return typed_recursion(recursive),
            LogicalPlan::TableScan(_) => return self.in_zone(plan),
            LogicalPlan::EmptyRelation(_) => return Ok(plan),
            other => other,
        };
        let mut schema = DFSchema::empty();
        plan.inputs().iter().for_each(|input| schema.merge(input.schema()));
        let schema = Arc::new(schema);
        let names = NamePreserver::new(&plan);
        let has_keys = matches!(plan, LogicalPlan::Aggregate(_) | LogicalPlan::Sort(_));
        let plan = plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let lowered = match expr {
                Expr::GroupingSet(set) => Expr::GroupingSet(self.grouping_set(set, &schema)?),
                other => {
                    let lowered = self.expr(other, &schema)?;
                    let is_key = has_keys && !is_aggregate(&lowered);
                    name.restore(if is_key { plain(lowered, &schema)? } else { lowered })
                }
            };
            Ok(Transformed::yes(lowered))
        })?;
        let plan = match plan.data {
            LogicalPlan::Join(mut join) => {
                let pairs = std::mem::take(&mut join.on).into_iter();
                // EXCEPT and INTERSECT are of columns that hold what each of their sides has there.
                if join.null_equality == NullEquality::NullEqualsNull {
                    join.on = pairs.collect();
                    let types: Vec<Type> = types_of(&join.left)
                        .into_iter()
                        .zip(types_of(&join.right))
                        .map(|(left, right)| left.merged(right).plain())
                        .collect();
                    join.left = typed(join.left, &types)?;
                    join.right = typed(join.right, &types)?;
                } else {
                    join.on = pairs.map(|(left, right)| comparable(left, right, &schema)).collect::<Result<_>>()?;
                }
                LogicalPlan::Join(join)
            }
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let types = shown_types(&input);
                LogicalPlan::Distinct(Distinct::All(typed(input, &types)?))
            }
            other => other,
        };
        plan.recompute_schema()
    }

    /// The rows of a table with their times in the session's zone.
    fn in_zone(&self, scan: LogicalPlan) -> Result<LogicalPlan> {
        let schema = Arc::clone(scan.schema());
        let is_time = |field: &Field| matches!(Type::from(field.data_type()), Type::DateTime(_));
        if self.zone == UTC || !schema.fields().iter().any(|field| is_time(field)) {
            return Ok(scan);
        }
        let column = |at: usize| {
            let (qualifier, field) = schema.qualified_field(at);
            let column = Expr::Column(Column::from((qualifier, field)));
            Ok(match is_time(field) {
                true => self.local(column, &schema)?.alias_qualified(qualifier.cloned(), field.name()),
                false => column,
            })
        };
        let exprs = (0..schema.fields().len()).map(column).collect::<Result<Vec<_>>>()?;
        Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(scan))?))
    }

    /// A time in UTC as one in the session's zone.
    fn local(&self, time: Expr, schema: &DFSchema) -> Result<Expr> {
        let data_type = type_of(&time, schema)?;
        let zone = literal(ScalarValue::Utf8(Some(self.zone.clone())));
        match all::find("to_session_zone") {
            Some(function) => Evaluated::call(function, data_type, vec![zone, time]),
            None => internal_err!("there is no function for zones"),
        }
    }

    /// What is grouped by keeps its name, for what is above asks for it.
    fn grouping_set(&mut self, set: GroupingSet, schema: &DFSchemaRef) -> Result<GroupingSet> {
        let mut each = |exprs: Vec<Expr>| {
            let lower = |expr: Expr| {
                let name = NamePreserver::new_for_projection().save(&expr);
                Ok(name.restore(plain(self.expr(expr, schema)?, schema)?))
            };
            exprs.into_iter().map(lower).collect::<Result<Vec<_>>>()
        };
        Ok(match set {
            GroupingSet::Rollup(exprs) => GroupingSet::Rollup(each(exprs)?),
            GroupingSet::Cube(exprs) => GroupingSet::Cube(each(exprs)?),
            GroupingSet::GroupingSets(sets) => {
                GroupingSet::GroupingSets(sets.into_iter().map(each).collect::<Result<_>>()?)
            }
        })
    }

    /// Expressions whose values are kept by more than a row: without hidden digits.
    fn keys(&mut self, exprs: Vec<Expr>, schema: &DFSchemaRef) -> Result<Vec<Expr>> {
        exprs.into_iter().map(|expr| plain(self.expr(expr, schema)?, schema)).collect()
    }

    fn all(&mut self, exprs: Vec<Expr>, schema: &DFSchemaRef) -> Result<Vec<Expr>> {
        exprs.into_iter().map(|expr| self.expr(expr, schema)).collect()
    }

    /// An expression over columns of this schema.
    fn expr(&mut self, expr: Expr, schema: &DFSchemaRef) -> Result<Expr> {
        match expr {
            Expr::ScalarFunction(ScalarFunction { func, args }) => {
                let typed = hexadecimal::typed(&args);
                let args = self.all(args, schema)?;
                match Planned::of(&func) {
                    Some(callee) => self.call(callee, args, &typed, schema),
                    None => Ok(Expr::ScalarFunction(ScalarFunction::new_udf(func, args))),
                }
            }
            Expr::AggregateFunction(AggregateFunction { func, mut params }) => {
                params.args = match params.distinct || json::holds_json(func.name()) {
                    true => self.keys(params.args, schema)?,
                    false => self.all(params.args, schema)?,
                };
                if json::holds_json(func.name()) {
                    let args = params.args.into_iter();
                    params.args = args.map(|arg| json::json_condition(arg, schema)).collect::<Result<_>>()?;
                }
                params.filter = params.filter.map(|filter| self.expr(*filter, schema).map(Box::new)).transpose()?;
                for sort in &mut params.order_by {
                    sort.expr = self.expr(sort.expr.clone(), schema)?;
                }
                Ok(Expr::AggregateFunction(AggregateFunction { func, params }))
            }
            Expr::WindowFunction(window) => {
                let WindowFunction { fun, mut params } = *window;
                params.args = self.keys(params.args, schema)?;
                if let ("lag" | "lead", [value, _, otherwise]) = (fun.name(), params.args.as_mut_slice()) {
                    // A default of another type: the result holds both.
                    let all = type_of(value, schema)?.merged(type_of(otherwise, schema)?);
                    for side in [value, otherwise] {
                        *side = convert(side.clone(), all, schema)?;
                    }
                }
                params.partition_by = self.keys(params.partition_by, schema)?;
                params.filter = params.filter.map(|filter| self.expr(*filter, schema).map(Box::new)).transpose()?;
                for sort in &mut params.order_by {
                    sort.expr = window_key(self.expr(sort.expr.clone(), schema)?, schema)?;
                }
                Ok(Expr::WindowFunction(Box::new(WindowFunction { fun, params })))
            }
            Expr::ScalarSubquery(subquery) => self.subquery(subquery, schema).map(Expr::ScalarSubquery),
            Expr::Exists(mut exists) => {
                exists.subquery = self.subquery(exists.subquery, schema)?;
                Ok(Expr::Exists(exists))
            }
            Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
                let value = self.expr(*expr, schema)?;
                let subquery = self.subquery(subquery, schema)?;
                compare::in_subquery(value, subquery, negated, schema)
            }
            Expr::OuterReferenceColumn(field, column) => {
                let known = self.outer.iter().rev().find_map(|schema| schema.field_from_column(&column).ok());
                Ok(Expr::OuterReferenceColumn(known.map_or(field, Arc::clone), column))
            }
            other => other.map_children_once(|child| self.expr(child, schema)),
        }
    }

    /// A subquery in an expression over columns of this schema.
    fn subquery(&mut self, subquery: Subquery, schema: &DFSchemaRef) -> Result<Subquery> {
        self.outer.push(Arc::clone(schema));
        let plan = self.plan(Arc::unwrap_or_clone(subquery.subquery));
        let outer = self.all(subquery.outer_ref_columns, schema);
        self.outer.pop();
        Ok(Subquery { subquery: Arc::new(plan?), outer_ref_columns: outer?, spans: subquery.spans })
    }
}

fn is_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::AggregateFunction(_) => true,
        Expr::Alias(alias) => is_aggregate(&alias.expr),
        _ => false,
    }
}

/// What the rows of a window are ordered by, in a type that DataFusion has ranges of: the order is the same.
fn window_key(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let expr = plain(expr, schema)?;
    match (type_of(&expr, schema)?, all::find("hex")) {
        (Type::Time(_), _) => Ok(Expr::Cast(Cast::new(Box::new(expr), DataType::Int64))),
        (Type::Bytes, Some(hex)) => Evaluated::call(hex, Type::Text, vec![expr]),
        _ => Ok(expr),
    }
}

/// The direct children of an expression, each replaced.
trait MapChildrenOnce: Sized {
    fn map_children_once(self, replace: impl FnMut(Self) -> Result<Self>) -> Result<Self>;
}

impl MapChildrenOnce for Expr {
    fn map_children_once(self, mut replace: impl FnMut(Self) -> Result<Self>) -> Result<Self> {
        Ok(self.map_children(|child| replace(child).map(Transformed::yes))?.data)
    }
}

/// A plan whose columns have these types.
fn typed(plan: Arc<LogicalPlan>, types: &[Type]) -> Result<Arc<LogicalPlan>> {
    let schema = Arc::clone(plan.schema());
    let same = schema.fields().iter().zip(types).all(|(field, wanted)| *field.data_type() == wanted.arrow());
    if same {
        return Ok(plan);
    }
    let column = |(at, wanted): (usize, &Type)| {
        let (qualifier, field) = schema.qualified_field(at);
        let column = Expr::Column(Column::from((qualifier, field)));
        Ok(convert(column, *wanted, &schema)?.alias_qualified(qualifier.cloned(), field.name()))
    };
    let exprs = types.iter().enumerate().map(column).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(LogicalPlan::Projection(Projection::try_new(exprs, plan)?)))
}

fn types_of(plan: &LogicalPlan) -> Vec<Type> {
    plan.schema().fields().iter().map(|field| Type::from(field.data_type())).collect()
}

/// The types of what is shown of a plan's columns.
fn shown_types(plan: &LogicalPlan) -> Vec<Type> {
    types_of(plan).into_iter().map(Type::plain).collect()
}

/// A column of a union holds what each of its parts has there.
fn merged_union(union: Union) -> Result<LogicalPlan> {
    let mut types = types_of(&union.inputs[0]);
    for input in &union.inputs[1..] {
        types.iter_mut().zip(types_of(input)).for_each(|(all, one)| *all = all.merged(one));
    }
    let types: Vec<Type> = types.into_iter().map(Type::plain).collect();
    let inputs = union.inputs.into_iter().map(|input| typed(input, &types)).collect::<Result<Vec<_>>>()?;
    // Computed anew: DataFusion would keep the types that there were.
    Union::try_new(inputs).map(LogicalPlan::Union)
}

/// The columns of a recursive query have the types of its first part, as in MySQL.
fn typed_recursion(recursive: RecursiveQuery) -> Result<LogicalPlan> {
    let types = shown_types(&recursive.static_term);
    let static_term = typed(recursive.static_term, &types)?;
    let recursive_term = typed(recursive.recursive_term, &types)?;
    Ok(LogicalPlan::RecursiveQuery(RecursiveQuery { static_term, recursive_term, ..recursive }))
}

/// The result as its reader gets it: a condition is a number, JSON and times of day are text, no digit is hidden. A column of a table that is
/// BOOLEAN stays so.
pub fn shown(plan: LogicalPlan) -> Result<LogicalPlan> {
    let schema = Arc::clone(plan.schema());
    let wanted = |field: &Field| match Type::from(field.data_type()) {
        Type::Bool if !field.metadata().contains_key(BOOLEAN_COLUMN) => Some(Type::Int),
        Type::Json | Type::Time(_) => Some(Type::Text),
        Type::Null => Some(Type::Text),
        quotient if quotient.plain() != quotient => Some(quotient.plain()),
        _ => None,
    };
    if !schema.fields().iter().any(|field| wanted(field).is_some()) {
        return Ok(plan);
    }
    let column = |at: usize| {
        let (qualifier, field) = schema.qualified_field(at);
        let column = Expr::Column(Column::from((qualifier, field)));
        Ok(match wanted(field) {
            Some(data_type) => convert(column, data_type, &schema)?.alias_qualified(qualifier.cloned(), field.name()),
            None => column,
        })
    };
    let exprs = (0..schema.fields().len()).map(column).collect::<Result<Vec<_>>>()?;
    Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(plan))?))
}
