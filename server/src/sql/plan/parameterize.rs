//! Values that are left open in a plan.
//!
//! A literal that a column is compared with in a WHERE is left open; anywhere else its value may decide what is planned
//! (LIMIT, ORDER BY 1, the format of a date) or what a column is called. It is a placeholder while the logical plan is made,
//! and from then on a call of a function that only [`crate::sql::tables::parameter::fill`] replaces.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::expr::{Placeholder, ScalarFunction};
use datafusion::logical_expr::{Expr, LogicalPlan, ScalarUDF};
use datafusion::physical_plan::ExecutionPlan;
use sqlparser::ast::{Expr as AstExpr, SetExpr, Statement as Ast, Value, ValueWithSpan};

use crate::sql::mysql::operator::Operator;
use crate::sql::mysql::{expr, rewrite};
use crate::sql::syntax::fingerprint::{Fingerprint, Literal};
use crate::sql::tables::parameter::{Open, Parameter, is_open, values_of};
use crate::sql::tables::scan::TableScan;

/// Puts a placeholder for each literal that a column is compared with.
pub fn open(statement: &mut Ast, fingerprint: &Fingerprint) {
    if let Ast::Query(query) = statement {
        open_in(&mut query.body, fingerprint);
    }
}

fn open_in(body: &mut SetExpr, fingerprint: &Fingerprint) {
    match body {
        SetExpr::Select(select) => {
            if let Some(condition) = &mut select.selection {
                open_condition(condition, fingerprint);
            }
        }
        SetExpr::Query(query) => open_in(&mut query.body, fingerprint),
        SetExpr::SetOperation { left, right, .. } => {
            open_in(left, fingerprint);
            open_in(right, fingerprint);
        }
        _ => {}
    }
}

fn open_condition(condition: &mut AstExpr, fingerprint: &Fingerprint) {
    for part in rewrite::conjuncts(condition) {
        if let Some(mut sides) = expr::operands(part, Operator::Chain)
            && let [op, left, right] = sides.as_mut_slice()
            && is_comparison(op)
        {
            match (is_column(left), is_column(right)) {
                (true, _) => open_literal(right, fingerprint),
                (_, true) => open_literal(left, fingerprint),
                _ => {}
            }
        } else if let Some(mut sides) = expr::operands(part, Operator::Between)
            && let [value, low, high] = sides.as_mut_slice()
            && is_column(value)
        {
            open_literal(low, fingerprint);
            open_literal(high, fingerprint);
        }
    }
}

/// Whether the operator of a chain is one comparison.
fn is_comparison(op: &AstExpr) -> bool {
    match op {
        AstExpr::Value(ValueWithSpan { value: Value::SingleQuotedString(op), .. }) => {
            matches!(op.as_str(), "=" | "!" | "<" | "L" | ">" | "G")
        }
        _ => false,
    }
}

fn is_column(expr: &AstExpr) -> bool {
    matches!(expr, AstExpr::Identifier(_) | AstExpr::CompoundIdentifier(_))
}

fn open_literal(expr: &mut AstExpr, fingerprint: &Fingerprint) {
    let AstExpr::Value(ValueWithSpan { value, span }) = expr else { return };
    let literal = fingerprint.literals.iter().position(|literal| literal.at == span.start);
    // What cannot be put back in its place stays there.
    let literal = literal.filter(|literal| fingerprint.literals[*literal].scalar().is_some());
    if let Some(literal) = literal {
        *value = Value::Placeholder(format!("${}", literal + 1));
    }
}

/// The values of all literals that may be open, by the ids of their placeholders.
pub fn literals(fingerprint: &Fingerprint) -> HashMap<String, ScalarValue> {
    let literal = |(position, literal): (usize, &Literal)| Some((format!("${}", position + 1), literal.scalar()?));
    fingerprint.literals.iter().enumerate().filter_map(literal).collect()
}

/// The literal that a placeholder stands for.
fn literal_of(id: &str) -> Option<usize> {
    id.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1)
}

/// What a plan waits for, by literal; none if one of its placeholders is of no type, or of one that the literal is not.
pub fn parameters(plan: &LogicalPlan, fingerprint: &Fingerprint) -> Option<Vec<Parameter>> {
    let types: HashMap<String, Option<DataType>> = plan.get_parameter_types().ok()?;
    let mut parameters = types
        .into_iter()
        .map(|(id, data_type)| Some(Parameter { literal: literal_of(&id)?, data_type: data_type? }))
        .collect::<Option<Vec<_>>>()?;
    parameters.sort_by_key(|parameter| parameter.literal);
    values_of(&parameters, fingerprint).map(|_| parameters)
}

/// The plan with a call for each placeholder, once nothing of it is optimized any more.
pub fn called(plan: LogicalPlan, parameters: &[Parameter]) -> Result<LogicalPlan> {
    let called = plan.transform_up_with_subqueries(|node| {
        node.map_expressions(|expr| {
            expr.transform_up(|expr| {
                let Expr::Placeholder(Placeholder { id, .. }) = &expr else { return Ok(Transformed::no(expr)) };
                let position = parameters.iter().position(|parameter| Some(parameter.literal) == literal_of(id));
                let Some(position) = position else { return internal_err!("the placeholder {id} is of no parameter") };
                let function = Open::new(position, parameters[position].data_type.clone());
                let call = ScalarFunction::new_udf(Arc::new(ScalarUDF::from(function)), Vec::new());
                Ok(Transformed::yes(Expr::ScalarFunction(call)))
            })
        })
    });
    called.map(|called| called.data)
}

/// Whether the values are waited for by scans only: nothing else is bound.
pub fn are_in_scans(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let mut elsewhere = false;
    plan.apply(|node| {
        if node.downcast_ref::<TableScan>().is_none() {
            node.apply_expressions(&mut |expr| {
                elsewhere |= expr.exists(|part| Ok(is_open(part)))?;
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(!elsewhere)
}
