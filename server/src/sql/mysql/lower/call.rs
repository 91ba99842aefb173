//! A call of an operator or a function as an expression of DataFusion's.

use arrow::datatypes::Date32Type;
use datafusion::common::{DFSchemaRef, Result, ScalarValue, plan_err};
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{Expr, Operator as Native, binary_expr};

use super::Lowering;
use super::compare::{alike, balanced, compare, in_list, is_number, of_one_kind, side};
use super::convert::{convert, literal_value, plain, truth};
use super::hexadecimal::{self, is_number_of};
use super::json::{holds_json, is_value, json_condition};
use super::types::{literal, null_of, type_of};
use crate::sql::mysql::arithmetic::Arithmetic;
use crate::sql::mysql::call::Evaluated;
use crate::sql::mysql::columns;
use crate::sql::mysql::comparison::{GREATEST, LEAST};
use crate::sql::mysql::conversion::{
    BIT_NOT, BITS, BYTES, CHARACTERS, DECIMAL, FINITE, JSON, NEGATE, SIGNED, TEMPORAL, UNSIGNED, YEAR,
};
use crate::sql::mysql::functions::definition::Argument;
use crate::sql::mysql::functions::zone::Zone;
use crate::sql::mysql::operator::{Binary, Operator, Target, rounded_up};
use crate::sql::mysql::planned::Callee;
use crate::sql::mysql::types::Type;
use crate::sql::mysql::value::{Clock, Value};

/// Functions that read a number as a time of day, with all the digits of its second.
const CLOCKS: [&str; 6] = ["extract", "hour", "microsecond", "minute", "second", "time_to_sec"];

/// Whether a function gets all digits of a quotient at a position: it reads a number or a time there, and no text.
fn is_calculated(name: &str, at: usize) -> bool {
    // A time shows as many digits as the number did.
    let is_shown = matches!(name, "sec_to_time" | "from_unixtime_in");
    CLOCKS.contains(&name) || (is_number_of(name, at) && !is_shown)
}

impl Lowering {
    /// A call with arguments that are lowered, and which of them are hexadecimal literals.
    pub(super) fn call(
        &mut self,
        callee: Callee,
        args: Vec<Expr>,
        hexadecimals: &[bool],
        schema: &DFSchemaRef,
    ) -> Result<Expr> {
        let mut args = self.closed(callee, args, schema)?;
        if holds_json(callee.name()) {
            let name = callee.name();
            let value = |(at, arg)| if is_value(name, at) { json_condition(arg, schema) } else { Ok(arg) };
            args = args.into_iter().enumerate().map(value).collect::<Result<_>>()?;
        }
        args = hexadecimal::as_numbers(callee, args, hexadecimals, schema)?;
        args = hexadecimal::as_text(callee, args, hexadecimals, schema)?;
        if let Callee::Function(definition) = callee {
            if definition.name == "field" {
                args = of_one_kind(args, schema)?;
            }
            let name = definition.name;
            let read = |(at, arg)| if is_calculated(name, at) { Ok(arg) } else { plain(arg, schema) };
            args = args.into_iter().enumerate().map(read).collect::<Result<_>>()?;
        }
        let known = args
            .iter()
            .map(|arg| Ok(Argument { data_type: type_of(arg, schema)?, constant: literal_value(arg)? }))
            .collect::<Result<Vec<_>>>()?;
        let returns = callee.returns(&known);
        let operator = match callee {
            Callee::Function(definition) => return Evaluated::call(definition, returns, args),
            Callee::Operator(operator) => operator,
        };
        let conditions = |args: Vec<Expr>| args.into_iter().map(|arg| truth(arg, schema)).collect::<Result<Vec<_>>>();
        match operator {
            Operator::Chain => chain(args, schema),
            Operator::Truth => truth(args.remove(0), schema),
            Operator::And => Ok(balanced(conditions(args)?, Native::And)),
            Operator::Or => Ok(balanced(conditions(args)?, Native::Or)),
            Operator::Xor => {
                let mut both = conditions(args)?;
                let right = both.remove(1);
                Ok(binary_expr(both.remove(0), Native::NotEq, right))
            }
            Operator::Not => Ok(Expr::Not(Box::new(truth(args.remove(0), schema)?))),
            Operator::Between => {
                let mut args = alike(args, schema)?;
                let (high, low, value) = (args.remove(2), args.remove(1), args.remove(0));
                let from = compare(value.clone(), Binary::GreaterOrEqual, low, schema)?;
                Ok(binary_expr(from, Native::And, compare(value, Binary::LessOrEqual, high, schema)?))
            }
            Operator::InList => {
                let value = args.remove(0);
                in_list(value, args, schema)
            }
            Operator::Case => case(args, returns, schema),
            Operator::Coalesce => {
                let last = args.pop().map(|last| convert(last, returns, schema)).transpose()?;
                let branch =
                    |arg: Expr| Ok((Box::new(arg.clone().is_not_null()), Box::new(convert(arg, returns, schema)?)));
                match args.is_empty() {
                    true => Ok(last.unwrap_or(literal(ScalarValue::Null))),
                    false => {
                        let branches = args.into_iter().map(branch).collect::<Result<_>>()?;
                        Ok(Expr::Case(Case::new(None, branches, last.map(Box::new))))
                    }
                }
            }
            Operator::NullIf => {
                let other = args.remove(1);
                let value = args.remove(0);
                // It is compared as a number, and stays what it is.
                let beside_number = hexadecimals[0] && is_number(type_of(&other, schema)?);
                let compared = if beside_number { hexadecimal::number_of(value.clone())? } else { value.clone() };
                let equal = compare(compared, Binary::Equal, other, schema)?;
                let nothing = null_of(&returns.arrow())?;
                let branches = vec![(Box::new(equal), Box::new(nothing))];
                Ok(Expr::Case(Case::new(None, branches, Some(Box::new(value)))))
            }
            Operator::Greatest | Operator::Least => {
                let function = if operator == Operator::Greatest { &GREATEST } else { &LEAST };
                // They are compared as values of the type that they return.
                let typed = args.into_iter().map(|arg| side(arg, returns, schema)).collect::<Result<_>>()?;
                Evaluated::call(function, returns, typed)
            }
            Operator::Cast => cast(args, schema),
            Operator::Summand | Operator::Double | Operator::Text => convert(args.remove(0), returns, schema),
            Operator::Total => match returns {
                Type::Double => Evaluated::call(&FINITE, returns, args),
                _ => Ok(args.remove(0)),
            },
            Operator::Signed => match known[0].data_type {
                Type::Int => Ok(args.remove(0)),
                _ => Evaluated::call(&SIGNED, returns, args),
            },
            Operator::Bits => Evaluated::call(&BITS, returns, args),
            Operator::Negate => Evaluated::call(&NEGATE, returns, args),
            Operator::BitNot => Evaluated::call(&BIT_NOT, returns, args),
            Operator::Now => self.now(&known),
        }
    }

    /// The arguments with the literals put back that cannot stay open: those that are not compared with a column of a type
    /// that they are of.
    fn closed(&self, callee: Callee, mut args: Vec<Expr>, schema: &DFSchemaRef) -> Result<Vec<Expr>> {
        let is_open = |expr: &Expr| matches!(expr, Expr::Placeholder(_));
        if !args.iter().any(is_open) {
            return Ok(args);
        }
        let beside = match (callee, args.as_slice()) {
            (Callee::Operator(Operator::Chain), [_, left, right]) => Some(if is_open(left) { right } else { left }),
            (Callee::Operator(Operator::Between), [value, ..]) => Some(value),
            _ => None,
        };
        let fits = match beside {
            Some(beside) => {
                let own = type_of(beside, schema)?;
                args.iter().filter(|arg| is_open(arg)).all(|arg| self.stays_open(arg, own))
            }
            None => false,
        };
        if !fits {
            for arg in &mut args {
                if let Expr::Placeholder(placeholder) = arg {
                    let Some(value) = self.literals.get(&placeholder.id) else {
                        return plan_err!("the value {} is not known", placeholder.id);
                    };
                    *arg = literal(value.clone());
                }
            }
        }
        Ok(args)
    }

    fn stays_open(&self, placeholder: &Expr, beside: Type) -> bool {
        let Expr::Placeholder(placeholder) = placeholder else { return false };
        matches!(
            (beside, self.literals.get(&placeholder.id)),
            (Type::Text, Some(ScalarValue::Utf8(_)))
                | (Type::Int, Some(ScalarValue::Int64(_)))
                | (Type::Double, Some(ScalarValue::Int64(_) | ScalarValue::Decimal128(..)))
                | (Type::UInt, Some(ScalarValue::Int64(_) | ScalarValue::UInt64(_)))
        )
    }

    /// The instant at which the statement began, in one of its forms.
    fn now(&mut self, args: &[Argument]) -> Result<Expr> {
        const DIGITS_MAX: i64 = 6;
        self.asked_for_now = true;
        let digits = args.get(1).and_then(Argument::constant_int).unwrap_or(0);
        let Some(digits) = u8::try_from(digits).ok().filter(|_| (0..=DIGITS_MAX).contains(&digits)) else {
            return plan_err!("now({digits}): the digits of a second are 0 to {DIGITS_MAX}");
        };
        let form = args
            .first()
            .and_then(|form| form.constant.as_ref())
            .and_then(|form| form.to_text().map(|t| t.into_owned()));
        let step = 10_i64.pow(u32::from(6 - digits));
        let micros = self.now.timestamp_micros();
        let micros = micros - micros.rem_euclid(step);
        let now = chrono::DateTime::from_timestamp_micros(micros).map(|now| now.naive_utc());
        let in_utc = form.as_deref().is_some_and(|form| form.starts_with("utc_"));
        let zone = if in_utc { Some(Zone::Fixed(0)) } else { Zone::parse(&self.zone) };
        let Some(now) = zone.zip(now).and_then(|(zone, now)| zone.local(now)) else {
            return plan_err!("the clock is out of its range");
        };
        let digits = rounded_up(digits);
        let (value, data_type) = match form.as_deref() {
            Some("date" | "utc_date") => {
                return Ok(literal(ScalarValue::Date32(Some(Date32Type::from_naive_date(now.date())))));
            }
            Some("time" | "utc_time") => (Value::Time(Clock::of_day(now.time()), digits), Type::Time(digits)),
            _ => (Value::DateTime(now, digits), Type::DateTime(digits)),
        };
        columns::literal(&value, data_type).map(literal)
    }
}

/// Comparisons in one chain that are planned as such.
const COMPARISONS_MAX: usize = 4;

/// Operators from left to right: arithmetic as far as it goes is one function.
fn chain(mut args: Vec<Expr>, schema: &DFSchemaRef) -> Result<Expr> {
    let ops = literal_value(&args.remove(0))?.and_then(|ops| ops.to_text().map(|ops| ops.into_owned()));
    let ops: Vec<Binary> = ops.unwrap_or_default().chars().map(Binary::of_sign).collect();
    let mut args = args.into_iter();
    let Some(mut left) = args.next() else { return plan_err!("an operator has no left side") };
    // Many comparisons of comparisons are values, not conditions: one function, so that the plan stays low.
    let as_values = ops.iter().filter(|op| op.is_comparison()).count() > COMPARISONS_MAX;
    let (mut steps, mut rest) = (Vec::new(), Vec::new());
    let mut left_type = type_of(&left, schema)?;
    for (op, right) in ops.into_iter().zip(args) {
        if op.is_comparison() && !as_values {
            if !steps.is_empty() {
                left = Arithmetic::call(left, std::mem::take(&mut steps), std::mem::take(&mut rest))?;
            }
            left = compare(left, op, right, schema)?;
            left_type = Type::Bool;
            continue;
        }
        let made = op.returns(left_type, type_of(&right, schema)?);
        let both_known = matches!((&left, &right), (Expr::Literal(..), Expr::Literal(..)));
        if both_known && steps.is_empty() {
            left = Arithmetic::call(left, vec![(op, made)], vec![right])?;
        } else {
            steps.push((op, made));
            rest.push(right);
        }
        left_type = made;
    }
    match steps.is_empty() {
        true => Ok(left),
        false => Arithmetic::call(left, steps, rest),
    }
}

fn case(mut args: Vec<Expr>, returns: Type, schema: &DFSchemaRef) -> Result<Expr> {
    let otherwise = match args.len() % 2 {
        1 => args.pop().map(|last| convert(last, returns, schema)).transpose()?,
        _ => None,
    };
    let mut branches = Vec::with_capacity(args.len() / 2);
    let mut args = args.into_iter();
    while let (Some(when), Some(then)) = (args.next(), args.next()) {
        branches.push((Box::new(truth(when, schema)?), Box::new(convert(then, returns, schema)?)));
    }
    Ok(Expr::Case(Case::new(None, branches, otherwise.map(Box::new))))
}

fn cast(mut args: Vec<Expr>, schema: &DFSchemaRef) -> Result<Expr> {
    let name =
        literal_value(&args[1])?.and_then(|name| name.to_text().map(|name| name.into_owned())).unwrap_or_default();
    let Some(target) = Target::parse(&name) else {
        return plan_err!(
            "CAST to {name} is not known; use SIGNED, UNSIGNED, CHAR, BINARY, DECIMAL(65,30) or less, DOUBLE, DATE, \
             DATETIME(6) or less, TIME or JSON"
        );
    };
    args.truncate(1);
    if matches!(target, Target::Char(_) | Target::Binary(_) | Target::Plain(Type::Json)) {
        args[0] = plain(args[0].clone(), schema)?;
    }
    let from = type_of(&args[0], schema)?;
    let returns = target.returns(from);
    if from == Type::Null {
        return null_of(&returns.arrow());
    }
    let count = |count: usize| literal(ScalarValue::Int64(i64::try_from(count).ok()));
    match target {
        Target::Signed if from == Type::Int => Ok(args.remove(0)),
        Target::Signed => Evaluated::call(&SIGNED, returns, args),
        Target::Unsigned => Evaluated::call(&UNSIGNED, returns, args),
        Target::Char(None) | Target::Binary(None) => convert(args.remove(0), returns, schema),
        Target::Char(Some(most)) => {
            args.push(count(most));
            Evaluated::call(&CHARACTERS, returns, args)
        }
        Target::Binary(Some(bytes)) => {
            args.push(count(bytes));
            Evaluated::call(&BYTES, returns, args)
        }
        Target::Year => Evaluated::call(&YEAR, returns, args),
        Target::Plain(Type::Decimal(..)) => Evaluated::call(&DECIMAL, returns, args),
        Target::Plain(Type::Json) if from == Type::Bool => json_condition(args.remove(0), schema),
        Target::Plain(Type::Json) => Evaluated::call(&JSON, returns, args),
        Target::Plain(temporal) if temporal.is_temporal() => Evaluated::call(&TEMPORAL, returns, args),
        Target::Plain(_) => convert(args.remove(0), returns, schema),
    }
}
