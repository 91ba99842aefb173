//! MySQL's dialect as one that DataFusion plans: the syntax tree is rewritten, never the text.
//!
//! Operators become calls of ours ([`super::operator`]), for their types are known only when there are columns. What is
//! only another name or another shape for something that there is, is mended here.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, JoinConstraint, JoinOperator, LimitClause, Query, Select, SetExpr, TableFactor,
    TrimWhereField, UnaryOperator, Value, ValueWithSpan, VisitMut, VisitorMut,
};

use super::binary::{binary, in_list, nested};
use super::calls;
use super::expr::{call, condition, constraint, null, number, operands, operate, operator, text, to_condition};
use super::operator::{Binary, Operator};
use super::shapes::{self, Quantifier};
use crate::sql::Error;
use crate::sql::syntax::names::variable_name;
use crate::sql::variables::{self, Context, Setting};

/// Rewrites all expressions of a statement or of a part of one.
pub fn to_datafusion(tree: &mut impl VisitMut, context: &Context<'_>) -> Result<(), Error> {
    match tree.visit(&mut Rewriter { context, depth: 0 }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// A number of rows that no result has: an offset may be added to it.
const ROWS_ALL: i64 = i64::MAX / 2;

struct Rewriter<'a> {
    context: &'a Context<'a>,
    /// Queries around.
    depth: usize,
}

impl VisitorMut for Rewriter<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        // Nothing is locked by reading one revision.
        query.locks.clear();
        let limits = match &mut query.limit_clause {
            Some(LimitClause::LimitOffset { limit, .. }) => limit.as_mut(),
            Some(LimitClause::OffsetCommaLimit { limit, .. }) => Some(limit),
            None => None,
        };
        if let Some(Expr::Value(ValueWithSpan { value: Value::Number(digits, _), .. })) = limits
            && digits.parse::<u64>().is_ok_and(|most| i64::try_from(most).is_err())
        {
            // "All": no result has so many rows.
            *digits = ROWS_ALL.to_string();
        }
        self.depth += 1;
        if self.depth > 1 {
            shapes::name_as_typed(query);
        }
        shapes::having(query);
        shapes::distinct(query);
        shapes::ordered(query);
        match set_operations(&mut query.body) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<Error> {
        self.depth -= 1;
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
        for part in [&mut select.selection, &mut select.having].into_iter().flatten() {
            to_condition(part);
        }
        for join in select.from.iter_mut().flat_map(|table| &mut table.joins) {
            if let JoinOperator::StraightJoin(constraint) = &join.join_operator {
                join.join_operator = JoinOperator::Inner(constraint.clone());
            }
            if let Some(JoinConstraint::On(part)) = constraint(&mut join.join_operator) {
                to_condition(part);
            }
        }
        shapes::rollup(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match expr {
            Expr::BinaryOp { left, op: BinaryOperator::Assignment, .. } => ControlFlow::Break(Error::Invalid(format!(
                "{left} := … inside a statement is not there; assign with SET {left} = … before it"
            ))),
            _ => ControlFlow::Continue(()),
        }
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        // Its parts are rewritten already.
        match rewritten(std::mem::replace(expr, null()), self.context) {
            Ok(made) => {
                *expr = made;
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// All set operations of a body that are of several equal rows.
fn set_operations(body: &mut SetExpr) -> Result<(), Error> {
    if let SetExpr::SetOperation { left, right, .. } = body {
        set_operations(left)?;
        set_operations(right)?;
    }
    shapes::numbered_set_operation(body)
}

fn negated(expr: Expr, negated: bool) -> Expr {
    if negated { operator(Operator::Not, vec![expr]) } else { expr }
}

fn rewritten(expr: Expr, context: &Context<'_>) -> Result<Expr, Error> {
    Ok(match expr {
        Expr::Identifier(name) if name.value.starts_with('@') => variable(&name.value, context)?,
        Expr::Identifier(name) if name.quote_style.is_none() && calls::is_bare(&name.value) => {
            call_bare(&name.value, context)?
        }
        Expr::CompoundIdentifier(parts) if parts[0].value.starts_with("@@") => {
            let name: Vec<_> = parts.iter().map(|part| part.value.as_str()).collect();
            variable(&name.join("."), context)?
        }
        Expr::Value(ValueWithSpan { value: Value::Number(digits, _), .. }) if digits.contains(['e', 'E']) => {
            operator(Operator::Double, vec![text(&digits)])
        }
        Expr::Prefixed { value, .. } => *value,
        Expr::Function(function) => calls::rewrite(function, context)?,
        Expr::BinaryOp { left, op, right } => binary(*left, op, *right)?,
        Expr::UnaryOp { op, expr } => unary(op, *expr)?,
        Expr::IsTrue(expr) => Expr::IsTrue(Box::new(condition(*expr))),
        Expr::IsNotTrue(expr) => Expr::IsNotTrue(Box::new(condition(*expr))),
        Expr::IsFalse(expr) => Expr::IsFalse(Box::new(condition(*expr))),
        Expr::IsNotFalse(expr) => Expr::IsNotFalse(Box::new(condition(*expr))),
        Expr::IsUnknown(expr) => Expr::IsNull(expr),
        Expr::IsNotUnknown(expr) => Expr::IsNotNull(expr),
        Expr::Case { operand, conditions, else_result, .. } => {
            let mut args = Vec::with_capacity(2 * conditions.len() + 1);
            for when in conditions {
                args.push(match &operand {
                    Some(operand) => operate(nested(operand.as_ref().clone()), Binary::Equal, when.condition),
                    None => when.condition,
                });
                args.push(when.result);
            }
            args.extend(else_result.map(|otherwise| *otherwise));
            operator(Operator::Case, args)
        }
        Expr::Between { expr, negated: not, low, high } => {
            negated(operator(Operator::Between, vec![*expr, *low, *high]), not)
        }
        Expr::InList { expr, list, negated: not } => negated(in_list(*expr, list)?, not),
        Expr::InSubquery { expr, subquery, negated: not } if matches!(*expr, Expr::Tuple(_)) => {
            negated(shapes::quantified(*expr, &BinaryOperator::Eq, Quantifier::Any, *subquery)?, not)
        }
        Expr::AnyOp { left, compare_op, right, .. } => {
            shapes::quantified(*left, &compare_op, Quantifier::Any, subquery(*right)?)?
        }
        Expr::AllOp { left, compare_op, right } => {
            shapes::quantified(*left, &compare_op, Quantifier::All, subquery(*right)?)?
        }
        Expr::Like { negated: not, expr, pattern, escape_char, .. } => {
            let escape = match escape_char.map(|escape| escape.value) {
                None => "\\".to_owned(),
                Some(Value::SingleQuotedString(escape) | Value::DoubleQuotedString(escape))
                    if escape.chars().count() <= 1 =>
                {
                    escape
                }
                Some(other) => return Err(Error::Invalid(format!("ESCAPE {other} is not one character"))),
            };
            negated(call("like", vec![*expr, *pattern, text(&escape)]), not)
        }
        Expr::RLike { negated: not, expr, pattern, .. } => negated(call("regexp_like", vec![*expr, *pattern]), not),
        Expr::Cast { expr, data_type, .. } => operator(Operator::Cast, vec![*expr, text(&data_type.to_string())]),
        Expr::Convert { expr, data_type: Some(data_type), .. } => {
            operator(Operator::Cast, vec![*expr, text(&data_type.to_string())])
        }
        Expr::TypedString(typed) => match typed.value.value.into_string() {
            Some(value) => operator(Operator::Cast, vec![text(&value), text(&typed_name(&typed.data_type, &value))]),
            None => return Err(Error::Invalid(format!("{} takes a text", typed.data_type))),
        },
        // All text is UTF-8, and compared by its bytes.
        Expr::Convert { expr, .. } => operator(Operator::Text, vec![*expr]),
        Expr::Collate { expr, .. } => *expr,
        Expr::Substring { expr, substring_from: Some(from), substring_for, .. } => {
            let parts = [*expr, *from].into_iter().chain(substring_for.map(|length| *length));
            call("substr", parts.collect())
        }
        Expr::Position { expr, r#in } => call("locate", vec![*expr, *r#in]),
        Expr::Trim { expr, trim_where, trim_what, .. } => {
            let name = match trim_where {
                Some(TrimWhereField::Leading) => "trim_leading",
                Some(TrimWhereField::Trailing) => "trim_trailing",
                Some(TrimWhereField::Both) | None => "trim_both",
            };
            call(name, vec![*expr, trim_what.map_or_else(|| text(" "), |what| *what)])
        }
        Expr::Ceil { expr, .. } => call("ceil", vec![*expr]),
        Expr::Floor { expr, .. } => call("floor", vec![*expr]),
        Expr::Extract { field, expr, .. } => call("extract", vec![text(&field.to_string().to_uppercase()), *expr]),
        Expr::MemberOf(member) => {
            call("json_contains", vec![*member.array, operator(Operator::Cast, vec![*member.value, text("JSON")])])
        }
        other => other,
    })
}

fn call_bare(name: &str, context: &Context<'_>) -> Result<Expr, Error> {
    match call(name, Vec::new()) {
        Expr::Function(function) => calls::rewrite(function, context),
        other => Ok(other),
    }
}

/// The query that ANY and ALL compare with.
fn subquery(expr: Expr) -> Result<Query, Error> {
    match expr {
        Expr::Subquery(query) => Ok(*query),
        Expr::Nested(inner) => subquery(*inner),
        other => Err(Error::Invalid(format!("ANY and ALL take a subquery, not {other}"))),
    }
}

/// `TIMESTAMP '…'` has the digits of a second that its text has.
fn typed_name(data_type: &sqlparser::ast::DataType, value: &str) -> String {
    let name = data_type.to_string().to_uppercase();
    let digits = value.rsplit_once('.').map_or(0, |(_, fraction)| fraction.len().min(6));
    match name.as_str() {
        "TIMESTAMP" | "DATETIME" | "TIME" if digits > 0 => format!("{name}({digits})"),
        _ => name,
    }
}

fn unary(op: UnaryOperator, expr: Expr) -> Result<Expr, Error> {
    Ok(match op {
        UnaryOperator::BangNot | UnaryOperator::Not => operator(Operator::Not, vec![expr]),
        UnaryOperator::Minus => operator(Operator::Negate, vec![expr]),
        UnaryOperator::Plus => nested(expr),
        UnaryOperator::BitwiseNot => operator(Operator::BitNot, vec![expr]),
        other => return Err(Error::Invalid(format!("the operator {other} is not known"))),
    })
}

fn variable(typed: &str, context: &Context<'_>) -> Result<Expr, Error> {
    Ok(match variables::get(&variable_name(typed)?, context)? {
        Setting::Null => null(),
        Setting::Number(value) => match value.strip_prefix('-') {
            Some(positive) => operator(Operator::Negate, vec![number(positive)]),
            None if value.contains(['e', 'E']) => operator(Operator::Double, vec![text(&value)]),
            None => number(&value),
        },
        Setting::Text(value) => text(&value),
    })
}

/// The conjuncts of a condition that was rewritten, for who looks at it before it is planned.
pub fn conjuncts(condition: &mut Expr) -> Vec<&mut Expr> {
    // Two looks: a tree that is none of these is given back whole.
    for op in [Operator::Truth, Operator::And, Operator::Or] {
        if operands(condition, op).is_some() {
            return operands(condition, op).unwrap_or_default().into_iter().flat_map(conjuncts).collect();
        }
    }
    if matches!(condition, Expr::Nested(_)) {
        return match condition {
            Expr::Nested(inner) => conjuncts(inner),
            _ => Vec::new(),
        };
    }
    vec![condition]
}
