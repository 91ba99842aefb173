//! Values that a scan waits for: it is planned without them, and has them when it runs.

use std::any::Any;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use datafusion::physical_expr::expressions::lit;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};

use crate::sql::syntax::Fingerprint;

/// A value that a plan waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Which literal of the statement it stands for.
    pub literal: usize,
    /// The type of the column that it is compared with.
    pub data_type: DataType,
}

/// What a statement has for these parameters; none if one does not fit its column's type.
pub fn values_of(parameters: &[Parameter], fingerprint: &Fingerprint) -> Option<Vec<ScalarValue>> {
    let value = |parameter: &Parameter| fingerprint.literals.get(parameter.literal)?.value(&parameter.data_type);
    parameters.iter().map(value).collect()
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
pub struct Open {
    position: usize,
    name: String,
    data_type: DataType,
    signature: Signature,
}

impl Open {
    /// The value at this position among those that the plan waits for.
    pub fn new(position: usize, data_type: DataType) -> Self {
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
