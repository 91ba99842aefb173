//! Functions whose result has the type of what they take, or that take every type.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, UInt64Array};
use arrow::buffer::NullBuffer;
use arrow::compute::kernels::{cmp, zip};
use arrow::compute::{cast, nullif};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::functions::core::{greatest, least};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

/// What a condition is that is not visibly one: `WHERE cores`.
pub const IS_TRUE: &str = "is_true";
/// `a DIV b`.
pub const INT_DIV: &str = "int_div";
/// `CAST(a AS SIGNED)`.
pub const TO_SIGNED: &str = "to_signed";
/// `CAST(a AS UNSIGNED)`.
pub const TO_UNSIGNED: &str = "to_unsigned";

/// Every BIGINT.
const SIGNED: DataType = DataType::Decimal128(19, 0);
/// Every BIGINT, and every BIGINT UNSIGNED.
const UNSIGNED: DataType = DataType::Decimal128(20, 0);

/// One function.
pub struct Typed {
    name: &'static str,
    count: usize,
    repeats: bool,
    coerce: fn(&[DataType]) -> Result<Vec<DataType>>,
    returns: fn(&[DataType]) -> DataType,
    eval: fn(&[ArrayRef], &DataType) -> Result<ArrayRef>,
}

static FUNCTIONS: &[Typed] = &[
    Typed {
        name: IS_TRUE,
        count: 1,
        repeats: false,
        coerce: |given| Ok(vec![if given[0] == DataType::Boolean { DataType::Boolean } else { DataType::Float64 }]),
        returns: |_| DataType::Boolean,
        eval: |args, _| is_true(&args[0]),
    },
    Typed { name: INT_DIV, count: 2, repeats: false, coerce: divided, returns: quotient, eval: divide },
    Typed {
        name: TO_SIGNED,
        count: 1,
        repeats: false,
        coerce: |given| Ok(given.to_vec()),
        returns: |_| DataType::Int64,
        eval: |args, _| whole(&args[0], &DataType::Int64),
    },
    Typed {
        name: TO_UNSIGNED,
        count: 1,
        repeats: false,
        coerce: |given| Ok(given.to_vec()),
        returns: |_| DataType::UInt64,
        eval: |args, _| whole(&args[0], &DataType::UInt64),
    },
    Typed {
        name: "greatest",
        count: 1,
        repeats: true,
        coerce: |given| greatest().coerce_types(given),
        returns: |given| given[0].clone(),
        eval: |args, _| extreme(args, |a, b| cmp::gt(&a, &b)),
    },
    Typed {
        name: "least",
        count: 1,
        repeats: true,
        coerce: |given| least().coerce_types(given),
        returns: |given| given[0].clone(),
        eval: |args, _| extreme(args, |a, b| cmp::lt(&a, &b)),
    },
];

/// All of them.
pub fn all() -> impl Iterator<Item = TypedFunction> {
    FUNCTIONS.iter().map(|typed| TypedFunction { typed, signature: Signature::user_defined(Volatility::Immutable) })
}

/// Anything but 0; NULL of NULL and of text that is no number.
fn is_true(value: &ArrayRef) -> Result<ArrayRef> {
    Ok(match value.as_primitive_opt::<Float64Type>() {
        None => Arc::clone(value),
        Some(numbers) => Arc::new(numbers.iter().map(|n| n.map(|n| n != 0.0)).collect::<BooleanArray>()),
    })
}

fn divided(given: &[DataType]) -> Result<Vec<DataType>> {
    let whole = |given: &DataType| given.is_integer() || given.is_null() || [SIGNED, UNSIGNED].contains(given);
    let common = match given.iter().all(whole) {
        true if given.contains(&DataType::UInt64) || given.contains(&UNSIGNED) => UNSIGNED,
        true => SIGNED,
        false => DataType::Float64,
    };
    Ok(vec![common; 2])
}

fn quotient(coerced: &[DataType]) -> DataType {
    if coerced.contains(&UNSIGNED) { DataType::UInt64 } else { DataType::Int64 }
}

/// Cut towards 0; NULL where the right side is 0.
fn divide(args: &[ArrayRef], returns: &DataType) -> Result<ArrayRef> {
    let quotients: Vec<Option<i128>> = match args[0].data_type() {
        DataType::Float64 => {
            let (left, right) = (args[0].as_primitive::<Float64Type>(), args[1].as_primitive::<Float64Type>());
            let divide = |(a, b): (Option<f64>, Option<f64>)| Some((a? / b.filter(|b| *b != 0.0)?).trunc() as i128);
            left.iter().zip(right).map(divide).collect()
        }
        _ => {
            let (left, right) = (args[0].as_primitive::<Decimal128Type>(), args[1].as_primitive::<Decimal128Type>());
            left.iter().zip(right).map(|(a, b)| a?.checked_div(b?)).collect()
        }
    };
    wholes(quotients, returns)
}

fn wholes(values: Vec<Option<i128>>, returns: &DataType) -> Result<ArrayRef> {
    let signed = *returns != DataType::UInt64;
    let range = if signed { i128::from(i64::MIN)..=i128::from(i64::MAX) } else { 0..=i128::from(u64::MAX) };
    if let Some(value) = values.iter().flatten().find(|value| !range.contains(value)) {
        return exec_err!("{value} is out of the range of {}", if signed { "BIGINT" } else { "BIGINT UNSIGNED" });
    }
    Ok(match signed {
        true => Arc::new(values.into_iter().map(|value| value.map(|value| value as i64)).collect::<Int64Array>()),
        false => Arc::new(values.into_iter().map(|value| value.map(|value| value as u64)).collect::<UInt64Array>()),
    })
}

/// A whole number: fractions are rounded, those in text cut off, as in MySQL. What does not fit is NULL.
fn whole(value: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let fractions: ArrayRef = match value.data_type() {
        DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            let numbers = cast(value, &DataType::Float64)?;
            Arc::new(numbers.as_primitive::<Float64Type>().unary::<_, Float64Type>(f64::round))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let texts = cast(value, &DataType::Utf8)?;
            let number = |text: &str| match (text.trim().parse::<i128>(), text.trim().parse::<f64>()) {
                (Ok(whole), _) => Some(whole),
                (_, Ok(fraction)) if fraction.is_finite() => Some(fraction.trunc() as i128),
                _ => None,
            };
            let range = match to {
                DataType::UInt64 => 0..=i128::from(u64::MAX),
                _ => i128::from(i64::MIN)..=i128::from(i64::MAX),
            };
            let numbers = texts.as_string::<i32>().iter().map(|text| number(text?).filter(|n| range.contains(n)));
            return wholes(numbers.collect(), to);
        }
        _ => Arc::clone(value),
    };
    Ok(cast(&fractions, to)?)
}

/// The one that beats the others; NULL if any is.
fn extreme(
    args: &[ArrayRef],
    beats: fn(ArrayRef, ArrayRef) -> Result<BooleanArray, arrow::error::ArrowError>,
) -> Result<ArrayRef> {
    let mut best = Arc::clone(&args[0]);
    for other in &args[1..] {
        let better = zip::zip(&beats(Arc::clone(&best), Arc::clone(other))?, &best, other)?;
        let valid = NullBuffer::union(best.logical_nulls().as_ref(), other.logical_nulls().as_ref());
        best = match valid {
            Some(valid) => nullif(&better, &BooleanArray::new(!valid.inner(), None))?,
            None => better,
        };
    }
    Ok(best)
}

/// A [`Typed`] as DataFusion's function.
pub struct TypedFunction {
    typed: &'static Typed,
    signature: Signature,
}

impl ScalarUDFImpl for TypedFunction {
    fn name(&self) -> &str {
        self.typed.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let Typed { name, count, repeats, coerce, .. } = self.typed;
        match given.len() == *count || (*repeats && given.len() > *count) {
            true => coerce(given),
            false => plan_err!("{name} takes {count} arguments, not {}", given.len()),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok((self.typed.returns)(given))
    }

    fn simplify(&self, mut args: Vec<Expr>, context: &SimplifyContext) -> Result<ExprSimplifyResult> {
        // What is a condition needs no call that nobody can look into.
        match self.typed.name == IS_TRUE && args.len() == 1 && context.is_boolean_type(&args[0])? {
            true => Ok(ExprSimplifyResult::Simplified(args.remove(0))),
            false => Ok(ExprSimplifyResult::Original(args)),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let result = (self.typed.eval)(&arrays, args.return_field.data_type())?;
        Ok(match constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?),
            false => ColumnarValue::Array(result),
        })
    }
}

impl fmt::Debug for TypedFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedFunction").field("name", &self.typed.name).finish_non_exhaustive()
    }
}

// A name is one function.
impl PartialEq for TypedFunction {
    fn eq(&self, other: &Self) -> bool {
        self.typed.name == other.typed.name
    }
}

impl Eq for TypedFunction {}

impl Hash for TypedFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.typed.name.hash(state);
    }
}
