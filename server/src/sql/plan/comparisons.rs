//! Comparisons that cannot be: a literal that no value of its column's type is. The error names the column.
//!
//! DataFusion would say that a cast fails, and not of what.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DFSchemaRef, ExprSchema, ScalarValue};
use datafusion::error::Result as DfResult;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator};

use crate::sql::Error;
use crate::sql::tables::view::type_name;

/// Looks at every comparison of a plan.
pub fn check(plan: &LogicalPlan) -> Result<(), Error> {
    let mut wrong = None;
    let looked: DfResult<TreeNodeRecursion> = plan.apply_with_subqueries(|node| {
        let schemas: Vec<_> = node.inputs().iter().map(|input| input.schema().clone()).collect();
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                let found = pairs(expr).into_iter().find_map(|(a, b)| mismatch(a, b, &schemas));
                Ok(match found {
                    Some(what) => {
                        wrong = Some(what);
                        TreeNodeRecursion::Stop
                    }
                    None => TreeNodeRecursion::Continue,
                })
            })
        })
    });
    looked.map_err(Error::from)?;
    wrong.map_or(Ok(()), |what| Err(Error::Invalid(what)))
}

/// What is compared with what.
fn pairs(expr: &Expr) -> Vec<(&Expr, &Expr)> {
    match expr {
        Expr::BinaryExpr(binary) if is_comparison(binary.op) => {
            vec![(&binary.left, &binary.right), (&binary.right, &binary.left)]
        }
        Expr::InList(list) => list.list.iter().map(|item| (list.expr.as_ref(), item)).collect(),
        Expr::Between(between) => {
            vec![(between.expr.as_ref(), between.low.as_ref()), (between.expr.as_ref(), between.high.as_ref())]
        }
        _ => Vec::new(),
    }
}

fn is_comparison(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// Why a column and a literal cannot be compared.
fn mismatch(column: &Expr, literal: &Expr, schemas: &[DFSchemaRef]) -> Option<String> {
    let (Expr::Column(column), Expr::Literal(literal, _)) = (column, literal) else { return None };
    let ScalarValue::Utf8(Some(text)) = literal else { return None };
    let data_type = schemas.iter().find_map(|schema| type_of(schema, column))?;
    if !data_type.is_numeric() && !data_type.is_temporal() && data_type != DataType::Boolean {
        return None;
    }
    let fits = literal.cast_to(&data_type).is_ok();
    (!fits).then(|| {
        format!(
            "the column {} is {}, and {text:?} is not; compare it with a value of its type",
            column.name(),
            type_name(&data_type)
        )
    })
}

fn type_of(schema: &DFSchema, column: &Column) -> Option<DataType> {
    schema.field_from_column(column).ok().map(|field| field.data_type().clone())
}
