//! What all functions of ours have in common when they are called: constants are folded, arguments become columns.

use arrow::array::ArrayRef;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs};

use super::columns::{Column, canonical};

/// The arguments as arrays, each with whether it is one value for all rows.
pub struct Arguments(Vec<(ArrayRef, bool)>);

impl Arguments {
    /// Arguments of a call.
    pub fn new(args: &[ColumnarValue]) -> Result<Self> {
        let array = |arg: &ColumnarValue| match arg {
            ColumnarValue::Array(array) => canonical(array).map(|array| (array, false)),
            ColumnarValue::Scalar(scalar) => canonical(&scalar.to_array()?).map(|array| (array, true)),
        };
        args.iter().map(array).collect::<Result<_>>().map(Self)
    }

    /// The same as columns, whose values are asked for by row.
    pub fn columns(&self) -> Result<Vec<Column<'_>>> {
        self.0.iter().map(|(array, constant)| Column::new(array, *constant)).collect()
    }
}

/// The value of a call whose arguments are all known; none of any other.
pub fn folded(args: &[Expr], evaluate: impl FnOnce(&[ColumnarValue]) -> Result<ArrayRef>) -> Result<Option<Expr>> {
    let known = |arg: &Expr| match arg {
        Expr::Literal(value, _) => Some(ColumnarValue::Scalar(value.clone())),
        _ => None,
    };
    let Some(known) = args.iter().map(known).collect::<Option<Vec<_>>>() else { return Ok(None) };
    let column = evaluate(&known)?;
    Ok(Some(Expr::Literal(ScalarValue::try_from_array(&column, 0)?, None)))
}

/// What a call comes to: one value, if all its arguments are.
pub fn invoked(
    args: &ScalarFunctionArgs,
    evaluate: impl FnOnce(&[ColumnarValue], usize) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
    let column = evaluate(&args.args, if constant { 1 } else { args.number_rows })?;
    Ok(match constant {
        true => ColumnarValue::Scalar(ScalarValue::try_from_array(&column, 0)?),
        false => ColumnarValue::Array(column),
    })
}
