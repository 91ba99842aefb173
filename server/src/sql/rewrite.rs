//! MySQL's dialect as DataFusion's: the syntax tree is rewritten, never the text.
//!
//! What is only another name, another operator or another shape for something that DataFusion has is mended here. What
//! it has not is in `functions`. What MySQL answers with NULL and a warning (a division by 0, text that is no number)
//! is NULL.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, CastKind, CharacterLength, DataType, ExactNumberInfo, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, GroupByExpr, GroupByWithModifier, Ident, Interval, JoinConstraint,
    JoinOperator, ObjectName, ObjectNamePart, Query, Select, TableFactor, TimezoneInfo, UnaryOperator, Value, VisitMut,
    VisitorMut,
};

use super::Error;
use super::calls;
use super::functions::{INT_DIV, IS_TRUE, JSON_EXTRACT, JSON_UNQUOTE, TIME_ADD, TIME_PART, TO_SIGNED, TO_UNSIGNED};
use super::statement::variable_name;
use super::variables::{self, Context, Setting};

/// Rewrites all expressions of a statement or of a part of one.
pub fn to_datafusion(tree: &mut impl VisitMut, context: &Context<'_>) -> Result<(), Error> {
    match tree.visit(&mut Rewriter { context }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Rewriter<'a> {
    context: &'a Context<'a>,
}

impl VisitorMut for Rewriter<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        // Nothing is locked by reading one revision.
        query.locks.clear();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        let is_dual = |factor: &TableFactor| matches!(factor, TableFactor::Table { name, .. } if name.to_string().eq_ignore_ascii_case("dual"));
        if let [only] = select.from.as_slice()
            && only.joins.is_empty()
            && is_dual(&only.relation)
        {
            select.from.clear();
        }
        for condition in [&mut select.selection, &mut select.having].into_iter().flatten() {
            to_condition(condition);
        }
        for join in select.from.iter_mut().flat_map(|table| &mut table.joins) {
            if let Some(condition) = on(&mut join.join_operator) {
                to_condition(condition);
            }
        }
        if let GroupByExpr::Expressions(expressions, modifiers) = &mut select.group_by
            && modifiers.as_slice() == [GroupByWithModifier::Rollup]
        {
            let levels = std::mem::take(expressions).into_iter().map(|level| vec![level]).collect();
            *expressions = vec![Expr::Rollup(levels)];
            modifiers.clear();
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        // Its parts are rewritten already.
        let rewritten = match std::mem::replace(expr, null()) {
            Expr::Identifier(name) if name.value.starts_with('@') => variable(&name.value, self.context),
            Expr::CompoundIdentifier(parts) if parts[0].value.starts_with("@@") => {
                let name: Vec<_> = parts.iter().map(|part| part.value.as_str()).collect();
                variable(&name.join("."), self.context)
            }
            Expr::Function(function) => calls::rewrite(function, self.context),
            Expr::BinaryOp { left, op, right } => Ok(binary(*left, op, *right)),
            Expr::UnaryOp { op: UnaryOperator::BangNot | UnaryOperator::Not, mut expr } => {
                to_condition(&mut expr);
                Ok(Expr::UnaryOp { op: UnaryOperator::Not, expr })
            }
            Expr::Case { operand: None, mut conditions, else_result, case_token, end_token } => {
                conditions.iter_mut().for_each(|when| to_condition(&mut when.condition));
                Ok(Expr::Case { operand: None, conditions, else_result, case_token, end_token })
            }
            Expr::RLike { negated, expr, pattern, .. } => {
                let op = if negated { BinaryOperator::PGRegexNotMatch } else { BinaryOperator::PGRegexMatch };
                Ok(Expr::BinaryOp { left: expr, op, right: pattern })
            }
            Expr::Cast { expr, data_type, .. } => Ok(cast(*expr, data_type)),
            Expr::Convert { expr, data_type: Some(data_type), .. } => Ok(cast(*expr, data_type)),
            // All text is UTF-8, and compared by its bytes.
            Expr::Convert { expr, .. } | Expr::Collate { expr, .. } => Ok(*expr),
            Expr::Substring { expr, substring_from: Some(from), substring_for, .. } => {
                let parts = [*expr, *from].into_iter().chain(substring_for.map(|length| *length));
                Ok(call("substr", parts.collect()))
            }
            Expr::Extract { field, expr, .. } => {
                Ok(call(TIME_PART, vec![text(&field.to_string().to_uppercase()), *expr]))
            }
            other => Ok(other),
        };
        match rewritten {
            Ok(rewritten) => {
                *expr = rewritten;
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    match (op, left, right) {
        // Whole numbers divide to fractions, and by 0 to NULL.
        (BinaryOperator::Divide, left, right) => divide(left, right),
        (BinaryOperator::MyIntegerDivide, left, right) => call(INT_DIV, vec![left, right]),
        (BinaryOperator::Modulo, left, right) => operate_not_zero(left, BinaryOperator::Modulo, right),
        (BinaryOperator::StringConcat, left, right) => joined(left, right),
        (BinaryOperator::Xor, left, right) => operate(condition(left), BinaryOperator::NotEq, condition(right)),
        (op @ (BinaryOperator::And | BinaryOperator::Or), left, right) => {
            operate(condition(left), op, condition(right))
        }
        (BinaryOperator::Arrow, left, right) => call(JSON_EXTRACT, vec![left, right]),
        (BinaryOperator::LongArrow, left, right) => call(JSON_UNQUOTE, vec![call(JSON_EXTRACT, vec![left, right])]),
        (BinaryOperator::Plus, time, Expr::Interval(interval)) => add_interval(time, interval, false),
        (BinaryOperator::Plus, Expr::Interval(interval), time) => add_interval(time, interval, false),
        (BinaryOperator::Minus, time, Expr::Interval(interval)) => add_interval(time, interval, true),
        (op, left, right) => operate(left, op, right),
    }
}

/// `a || b || c` is one call: nested ones would take planning the cube of their number.
fn joined(mut left: Expr, right: Expr) -> Expr {
    if let Expr::Function(function) = &mut left
        && function.name == object_name("concat")
        && let FunctionArguments::List(list) = &mut function.args
    {
        list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Expr(right)));
        return left;
    }
    call("concat", vec![left, right])
}

fn operate(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

fn divide(left: Expr, right: Expr) -> Expr {
    let double = |expr| cast(expr, DataType::Double(ExactNumberInfo::None));
    operate(double(left), BinaryOperator::Divide, not_zero(double(right)))
}

/// `left op right`, NULL where the right side is 0.
pub fn operate_not_zero(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    operate(left, op, not_zero(right))
}

fn not_zero(expr: Expr) -> Expr {
    call("nullif", vec![expr, number("0")])
}

/// `time + INTERVAL count unit`, or minus.
pub fn add_interval(time: Expr, interval: Interval, negative: bool) -> Expr {
    let unit = interval.leading_field.map_or_else(|| "DAY".to_owned(), |field| field.to_string().to_uppercase());
    add_units(time, *interval.value, &unit, negative)
}

/// So many units later, or earlier.
pub fn add_units(time: Expr, count: Expr, unit: &str, negative: bool) -> Expr {
    let count = match negative {
        true => operate(cast(count, DataType::Double(ExactNumberInfo::None)), BinaryOperator::Multiply, number("-1")),
        false => count,
    };
    call(TIME_ADD, vec![time, count, text(unit)])
}

/// A cast that gives NULL where the value does not fit, to DataFusion's type of that name.
pub fn cast(expr: Expr, data_type: DataType) -> Expr {
    let data_type = match data_type {
        DataType::Datetime(_) | DataType::Timestamp(_, TimezoneInfo::None) => {
            DataType::Timestamp(Some(6), TimezoneInfo::None)
        }
        DataType::Double(_) => DataType::Double(ExactNumberInfo::None),
        DataType::Char(Some(CharacterLength::IntegerLength { length, .. }))
        | DataType::Varchar(Some(CharacterLength::IntegerLength { length, .. })) => {
            return call("left", vec![cast(expr, DataType::Text), number(&length.to_string())]);
        }
        DataType::Char(_) | DataType::Varchar(_) | DataType::JSON => DataType::Text,
        other => match other.to_string().to_uppercase().as_str() {
            "SIGNED" | "SIGNED INTEGER" => return call(TO_SIGNED, vec![expr]),
            "UNSIGNED" | "UNSIGNED INTEGER" => return call(TO_UNSIGNED, vec![expr]),
            _ => other,
        },
    };
    Expr::Cast { kind: CastKind::TryCast, expr: Box::new(expr), data_type, array: false, format: None }
}

/// What stands where a condition has to: a number is one, too, and true if it is not 0.
pub fn to_condition(expr: &mut Expr) {
    match expr {
        Expr::Nested(inner) => to_condition(inner),
        Expr::Value(value) => {
            if let Value::Number(number, _) = &value.value {
                *expr = Expr::Value(Value::Boolean(number.parse::<f64>() != Ok(0.0)).into());
            }
        }
        visible if is_condition(visible) => {}
        other => *other = call(IS_TRUE, vec![std::mem::replace(other, null())]),
    }
}

fn condition(mut expr: Expr) -> Expr {
    to_condition(&mut expr);
    expr
}

/// Whether an expression is visibly true, false or NULL.
pub fn is_condition(expr: &Expr) -> bool {
    use BinaryOperator::{And, Eq, Gt, GtEq, Lt, LtEq, NotEq, Or, PGRegexMatch, PGRegexNotMatch, Spaceship, Xor};
    match expr {
        Expr::Nested(inner) => is_condition(inner),
        Expr::BinaryOp { op, .. } => {
            matches!(
                op,
                And | Or | Xor | Eq | NotEq | Lt | LtEq | Gt | GtEq | Spaceship | PGRegexMatch | PGRegexNotMatch
            )
        }
        Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::InList { .. }
        | Expr::InSubquery { .. }
        | Expr::Exists { .. }
        | Expr::Between { .. }
        | Expr::Like { .. }
        | Expr::ILike { .. }
        | Expr::RLike { .. } => true,
        Expr::UnaryOp { op: UnaryOperator::Not | UnaryOperator::BangNot, .. } => true,
        _ => false,
    }
}

/// The condition of a join.
fn on(join: &mut JoinOperator) -> Option<&mut Expr> {
    use JoinOperator::{CrossJoin, FullOuter, Inner, Join, Left, LeftOuter, Right, RightOuter, StraightJoin};
    match join {
        Join(constraint)
        | Inner(constraint)
        | Left(constraint)
        | LeftOuter(constraint)
        | Right(constraint)
        | RightOuter(constraint)
        | FullOuter(constraint)
        | CrossJoin(constraint)
        | StraightJoin(constraint) => match constraint {
            JoinConstraint::On(condition) => Some(condition),
            _ => None,
        },
        _ => None,
    }
}

fn variable(typed: &str, context: &Context<'_>) -> Result<Expr, Error> {
    Ok(match variables::get(&variable_name(typed)?, context)? {
        Setting::Null => null(),
        Setting::Number(value) => number(&value),
        Setting::Text(value) => text(&value),
    })
}

/// A call of a function by its name.
pub fn call(name: &str, args: Vec<Expr>) -> Expr {
    let args = args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect();
    let list = FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() };
    Expr::Function(Function {
        name: object_name(name),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// A name of one part.
pub fn object_name(name: &str) -> ObjectName {
    ObjectName(vec![ObjectNamePart::Identifier(Ident::new(name))])
}

/// A text literal.
pub fn text(value: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(value.to_owned()).into())
}

/// A number literal.
pub fn number(value: &str) -> Expr {
    Expr::Value(Value::Number(value.to_owned(), false).into())
}

/// NULL.
pub fn null() -> Expr {
    Expr::Value(Value::Null.into())
}
