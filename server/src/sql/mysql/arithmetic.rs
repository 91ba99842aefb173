//! Arithmetic: a chain of operators is one function, so that a plan is no deeper than its statement nests.
//!
//! Whole numbers and decimals are exact, and what is out of their range is an error, as in MySQL; what is divided by 0 is
//! NULL.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::columns::Builder;
use super::comparison::compare;
use super::evaluation::{Arguments, folded, invoked};
use super::functions::definition::{Outcome, Stop, some};
use super::operator::Binary;
use super::types::Type;
use super::value::{Decimal, Number, Value, quotient_digits};
use super::warnings;

/// Operators between values, from left to right.
#[derive(Debug)]
pub struct Arithmetic {
    /// Each with the type of what it makes.
    steps: Vec<(Binary, Type)>,
    signature: Signature,
}

impl Arithmetic {
    /// A call: the first value, then each operator with its right side. Its value if all are known.
    pub fn call(first: Expr, steps: Vec<(Binary, Type)>, rest: Vec<Expr>) -> Result<Expr> {
        let function = Self { steps, signature: Signature::user_defined(Volatility::Immutable) };
        let args: Vec<Expr> = std::iter::once(first).chain(rest).collect();
        if let Some(value) = folded(&args, |known| function.evaluate(known, 1))? {
            return Ok(value);
        }
        Ok(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::from(function)), args)))
    }

    fn returns(&self) -> Type {
        self.steps.last().map_or(Type::Null, |(_, made)| *made)
    }

    fn evaluate(&self, args: &[ColumnarValue], rows: usize) -> Result<ArrayRef> {
        if let Some(column) = self.of_doubles(args, rows)? {
            return Ok(column);
        }
        if let Some(column) = self.of_wholes(args, rows)? {
            return Ok(column);
        }
        let arguments = Arguments::new(args)?;
        let columns = arguments.columns()?;
        let mut made = Builder::new(self.returns(), rows);
        for row in 0..rows {
            let mut left = columns[0].get(row);
            for ((op, data_type), right) in self.steps.iter().zip(&columns[1..]) {
                left = match apply(*op, &left, &right.get(row), *data_type) {
                    Ok(value) => value,
                    Err(Stop::Null) => Value::Null,
                    Err(Stop::Error(what)) => return exec_err!("{what}"),
                };
            }
            made.push(&left, "an expression")?;
        }
        made.finish()
    }

    /// Where all are doubles or become one at once, without a value a row.
    fn of_doubles(&self, args: &[ColumnarValue], rows: usize) -> Result<Option<ArrayRef>> {
        use Binary::{Add, Multiply, Subtract};
        let plain = |(op, made): &(Binary, Type)| *made == Type::Double && matches!(op, Add | Subtract | Multiply);
        let number = |arg: &ColumnarValue| matches!(arg.data_type(), DataType::Float64 | DataType::Int64);
        if !self.steps.iter().all(plain) || !args.iter().all(number) {
            return Ok(None);
        }
        let doubles = |arg: &ColumnarValue| cast(&arg.to_array(rows)?, &DataType::Float64).map_err(Into::into);
        let arrays = args.iter().map(doubles).collect::<Result<Vec<_>>>()?;
        let mut left: Float64Array = arrays[0].as_primitive::<Float64Type>().clone();
        for ((op, _), right) in self.steps.iter().zip(&arrays[1..]) {
            let right = right.as_primitive::<Float64Type>();
            let combine = |a: f64, b: f64| match op {
                Add => a + b,
                Subtract => a - b,
                // Without a negative zero.
                _ => a * b + 0.0,
            };
            left = arrow::compute::binary(&left, right, combine)?;
        }
        if let Some(wrong) = left.iter().flatten().find(|value| !value.is_finite()) {
            return exec_err!("DOUBLE value is out of range: {wrong}");
        }
        Ok(Some(Arc::new(left)))
    }

    /// The same of whole numbers that do not overflow; where one does, the slow way says which.
    fn of_wholes(&self, args: &[ColumnarValue], rows: usize) -> Result<Option<ArrayRef>> {
        use Binary::{Add, Multiply, Subtract};
        let plain = |(op, made): &(Binary, Type)| *made == Type::Int && matches!(op, Add | Subtract | Multiply);
        if !self.steps.iter().all(plain) || !args.iter().all(|arg| arg.data_type() == DataType::Int64) {
            return Ok(None);
        }
        let arrays = args.iter().map(|arg| arg.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let mut left: Int64Array = arrays[0].as_primitive::<Int64Type>().clone();
        for ((op, _), right) in self.steps.iter().zip(&arrays[1..]) {
            let right = right.as_primitive::<Int64Type>();
            let combine = |a: i64, b: i64| {
                let made = match op {
                    Add => a.checked_add(b),
                    Subtract => a.checked_sub(b),
                    _ => a.checked_mul(b),
                };
                made.ok_or_else(|| arrow::error::ArrowError::ArithmeticOverflow(String::new()))
            };
            match arrow::compute::try_binary(&left, right, combine) {
                Ok(made) => left = made,
                Err(_) => return Ok(None),
            }
        }
        Ok(Some(Arc::new(left)))
    }
}

/// The value of an operator, as a value of its type.
pub fn apply(op: Binary, left: &Value<'_>, right: &Value<'_>, data_type: Type) -> Outcome {
    use Binary::{BitAnd, BitOr, BitXor, DivideWhole, ShiftLeft, ShiftRight};
    let out_of_range = || {
        let (left, right) = (left.to_text().unwrap_or_default(), right.to_text().unwrap_or_default());
        let name = data_type.name();
        let name = name.split('(').next().unwrap_or_default();
        Stop::error(format!("{name} value is out of range in '({left} {} {right})'", op.typed()))
    };
    match op {
        BitAnd | BitOr | BitXor | ShiftLeft | ShiftRight => {
            let (a, b) = (some(left.to_bits())?, some(right.to_bits())?);
            return Ok(Value::UInt(match op {
                BitAnd => a & b,
                BitOr => a | b,
                BitXor => a ^ b,
                // What is shifted past the end is gone.
                ShiftLeft => u32::try_from(b).ok().and_then(|by| a.checked_shl(by)).unwrap_or(0),
                _ => u32::try_from(b).ok().and_then(|by| a.checked_shr(by)).unwrap_or(0),
            }));
        }
        DivideWhole => return divide_whole(left, right, data_type, out_of_range),
        Binary::Same => {
            let same = match (left.is_null(), right.is_null()) {
                (true, true) => true,
                (false, false) => compare(left, right).is_some_and(Ordering::is_eq),
                _ => false,
            };
            return Ok(Value::bool(same));
        }
        comparison if comparison.is_comparison() => {
            let order = some(compare(left, right))?;
            return Ok(Value::bool(match comparison {
                Binary::Equal => order.is_eq(),
                Binary::NotEqual => order.is_ne(),
                Binary::Less => order.is_lt(),
                Binary::LessOrEqual => order.is_le(),
                Binary::Greater => order.is_gt(),
                _ => order.is_ge(),
            }));
        }
        _ => {}
    }
    match data_type {
        Type::Int | Type::UInt => wholes(op, left, right, data_type, out_of_range),
        Type::Decimal(_, kept) => {
            let (a, b) = (some(left.to_decimal())?, some(right.to_decimal())?);
            let made = match op {
                Binary::Add => a.add(b),
                Binary::Subtract => a.sub(b),
                Binary::Multiply => a.mul(b),
                Binary::Divide | Binary::Remainder if b.is_zero() => return Err(nothing()),
                Binary::Divide => {
                    let kept = digits_of_quotient((left, a), (right, b), kept);
                    return a.div(b, kept).map(Value::Decimal).ok_or_else(out_of_range);
                }
                _ => return some(a.rem(b)).map(Value::Decimal),
            };
            let kept = made.and_then(|made| if made.scale() > kept { made.rescaled(kept) } else { Some(made) });
            kept.map(Value::Decimal).ok_or_else(out_of_range)
        }
        _ => {
            let (a, b) = (some(left.to_f64())?, some(right.to_f64())?);
            let made = match op {
                Binary::Add => a + b,
                Binary::Subtract => a - b,
                Binary::Multiply => a * b,
                _ if b == 0.0 => return Err(nothing()),
                Binary::Divide => a / b,
                _ => a % b,
            };
            if made.is_finite() { Ok(Value::Double(made)) } else { Err(out_of_range()) }
        }
    }
}

/// The digits that a quotient is calculated with: those of its type, but a time without a fraction of its second is a whole
/// number, whatever digits its type has.
fn digits_of_quotient(over: (&Value<'_>, Decimal), under: (&Value<'_>, Decimal), of_type: u8) -> u8 {
    let is_time = |value: &Value<'_>| matches!(value, Value::DateTime(..) | Value::Time(..));
    if !is_time(over.0) && !is_time(under.0) {
        return of_type;
    }
    let digits = |(value, number): (&Value<'_>, Decimal)| {
        let is_whole = || number.rem(Decimal::from(1_i64)).is_some_and(Decimal::is_zero);
        if is_time(value) && is_whole() { 0 } else { number.scale() }
    };
    quotient_digits(digits(over), digits(under)).min(of_type)
}

/// What comes of a division by 0.
fn nothing() -> Stop {
    warnings::division_by_zero();
    Stop::Null
}

fn wholes(op: Binary, left: &Value<'_>, right: &Value<'_>, data_type: Type, wrong: impl Fn() -> Stop) -> Outcome {
    let (a, b) = (some(left.to_whole())?, some(right.to_whole())?);
    let made = match op {
        Binary::Add => a.checked_add(b),
        Binary::Subtract => a.checked_sub(b),
        Binary::Multiply => a.checked_mul(b),
        _ if b == 0 => return Err(nothing()),
        _ => a.checked_rem(b),
    };
    whole(made.ok_or_else(&wrong)?, data_type, wrong)
}

fn whole(made: i128, data_type: Type, wrong: impl Fn() -> Stop) -> Outcome {
    match data_type {
        Type::UInt => u64::try_from(made).map(Value::UInt).map_err(|_| wrong()),
        _ => i64::try_from(made).map(Value::Int).map_err(|_| wrong()),
    }
}

fn divide_whole(left: &Value<'_>, right: &Value<'_>, data_type: Type, wrong: impl Fn() -> Stop) -> Outcome {
    // Doubles are decimals here: those that are too small for one are 0.
    let exact = |value: &Value<'_>| match some(value.to_number())? {
        Number::Exact(decimal) => Ok(decimal),
        double => Decimal::from_f64(double.to_f64()).ok_or_else(&wrong),
    };
    let (a, b) = (exact(left)?, exact(right)?);
    if b.is_zero() {
        return Err(nothing());
    }
    let made = some(a.div_whole(b))?.to_i128().ok_or_else(&wrong)?;
    whole(made, data_type, wrong)
}

impl ScalarUDFImpl for Arithmetic {
    fn name(&self) -> &str {
        "arithmetic"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let mut text = args.first().map_or_else(String::new, |first| format!("({first}"));
        for ((op, _), arg) in self.steps.iter().zip(args.iter().skip(1)) {
            text.push_str(&format!(" {} {arg}", op.typed()));
        }
        text.push(')');
        Ok(text)
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(given.to_vec())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns().arrow())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new("arithmetic", self.returns().arrow(), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        invoked(&args, |args, rows| self.evaluate(args, rows))
    }
}

impl PartialEq for Arithmetic {
    fn eq(&self, other: &Self) -> bool {
        self.steps == other.steps
    }
}

impl Eq for Arithmetic {}

impl Hash for Arithmetic {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.steps.hash(state);
    }
}
