//! Functions as they are evaluated: row by row over columns, with a type that was decided when the plan was lowered.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::columns::Builder;
use super::evaluation::{Arguments, folded, invoked};
use super::functions::definition::{Call, Definition, Memo, Stop};
use super::types::Type;
use super::value::Value;

/// A function with its type.
pub struct Evaluated {
    definition: &'static Definition,
    returns: Type,
    signature: Signature,
}

impl Evaluated {
    /// A call with these arguments, or its value if they are all known.
    pub fn call(definition: &'static Definition, returns: Type, args: Vec<Expr>) -> Result<Expr> {
        let function = Self { definition, returns, signature: Signature::user_defined(Volatility::Immutable) };
        if let Some(value) = folded(&args, |known| function.evaluate(known, 1))? {
            return Ok(value);
        }
        let function = Arc::new(ScalarUDF::from(function));
        Ok(Expr::ScalarFunction(ScalarFunction::new_udf(function, args)))
    }

    /// What a function evaluates, if it is lowered so.
    pub fn of(function: &ScalarUDF) -> Option<&'static Definition> {
        let function: &dyn Any = function.inner().as_ref();
        function.downcast_ref::<Self>().map(|evaluated| evaluated.definition)
    }

    fn evaluate(&self, args: &[ColumnarValue], rows: usize) -> Result<ArrayRef> {
        let arguments = Arguments::new(args)?;
        let columns = arguments.columns()?;
        let name = self.definition.name.trim_start_matches('#');
        let memo = Memo::default();
        let mut made = Builder::new(self.returns, rows);
        let mut values: Vec<Value<'_>> = Vec::with_capacity(columns.len());
        for row in 0..rows {
            values.clear();
            values.extend(columns.iter().map(|column| column.get(row)));
            let call = Call { name, args: &values, returns: self.returns, memo: &memo };
            match (self.definition.eval)(&call) {
                Ok(value) => made.push(&value, name)?,
                Err(Stop::Null) => made.push(&Value::Null, name)?,
                Err(Stop::Error(what)) => return exec_err!("{what}"),
            }
        }
        made.finish()
    }
}

impl ScalarUDFImpl for Evaluated {
    fn name(&self) -> &str {
        self.definition.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(given.to_vec())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.arrow())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.definition.name, self.returns.arrow(), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        invoked(&args, |args, rows| self.evaluate(args, rows))
    }
}

impl std::fmt::Debug for Evaluated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluated").field("name", &self.definition.name).field("returns", &self.returns).finish()
    }
}

impl PartialEq for Evaluated {
    fn eq(&self, other: &Self) -> bool {
        self.definition.name == other.definition.name && self.returns == other.returns
    }
}

impl Eq for Evaluated {}

impl Hash for Evaluated {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.definition.name, self.returns).hash(state);
    }
}
