//! Values that are left open in a plan.
//!
//! A literal that a column is compared with in a WHERE is left open; anywhere else its value may decide what is planned
//! (LIMIT, ORDER BY 1, the format of a date) or what a column is called. It is a placeholder while the logical plan is made,
//! and from then on a call of a function that only [`fill`] replaces.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::expr::{Placeholder, ScalarFunction};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::expressions::lit;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;
use sqlparser::ast::{BinaryOperator, Expr as AstExpr, SetExpr, Statement as Ast, Value, ValueWithSpan};

use super::shape::Shape;
use crate::sql::tables::scan::TableScan;

/// A value that a plan waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Which literal of the statement it stands for.
    pub literal: usize,
    /// The type of the column that it is compared with.
    pub data_type: DataType,
}

/// Puts a placeholder for each literal that a column is compared with.
pub fn open(statement: &mut Ast, shape: &Shape) {
    if let Ast::Query(query) = statement {
        open_in(&mut query.body, shape);
    }
}

fn open_in(body: &mut SetExpr, shape: &Shape) {
    match body {
        SetExpr::Select(select) => {
            if let Some(condition) = &mut select.selection {
                open_condition(condition, shape);
            }
        }
        SetExpr::Query(query) => open_in(&mut query.body, shape),
        SetExpr::SetOperation { left, right, .. } => {
            open_in(left, shape);
            open_in(right, shape);
        }
        _ => {}
    }
}

fn open_condition(condition: &mut AstExpr, shape: &Shape) {
    use BinaryOperator::{And, Eq, Gt, GtEq, Lt, LtEq, NotEq, Or};
    match condition {
        AstExpr::Nested(inner) => open_condition(inner, shape),
        AstExpr::BinaryOp { left, op: And | Or, right } => {
            open_condition(left, shape);
            open_condition(right, shape);
        }
        AstExpr::BinaryOp { left, op: Eq | NotEq | Lt | LtEq | Gt | GtEq, right } if is_column(left) => {
            open_literal(right, shape);
        }
        AstExpr::BinaryOp { left, op: Eq | NotEq | Lt | LtEq | Gt | GtEq, right } if is_column(right) => {
            open_literal(left, shape);
        }
        AstExpr::Between { expr, low, high, .. } if is_column(expr) => {
            open_literal(low, shape);
            open_literal(high, shape);
        }
        _ => {}
    }
}

fn is_column(expr: &AstExpr) -> bool {
    matches!(expr, AstExpr::Identifier(_) | AstExpr::CompoundIdentifier(_))
}

fn open_literal(expr: &mut AstExpr, shape: &Shape) {
    let AstExpr::Value(ValueWithSpan { value, span }) = expr else { return };
    let literal = shape.literals.iter().position(|literal| literal.at == span.start);
    if let Some(literal) = literal {
        *value = Value::Placeholder(format!("${}", literal + 1));
    }
}

/// The literal that a placeholder stands for.
fn literal_of(id: &str) -> Option<usize> {
    id.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1)
}

/// What a plan waits for, by literal; none if one of its placeholders is of no type, or of one that the literal is not.
pub fn of(plan: &LogicalPlan, shape: &Shape) -> Option<Vec<Parameter>> {
    let types: HashMap<String, Option<DataType>> = plan.get_parameter_types().ok()?;
    let mut parameters = types
        .into_iter()
        .map(|(id, data_type)| Some(Parameter { literal: literal_of(&id)?, data_type: data_type? }))
        .collect::<Option<Vec<_>>>()?;
    parameters.sort_by_key(|parameter| parameter.literal);
    shape.values(&parameters).map(|_| parameters)
}

/// The plan with a call for each placeholder, once nothing of it is optimized any more.
pub fn called(plan: LogicalPlan, parameters: &[Parameter]) -> Result<LogicalPlan> {
    let called = plan.transform_up_with_subqueries(|node| {
        node.map_expressions(|expr| {
            expr.transform_up(|expr| {
                let Expr::Placeholder(Placeholder { id, .. }) = &expr else { return Ok(Transformed::no(expr)) };
                let position = parameters.iter().position(|parameter| Some(parameter.literal) == literal_of(id));
                let Some(position) = position else { return internal_err!("the placeholder {id} is of no parameter") };
                let function = Open::new(position, parameters[position].data_type.clone());
                let call = ScalarFunction::new_udf(Arc::new(ScalarUDF::from(function)), Vec::new());
                Ok(Transformed::yes(Expr::ScalarFunction(call)))
            })
        })
    });
    called.map(|called| called.data)
}

/// Whether the values are waited for by scans only: nothing else is bound.
pub fn are_in_scans(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let mut elsewhere = false;
    plan.apply(|node| {
        if node.downcast_ref::<TableScan>().is_none() {
            node.apply_expressions(&mut |expr| {
                elsewhere |= expr.exists(|part| Ok(is_open(part)))?;
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(!elsewhere)
}

/// A condition with the values in it that it waits for.
pub fn fill(condition: &Arc<dyn PhysicalExpr>, values: &[ScalarValue]) -> Result<Arc<dyn PhysicalExpr>> {
    let filled = Arc::clone(condition).transform_up(|expr| {
        Ok(match position_of(&expr) {
            Some(position) => Transformed::yes(lit(values[position].clone())),
            None => Transformed::no(expr),
        })
    });
    filled.map(|filled| filled.data)
}

/// Whether it is a value that is not known yet.
pub fn is_open(expr: &Arc<dyn PhysicalExpr>) -> bool {
    position_of(expr).is_some()
}

/// Which of the values it waits for, if it is one.
pub fn position_of(expr: &Arc<dyn PhysicalExpr>) -> Option<usize> {
    let call = expr.downcast_ref::<ScalarFunctionExpr>()?;
    let function: &dyn Any = call.fun().inner().as_ref();
    function.downcast_ref::<Open>().map(|open| open.position)
}

/// A value that is not known yet. It is volatile, so that nothing takes it for a constant.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Open {
    position: usize,
    name: String,
    data_type: DataType,
    signature: Signature,
}

impl Open {
    fn new(position: usize, data_type: DataType) -> Self {
        let signature = Signature::nullary(Volatility::Volatile);
        Self { position, name: format!("${}", position + 1), data_type, signature }
    }
}

impl ScalarUDFImpl for Open {
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
        internal_err!("the value {} is not known", self.name)
    }
}
