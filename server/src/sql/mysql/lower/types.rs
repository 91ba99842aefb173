//! Types of expressions, and literals.

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::{Expr, ExprSchemable};

use crate::sql::mysql::types::Type;

/// The type of an expression.
pub fn type_of(expr: &Expr, schema: &DFSchema) -> Result<Type> {
    expr.get_type(schema).map(|data_type| Type::from(&data_type))
}

/// A literal.
pub fn literal(value: ScalarValue) -> Expr {
    Expr::Literal(value, None)
}

/// NULL of a type.
pub fn null_of(data_type: &DataType) -> Result<Expr> {
    ScalarValue::try_from(data_type).map(literal)
}
