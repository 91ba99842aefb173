//! Parts of trees: literals, calls, operators, conditions, as DataFusion takes them.

use sqlparser::ast::{
    BinaryOperator, CastKind, CharacterLength, DataType, ExactNumberInfo, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, Interval, ObjectName, ObjectNamePart, TimezoneInfo, UnaryOperator,
    Value,
};

use super::functions::{IS_TRUE, TIME_ADD, TO_SIGNED, TO_UNSIGNED};

/// `left op right`.
pub fn operate(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

/// `left op right`, NULL where the right side is 0.
pub fn operate_not_zero(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    operate(left, op, not_zero(right))
}

/// NULL where it is 0.
pub fn not_zero(expr: Expr) -> Expr {
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

/// [`to_condition`] by value.
pub fn condition(mut expr: Expr) -> Expr {
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
