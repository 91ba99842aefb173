//! MySQL's dialect as DataFusion's: the syntax tree is rewritten, never the text.
//!
//! What is only another name, another operator or another shape for something that DataFusion has is mended here. What
//! it has not is in `functions`. What MySQL answers with NULL and a warning (a division by 0, text that is no number)
//! is NULL.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DataType, ExactNumberInfo, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr,
    GroupByWithModifier, JoinConstraint, JoinOperator, Query, Select, TableFactor, UnaryOperator, VisitMut, VisitorMut,
};

use super::calls;
use super::expr::{
    add_interval, call, cast, condition, not_zero, null, number, object_name, operate, operate_not_zero, text,
    to_condition,
};
use super::functions::{INT_DIV, JSON_EXTRACT, JSON_UNQUOTE, TIME_PART};
use crate::sql::Error;
use crate::sql::syntax::names::variable_name;
use crate::sql::variables::{self, Context, Setting};

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

fn divide(left: Expr, right: Expr) -> Expr {
    let double = |expr| cast(expr, DataType::Double(ExactNumberInfo::None));
    operate(double(left), BinaryOperator::Divide, not_zero(double(right)))
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
