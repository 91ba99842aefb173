//! Columns of the rows around a subquery become slots for their values.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchemaRef, ExprSchema, Result, internal_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Subquery, Volatility,
};

use super::node::Apply;
use super::slots::Slots;

/// The value in a slot. It is volatile, so that nothing takes it for a constant.
#[derive(Debug)]
struct OuterValue {
    slots: Arc<Slots>,
    slot: usize,
    name: String,
    data_type: DataType,
    signature: Signature,
}

impl ScalarUDFImpl for OuterValue {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.data_type.clone())
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match self.slots.get(self.slot) {
            Some(value) => Ok(ColumnarValue::Scalar(value)),
            None => internal_err!("no row asks for {}", self.name),
        }
    }
}

impl PartialEq for OuterValue {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.slots, &other.slots) && self.slot == other.slot
    }
}

impl Eq for OuterValue {}

impl Hash for OuterValue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (Arc::as_ptr(&self.slots), self.slot).hash(state);
    }
}

/// Puts slots for the columns of the rows around a subquery.
pub struct Replace<'a> {
    /// The rows around.
    pub schema: &'a DFSchemaRef,
    /// Their slots.
    pub slots: &'a Arc<Slots>,
    /// The rows between: a column of theirs is not one of those around.
    pub between: Vec<DFSchemaRef>,
}

impl Replace<'_> {
    /// In a whole plan, with the subqueries in it.
    pub fn plan(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let plan = plan.map_children(|child| self.plan(child).map(Transformed::yes))?.data;
        let plan = match plan {
            LogicalPlan::Extension(extension) => match extension.node.as_any().downcast_ref::<Apply>() {
                Some(apply) => {
                    let mut apply = apply.clone();
                    for subquery in &mut apply.subqueries {
                        subquery.plan = self.plan(subquery.plan.clone())?;
                    }
                    apply.into_plan()
                }
                None => LogicalPlan::Extension(extension),
            },
            other => other,
        };
        let mut schema = datafusion::common::DFSchema::empty();
        plan.inputs().iter().for_each(|input| schema.merge(input.schema()));
        let schema = Arc::new(schema);
        Ok(plan.map_expressions(|expr| self.expr(expr, &schema).map(Transformed::yes))?.data)
    }

    fn expr(&mut self, expr: Expr, schema: &DFSchemaRef) -> Result<Expr> {
        let replaced = expr.transform_up(|expr| {
            Ok(match expr {
                Expr::OuterReferenceColumn(field, column) if self.is_around(&column) => {
                    let function = OuterValue {
                        slots: Arc::clone(self.slots),
                        slot: self.slots.slot(&column),
                        name: column.flat_name(),
                        data_type: field.data_type().clone(),
                        signature: Signature::nullary(Volatility::Volatile),
                    };
                    let function = Arc::new(ScalarUDF::from(function));
                    Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(function, Vec::new())))
                }
                Expr::Exists(mut exists) => {
                    exists.subquery = self.subquery(exists.subquery, schema)?;
                    Transformed::yes(Expr::Exists(exists))
                }
                Expr::InSubquery(mut within) => {
                    within.subquery = self.subquery(within.subquery, schema)?;
                    Transformed::yes(Expr::InSubquery(within))
                }
                Expr::ScalarSubquery(subquery) => {
                    Transformed::yes(Expr::ScalarSubquery(self.subquery(subquery, schema)?))
                }
                other => Transformed::no(other),
            })
        });
        replaced.map(|replaced| replaced.data)
    }

    fn is_around(&self, column: &Column) -> bool {
        let has = |schema: &DFSchemaRef| schema.field_from_column(column).is_ok();
        !self.between.iter().any(has) && has(self.schema)
    }

    fn subquery(&mut self, subquery: Subquery, schema: &DFSchemaRef) -> Result<Subquery> {
        self.between.push(Arc::clone(schema));
        let plan = self.plan(Arc::unwrap_or_clone(subquery.subquery));
        self.between.pop();
        let still = |expr: &Expr| match expr {
            Expr::OuterReferenceColumn(_, column) => {
                !(self.is_around(column) && schema.field_from_column(column).is_err())
            }
            _ => true,
        };
        let outer_ref_columns = subquery.outer_ref_columns.into_iter().filter(still).collect();
        Ok(Subquery { subquery: Arc::new(plan?), outer_ref_columns, spans: subquery.spans })
    }
}
