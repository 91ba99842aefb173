//! Parts of trees: literals, calls, operators between two sides.

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, JoinConstraint, JoinOperator, ObjectName,
    ObjectNamePart, Value,
};

pub use crate::sql::syntax::call::{call, object_name};

use super::operator::{Binary, Operator};

/// `left op right`. What is a chain of operators already becomes longer, and no deeper.
pub fn operate(mut left: Expr, op: Binary, right: Expr) -> Expr {
    if let Some(args) = chained(&mut left)
        && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(ops)))) = args.first_mut()
        && let Value::SingleQuotedString(ops) = &mut ops.value
    {
        ops.push(op.sign());
        args.push(unnamed(right));
        return left;
    }
    operator(Operator::Chain, vec![text(&op.sign().to_string()), left, right])
}

/// The arguments of a chain.
fn chained(expr: &mut Expr) -> Option<&mut Vec<FunctionArg>> {
    called(expr, Operator::Chain.name())
}

/// The arguments of a call of that name.
fn called<'a>(expr: &'a mut Expr, name: &str) -> Option<&'a mut Vec<FunctionArg>> {
    match expr {
        Expr::Function(Function { name: ObjectName(parts), args: FunctionArguments::List(list), .. }) => {
            let named = matches!(parts.as_slice(), [ObjectNamePart::Identifier(only)] if only.value == name);
            named.then_some(&mut list.args)
        }
        _ => None,
    }
}

/// `left op right` of an operator of any number of sides, as `AND` is.
pub fn joined(mut left: Expr, op: Operator, right: Expr) -> Expr {
    match called(&mut left, op.name()) {
        Some(args) => {
            args.push(unnamed(right));
            left
        }
        None => operator(op, vec![left, right]),
    }
}

/// The same of a function by its name.
pub fn appended(mut left: Expr, function: &str, right: Expr) -> Expr {
    match called(&mut left, function) {
        Some(args) => {
            args.push(unnamed(right));
            left
        }
        None => call(function, vec![left, right]),
    }
}

/// A call of an operator.
pub fn operator(operator: Operator, args: Vec<Expr>) -> Expr {
    call(operator.name(), args)
}

/// What an operator of a tree is called with; none of anything else.
pub fn operands(expr: &mut Expr, operator: Operator) -> Option<Vec<&mut Expr>> {
    let args = called(expr, operator.name())?;
    args.iter_mut()
        .map(|arg| match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect()
}

/// A condition: a number is one, too, and true if it is not 0.
pub fn condition(expr: Expr) -> Expr {
    operator(Operator::Truth, vec![expr])
}

/// [`condition`] in place.
pub fn to_condition(expr: &mut Expr) {
    *expr = condition(std::mem::replace(expr, null()));
}

/// What two tables are joined on; none of a join that says nothing.
pub fn constraint(join: &mut JoinOperator) -> Option<&mut JoinConstraint> {
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
        | StraightJoin(constraint) => Some(constraint),
        _ => None,
    }
}

/// An argument.
pub fn unnamed(expr: Expr) -> FunctionArg {
    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
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
