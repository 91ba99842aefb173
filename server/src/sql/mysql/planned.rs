//! Operators and functions as DataFusion plans them: any types of arguments, and MySQL's type of the result.
//!
//! None of them is ever evaluated: a plan is lowered before it is optimized ([`super::lower`]).

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::columns::value_of;
use super::functions::definition::{ANY, Argument, Definition};
use super::operator::Operator;
use super::types::Type;

/// What is called.
#[derive(Clone, Copy)]
pub enum Callee {
    /// An operator.
    Operator(Operator),
    /// A function.
    Function(&'static Definition),
}

impl Callee {
    /// Its name in a tree.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator(operator) => operator.name(),
            Self::Function(definition) => definition.name,
        }
    }

    fn arity(self) -> (usize, usize) {
        match self {
            Self::Operator(operator) => operator.arity(),
            Self::Function(definition) => (definition.least, definition.most),
        }
    }

    /// How it is written.
    pub fn usage(self) -> &'static str {
        match self {
            Self::Operator(operator) => operator.usage(),
            Self::Function(definition) => definition.usage,
        }
    }

    /// The type of its value.
    pub fn returns(self, args: &[Argument]) -> Type {
        match self {
            Self::Operator(operator) => operator.returns(args),
            Self::Function(definition) => (definition.returns)(args),
        }
    }
}

/// A call in a plan that is not lowered yet.
pub struct Planned {
    /// What is called.
    pub callee: Callee,
    signature: Signature,
}

impl Planned {
    /// A call of this.
    pub fn new(callee: Callee) -> Self {
        Self { callee, signature: Signature::user_defined(Volatility::Immutable) }
    }

    /// What a function calls, if it is planned so.
    pub fn of(function: &ScalarUDF) -> Option<Callee> {
        let function: &dyn Any = function.inner().as_ref();
        function.downcast_ref::<Self>().map(|planned| planned.callee)
    }
}

impl ScalarUDFImpl for Planned {
    fn name(&self) -> &str {
        self.callee.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let (least, most) = self.callee.arity();
        if (least..=most).contains(&given.len()) {
            return Ok(given.to_vec());
        }
        let (name, usage) = (self.callee.name(), self.callee.usage());
        let expected = match most {
            _ if most == least => least.to_string(),
            ANY => format!("{least} or more"),
            _ => format!("{least} to {most}"),
        };
        plan_err!("{name} takes {expected} arguments, not {}; write {usage}", given.len())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let args: Vec<_> = given.iter().map(|given| Argument { data_type: given.into(), constant: None }).collect();
        Ok(self.callee.returns(&args).arrow())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let argument = |(field, scalar): (&FieldRef, &Option<&datafusion::common::ScalarValue>)| {
            Ok(Argument { data_type: field.data_type().into(), constant: scalar.map(value_of).transpose()? })
        };
        let known = args.arg_fields.iter().zip(args.scalar_arguments).map(argument).collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(Field::new(self.callee.name(), self.callee.returns(&known).arrow(), true)))
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("{} was not lowered", self.callee.name())
    }
}

impl std::fmt::Debug for Planned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Planned").field(&self.callee.name()).finish()
    }
}

// A name is one callee.
impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        self.callee.name() == other.callee.name()
    }
}

impl Eq for Planned {}

impl Hash for Planned {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.callee.name().hash(state);
    }
}
