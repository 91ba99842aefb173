//! The shape of a function: a table of what it takes, and an evaluation over whole columns.

use std::fmt;
use std::hash::{Hash, Hasher};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

/// What an argument is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arg {
    /// Text; any other type as it is shown.
    Text,
    /// A whole number.
    Int,
    /// Any number, or text that is one.
    Number,
    /// An instant, a date, or text that is one.
    Time,
}

/// The type of an instant.
pub const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

/// One function.
pub struct Definition {
    /// Its name, lower case.
    pub name: &'static str,
    /// Its arguments. The last one may repeat if `repeats`.
    pub takes: &'static [Arg],
    /// How many of them must be there.
    pub required: usize,
    /// Whether there may be any number of the last one.
    pub repeats: bool,
    /// What it returns.
    pub returns: DataType,
    /// Its value for columns of equal length, as the arguments are read.
    pub eval: fn(&[ArrayRef]) -> Result<ArrayRef>,
}

impl Definition {
    /// A function of at least `required` arguments.
    pub const fn new(
        name: &'static str,
        takes: &'static [Arg],
        required: usize,
        returns: DataType,
        eval: fn(&[ArrayRef]) -> Result<ArrayRef>,
    ) -> Self {
        Self { name, takes, required, repeats: false, returns, eval }
    }

    /// The same function of any number of the last argument.
    pub const fn repeating(mut self) -> Self {
        self.repeats = true;
        self
    }
}

/// A value of an argument that was read as [`Arg::Text`].
pub fn text(array: &ArrayRef, row: usize) -> Option<&str> {
    (!array.is_null(row)).then(|| array.as_string::<i32>().value(row))
}

/// A value of an argument that was read as [`Arg::Int`].
pub fn int(array: &ArrayRef, row: usize) -> Option<i64> {
    (!array.is_null(row)).then(|| array.as_primitive::<Int64Type>().value(row))
}

/// A value of an argument that was read as [`Arg::Number`].
pub fn number(array: &ArrayRef, row: usize) -> Option<f64> {
    match (array.is_null(row), array.as_string_opt::<i32>()) {
        (true, _) => None,
        (false, Some(texts)) => texts.value(row).trim().parse().ok(),
        (false, None) => Some(array.as_primitive::<Float64Type>().value(row)),
    }
}

/// A [`Definition`] as DataFusion's function.
pub struct Function {
    definition: &'static Definition,
    signature: Signature,
}

impl Function {
    /// The function.
    pub fn new(definition: &'static Definition) -> Self {
        Self { definition, signature: Signature::user_defined(Volatility::Immutable) }
    }

    fn check_count(&self, given: usize) -> Result<()> {
        let Definition { name, takes, required, repeats, .. } = self.definition;
        if given >= *required && (*repeats || given <= takes.len()) {
            return Ok(());
        }
        let expected = match (repeats, takes.len() == *required) {
            (true, _) => format!("{required} or more"),
            (false, true) => required.to_string(),
            (false, false) => format!("{required} to {}", takes.len()),
        };
        plan_err!("{name} takes {expected} arguments, not {given}")
    }
}

/// The type that an argument is coerced to.
fn coerced(name: &str, position: usize, arg: Arg, given: &DataType) -> Result<DataType> {
    use DataType::{Date32, Float64, Int64, LargeUtf8, Null, Timestamp, Utf8, Utf8View};
    let textual = matches!(given, Utf8 | LargeUtf8 | Utf8View);
    let fits = match arg {
        Arg::Text => Some(Utf8),
        Arg::Int if given.is_numeric() || matches!(given, Null | DataType::Boolean) => Some(Int64),
        Arg::Number if given.is_numeric() || matches!(given, Null | DataType::Boolean) => Some(Float64),
        // Read when it runs: text that is no number or instant is NULL, not an error.
        Arg::Number | Arg::Time if textual => Some(Utf8),
        Arg::Time if matches!(given, Null | Date32 | Timestamp(..)) => Some(TIMESTAMP),
        _ => None,
    };
    match fits {
        Some(fits) => Ok(fits),
        None => {
            let wanted = match arg {
                Arg::Text => "text",
                Arg::Int | Arg::Number => "a number",
                Arg::Time => "a time",
            };
            plan_err!("argument {} of {name} is {given}, and has to be {wanted}; CAST it", position + 1)
        }
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.definition.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.check_count(given.len())?;
        let takes = self.definition.takes;
        let arg = |position: usize| takes[position.min(takes.len() - 1)];
        given
            .iter()
            .enumerate()
            .map(|(position, given)| coerced(self.definition.name, position, arg(position), given))
            .collect()
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.check_count(given.len())?;
        Ok(self.definition.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let result = (self.definition.eval)(&arrays)?;
        Ok(match constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?),
            false => ColumnarValue::Array(result),
        })
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("name", &self.definition.name).finish_non_exhaustive()
    }
}

// A name is one function.
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.definition.name == other.definition.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.definition.name.hash(state);
    }
}
