//! Comparisons: both sides in one form, and then DataFusion's own operator wherever there is such a form.

use std::sync::Arc;

use datafusion::common::{Column, DFSchema, DFSchemaRef, Result, ScalarValue, plan_err};
use datafusion::logical_expr::expr::{Case, InList, InSubquery, Placeholder};
use datafusion::logical_expr::{Expr, LogicalPlan, Operator as Native, Projection, Subquery, binary_expr};
use std::collections::VecDeque;

use super::convert::{convert, literal_value, plain};
use super::types::{literal, null_of, type_of};
use crate::sql::mysql::call::Evaluated;
use crate::sql::mysql::columns;
use crate::sql::mysql::comparison::{
    EQUAL, Form, GREATER, GREATER_OR_EQUAL, JSON_KEY, JSON_SCALAR, LESS, LESS_OR_EQUAL, MOMENT, NOT_EQUAL, NUMERIC_KEY,
    form,
};
use crate::sql::mysql::conversion::SIGNED;
use crate::sql::mysql::operator::Binary;
use crate::sql::mysql::types::Type;
use crate::sql::mysql::value::{Number, Value, leading_number};

/// `left op right`. What has no column stands on the right: DataFusion takes `2 = v` and `v = 2` for two conditions that
/// cannot both hold (docs/decisions/0030).
pub fn compare(left: Expr, op: Binary, right: Expr, schema: &DFSchema) -> Result<Expr> {
    let is_turned = left.column_refs().is_empty() && !right.column_refs().is_empty();
    let (left, op, right) = if is_turned { (right, op.turned(), left) } else { (left, op, right) };
    let (left, right) = (plain(left, schema)?, plain(right, schema)?);
    let (left, right) = known(left, right, schema)?;
    let (type_left, type_right) = (type_of(&left, schema)?, type_of(&right, schema)?);
    // A value that is left open has the type of what it is compared with.
    if let Some((left, right)) = opened(&left, type_left, &right, type_right) {
        return Ok(binary_expr(left, native(op), right));
    }
    if (type_left == Type::Null || type_right == Type::Null) && op != Binary::Same {
        return null_of(&Type::Bool.arrow());
    }
    match form(type_left, type_right) {
        Form::Typed(common) if op == Binary::Same => {
            same(side(left, common, schema)?, side(right, common, schema)?, common)
        }
        Form::Typed(common) => Ok(binary_expr(side(left, common, schema)?, native(op), side(right, common, schema)?)),
        keyed @ (Form::ExactOrText | Form::Json) => match op {
            Binary::Same => same(key(left, keyed)?, key(right, keyed)?, Type::Text),
            Binary::Equal | Binary::NotEqual => Ok(binary_expr(key(left, keyed)?, native(op), key(right, keyed)?)),
            _ => {
                let function = match op {
                    Binary::Less => &LESS,
                    Binary::LessOrEqual => &LESS_OR_EQUAL,
                    Binary::Greater => &GREATER,
                    Binary::GreaterOrEqual => &GREATER_OR_EQUAL,
                    Binary::NotEqual => &NOT_EQUAL,
                    _ => &EQUAL,
                };
                Evaluated::call(function, Type::Bool, vec![left, right])
            }
        },
    }
}

/// `left <=> right`. Between columns it is two equalities of values that are never NULL: DataFusion mixes up joins by `=` and
/// by `IS NOT DISTINCT FROM` when it puts several into one (docs/decisions/0029).
fn same(left: Expr, right: Expr, common: Type) -> Result<Expr> {
    if left.column_refs().is_empty() || right.column_refs().is_empty() {
        return Ok(binary_expr(left, Native::IsNotDistinctFrom, right));
    }
    let none = columns::literal(&Value::text(String::new()), common).map(literal)?;
    let none = if common.has_date() { literal(ScalarValue::new_zero(&common.arrow())?) } else { none };
    let filled = |side: &Expr| {
        let branches = vec![(Box::new(side.clone().is_null()), Box::new(none.clone()))];
        Expr::Case(Case::new(None, branches, Some(Box::new(side.clone()))))
    };
    let values = binary_expr(filled(&left), Native::Eq, filled(&right));
    Ok(binary_expr(binary_expr(left.is_null(), Native::Eq, right.is_null()), Native::And, values))
}

/// A side of a comparison. Text that is no time is before all times.
pub fn side(expr: Expr, common: Type, schema: &DFSchema) -> Result<Expr> {
    let own = type_of(&expr, schema)?;
    match own {
        own if common.has_date() && own.is_textual() => Evaluated::call(&MOMENT, common, vec![expr]),
        Type::Json if common != Type::Json => Evaluated::call(&JSON_SCALAR, common, vec![expr]),
        _ => convert(expr, common, schema),
    }
}

/// Several values compared with each other, as BETWEEN does: all are doubles if one is, or if text stands beside a number.
pub fn alike(exprs: Vec<Expr>, schema: &DFSchema) -> Result<Vec<Expr>> {
    let types = exprs.iter().map(|expr| type_of(expr, schema)).collect::<Result<Vec<_>>>()?;
    let is_of = |wanted: fn(Type) -> bool| types.iter().any(|one| wanted(*one));
    let are_doubles = is_of(|one| one == Type::Double) || (is_of(Type::is_textual) && is_of(is_number));
    if !are_doubles || is_of(Type::is_temporal) {
        return Ok(exprs);
    }
    // NULL and what is left open have no type, and keep none.
    let double = |(expr, own): (Expr, &Type)| match own.is_textual() || is_number(*own) {
        true => convert(expr, Type::Double, schema),
        false => Ok(expr),
    };
    exprs.into_iter().zip(&types).map(double).collect()
}

/// Both sides of an equality, each by itself: for joins.
pub fn comparable(left: Expr, right: Expr, schema: &DFSchema) -> Result<(Expr, Expr)> {
    let (left, right) = (plain(left, schema)?, plain(right, schema)?);
    let (type_left, type_right) = (type_of(&left, schema)?, type_of(&right, schema)?);
    Ok(match form(type_left, type_right) {
        Form::Typed(common) => (side(left, common, schema)?, side(right, common, schema)?),
        keyed => (key(left, keyed)?, key(right, keyed)?),
    })
}

fn key(expr: Expr, form: Form) -> Result<Expr> {
    let function = if form == Form::Json { &JSON_KEY } else { &NUMERIC_KEY };
    Evaluated::call(function, Type::Text, vec![expr])
}

fn native(op: Binary) -> Native {
    match op {
        Binary::NotEqual => Native::NotEq,
        Binary::Less => Native::Lt,
        Binary::LessOrEqual => Native::LtEq,
        Binary::Greater => Native::Gt,
        Binary::GreaterOrEqual => Native::GtEq,
        Binary::Same => Native::IsNotDistinctFrom,
        _ => Native::Eq,
    }
}

/// A literal that is compared with a value of another kind becomes one of that kind at once: text the number that it begins
/// with, a number the time that its digits are.
fn known(left: Expr, right: Expr, schema: &DFSchema) -> Result<(Expr, Expr)> {
    let (type_left, type_right) = (type_of(&left, schema)?, type_of(&right, schema)?);
    let fitted = |expr: Expr, own: Type, other: Type| -> Result<Expr> {
        let Some(value) = literal_value(&expr)? else { return Ok(expr) };
        if let Value::Text(text) = &value
            && other.has_date()
            && value.to_datetime().is_none()
        {
            return plan_err!("{text:?} is no time; write one as '2024-03-01 12:00:00'");
        }
        let fitted = match &value {
            Value::Text(text) if is_number(other) => match leading_number(text).0 {
                Number::Exact(decimal) if other != Type::Double => {
                    if decimal.scale() == 0 {
                        whole(decimal)
                    } else {
                        Value::Decimal(decimal)
                    }
                }
                number => Value::Double(number.to_f64()),
            },
            Value::Int(_) | Value::UInt(_) | Value::Decimal(_) if other.has_date() => match value.to_datetime() {
                Some((time, digits)) => Value::DateTime(time, crate::sql::mysql::operator::rounded_up(digits)),
                None => value.clone(),
            },
            // A literal that the other type holds is one of it: a comparison of a column with its own type is what pruning
            // and indexes know.
            Value::Int(number) if other == Type::UInt => u64::try_from(*number).map_or(value.clone(), Value::UInt),
            Value::Decimal(decimal) if matches!(other, Type::Int | Type::UInt | Type::Bool) => {
                match decimal.truncated(0) == *decimal {
                    true => whole(decimal.truncated(0)),
                    false => value.clone(),
                }
            }
            _ => return Ok(expr),
        };
        let data_type = match (&fitted, own) {
            (Value::Int(_), _) => Type::Int,
            (Value::UInt(_), _) => Type::UInt,
            (Value::Double(_), _) => Type::Double,
            (Value::Decimal(decimal), _) => {
                Type::Decimal(decimal.digits().max(decimal.scale()).max(1), decimal.scale())
            }
            (Value::DateTime(_, digits), _) => Type::DateTime(*digits),
            (_, own) => own,
        };
        columns::literal(&fitted, data_type).map(|literal| Expr::Literal(literal, None))
    };
    Ok((fitted(left, type_left, type_right)?, fitted(right, type_right, type_left)?))
}

/// What FIELD compares: all texts, all numbers, or else all as doubles; a literal NULL is none of the numbers.
pub fn of_one_kind(args: Vec<Expr>, schema: &DFSchema) -> Result<Vec<Expr>> {
    let types = args.iter().map(|arg| type_of(arg, schema)).collect::<Result<Vec<_>>>()?;
    let is_text = |one: &Type| one.is_textual() || *one == Type::Null;
    let is_mixed = types.iter().any(|one| is_number(*one)) && types.iter().any(is_text);
    if is_mixed {
        return args.into_iter().map(|arg| convert(arg, Type::Double, schema)).collect();
    }
    let is_whole = |one: &Type| matches!(one, Type::Bool | Type::Int | Type::UInt);
    if !types.iter().all(is_whole) || types.iter().all(|one| *one == Type::UInt) {
        return Ok(args);
    }
    // MySQL reads all as BIGINT, where what is past its end is below 0.
    let signed = |(arg, one)| if one == Type::UInt { Evaluated::call(&SIGNED, Type::Int, vec![arg]) } else { Ok(arg) };
    args.into_iter().zip(types).map(signed).collect()
}

/// Whether a type is of numbers.
pub fn is_number(data_type: Type) -> bool {
    matches!(data_type, Type::Bool | Type::Int | Type::UInt | Type::Decimal(..) | Type::Double)
}

fn whole(decimal: crate::sql::mysql::value::Decimal) -> Value<'static> {
    match decimal.unscaled().to_i128() {
        Some(whole) => match (i64::try_from(whole), u64::try_from(whole)) {
            (Ok(whole), _) => Value::Int(whole),
            (_, Ok(whole)) => Value::UInt(whole),
            _ => Value::Decimal(decimal),
        },
        None => Value::Decimal(decimal),
    }
}

/// A value that is left open beside a column whose values it can be.
fn opened(left: &Expr, type_left: Type, right: &Expr, type_right: Type) -> Option<(Expr, Expr)> {
    let fits = |data_type: Type| matches!(data_type, Type::Int | Type::UInt | Type::Double | Type::Text);
    let open = |expr: &Expr, data_type: Type| match expr {
        Expr::Placeholder(Placeholder { id, field: None }) if fits(data_type) => {
            let field = Arc::new(arrow::datatypes::Field::new("", data_type.arrow(), true));
            Some(Expr::Placeholder(Placeholder::new_with_field(id.clone(), Some(field))))
        }
        _ => None,
    };
    match (open(left, type_right), open(right, type_left)) {
        (Some(left), _) => Some((left, right.clone())),
        (_, Some(right)) => Some((left.clone(), right)),
        _ => None,
    }
}

/// `value IN (items)`: lists of one form, and single comparisons for the rest.
pub fn in_list(value: Expr, items: Vec<Expr>, schema: &DFSchema) -> Result<Expr> {
    let mut lists: Vec<(Expr, Vec<Expr>)> = Vec::new();
    let mut conditions = Vec::new();
    for item in items {
        let equal = compare(value.clone(), Binary::Equal, item, schema)?;
        match equal {
            Expr::BinaryExpr(pair) if matches!(*pair.right, Expr::Literal(..)) => {
                match lists.iter_mut().find(|(left, _)| *left == *pair.left) {
                    Some((_, list)) => list.push(*pair.right),
                    None => lists.push((*pair.left, vec![*pair.right])),
                }
            }
            other => conditions.push(other),
        }
    }
    let lists = lists.into_iter().map(|(left, mut list)| match list.len() {
        1 => binary_expr(left, Native::Eq, list.remove(0)),
        _ => Expr::InList(InList::new(Box::new(left), list, false)),
    });
    Ok(balanced(lists.chain(conditions).collect(), Native::Or))
}

/// All of them between one operator: a tree as low as it can be.
pub fn balanced(exprs: Vec<Expr>, op: Native) -> Expr {
    let mut queue: VecDeque<Expr> = exprs.into();
    while queue.len() > 1 {
        let mut next = VecDeque::with_capacity(queue.len() / 2 + 1);
        while let Some(left) = queue.pop_front() {
            next.push_back(match queue.pop_front() {
                Some(right) => binary_expr(left, op, right),
                None => left,
            });
        }
        queue = next;
    }
    queue.pop_front().unwrap_or(Expr::Literal(ScalarValue::Boolean(Some(op == Native::And)), None))
}

/// `value [NOT] IN (SELECT …)`.
pub fn in_subquery(value: Expr, subquery: Subquery, negated: bool, schema: &DFSchemaRef) -> Result<Expr> {
    let inner = Arc::clone(subquery.subquery.schema());
    let (qualifier, field) = inner.qualified_field(0);
    let (value, column) = (plain(value, schema)?, plain(Expr::Column(Column::from((qualifier, field))), &inner)?);
    let (type_value, type_column) = (type_of(&value, schema)?, type_of(&column, &inner)?);
    let (value, wanted) = match form(type_value, type_column) {
        Form::Typed(common) => (convert(value, common, schema)?, convert(column, common, &inner)?),
        keyed => (key(value, keyed)?, key(column, keyed)?),
    };
    let subquery = match matches!(wanted, Expr::Column(_)) {
        true => subquery,
        false => {
            let projection = Projection::try_new(vec![wanted.alias(field.name())], Arc::clone(&subquery.subquery))?;
            Subquery { subquery: Arc::new(LogicalPlan::Projection(projection)), ..subquery }
        }
    };
    Ok(Expr::InSubquery(InSubquery::new(Box::new(value), subquery, negated)))
}
