//! Calls of MySQL's functions as calls of DataFusion's, or of ours.

use sqlparser::ast::{
    BinaryOperator, CaseWhen, DataType, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentClause, FunctionArguments,
};

use super::expr::{
    add_interval, add_units, call, cast, is_condition, null, number, object_name, operate_not_zero, text, to_condition,
};
use super::functions::{JSON_EXTRACT, JSON_UNQUOTE, TIME_PART};
use crate::sql::Error;
use crate::sql::syntax::names::current_schema;
use crate::sql::variables::{self, Context};

/// Functions that have another name in DataFusion.
const RENAMED: &[(&str, &str)] = &[
    ("lcase", "lower"),
    ("ucase", "upper"),
    // Bytes, as in MySQL; CHAR_LENGTH counts characters.
    ("length", "octet_length"),
    ("rand", "random"),
    ("truncate", "trunc"),
    ("ceiling", "ceil"),
    ("std", "stddev_pop"),
    ("stddev", "stddev_pop"),
    ("variance", "var_pop"),
    ("any_value", "first_value"),
    ("ifnull", "coalesce"),
    ("sign", "signum"),
    ("mid", "substr"),
    ("substring", "substr"),
    ("sysdate", "now"),
    ("current_timestamp", "now"),
    ("localtime", "now"),
    ("localtimestamp", "now"),
    ("utc_timestamp", "now"),
    ("current_date", "curdate"),
    ("utc_date", "curdate"),
    ("time_format", "date_format"),
];

/// Functions that are a part of a time.
const PARTS: &[(&str, &str)] = &[
    ("year", "YEAR"),
    ("quarter", "QUARTER"),
    ("month", "MONTH"),
    ("day", "DAY"),
    ("dayofmonth", "DAY"),
    ("hour", "HOUR"),
    ("minute", "MINUTE"),
    ("second", "SECOND"),
    ("microsecond", "MICROSECOND"),
    ("dayofyear", "DAYOFYEAR"),
    ("dayofweek", "DAYOFWEEK"),
    ("weekday", "WEEKDAY"),
];

/// Functions that are rewritten only with the right arguments, and how they are written.
const USAGES: &[(&str, &str)] = &[
    ("if", "IF(condition, then, otherwise)"),
    ("isnull", "ISNULL(value)"),
    ("mod", "MOD(n, m)"),
    ("database", "DATABASE()"),
    ("schema", "SCHEMA()"),
    ("version", "VERSION()"),
    ("user", "USER()"),
    ("current_user", "CURRENT_USER()"),
    ("connection_id", "CONNECTION_ID()"),
    ("json_value", "JSON_VALUE(document, '$.path')"),
    ("regexp_substr", "REGEXP_SUBSTR(text, 'pattern')"),
    ("adddate", "ADDDATE(time, INTERVAL 1 DAY)"),
    ("subdate", "SUBDATE(time, INTERVAL 1 DAY)"),
    ("timestampadd", "TIMESTAMPADD(SECOND, count, time)"),
    ("curtime", "CURTIME()"),
    ("time", "TIME(time)"),
    ("weekofyear", "WEEKOFYEAR(time)"),
    ("group_concat", "GROUP_CONCAT(value ORDER BY other SEPARATOR ',')"),
];

/// How a function is written that is rewritten with the right arguments only.
pub fn usage(name: &str) -> Option<&'static str> {
    find(USAGES, name).or_else(|| find(PARTS, name).map(|_| "it with one time"))
}

/// The names of all functions that are rewritten.
pub fn names() -> impl Iterator<Item = &'static str> {
    [RENAMED, PARTS, USAGES].into_iter().flatten().map(|(name, _)| *name)
}

fn find(table: &[(&'static str, &'static str)], name: &str) -> Option<&'static str> {
    table.iter().find(|(from, _)| *from == name).map(|(_, to)| *to)
}

/// The expression that a call stands for.
pub fn rewrite(mut function: Function, context: &Context<'_>) -> Result<Expr, Error> {
    let name = function.name.to_string().to_lowercase();
    // CURRENT_TIMESTAMP and its like stand without parentheses.
    if function.args == FunctionArguments::None {
        function.args = FunctionArguments::List(sqlparser::ast::FunctionArgumentList {
            duplicate_treatment: None,
            args: Vec::new(),
            clauses: Vec::new(),
        });
    }
    if let Some(renamed) = find(RENAMED, &name) {
        function.name = object_name(renamed);
        return Ok(Expr::Function(function));
    }
    match name.as_str() {
        "group_concat" => return Ok(group_concat(function)),
        "count" => return Ok(count(function)),
        "sum" | "avg" => return Ok(of_truth(function)),
        _ => {}
    }
    let Some(args) = plain_args(&function) else { return Ok(Expr::Function(function)) };
    let rewritten = match (name.as_str(), args.as_slice()) {
        ("if", [condition, then, otherwise]) => Some(case(condition, then, otherwise)),
        ("isnull", [value]) => Some(Expr::IsNull(Box::new(value.clone()))),
        ("mod", [left, right]) => Some(operate_not_zero(left.clone(), BinaryOperator::Modulo, right.clone())),
        ("database" | "schema", []) => Some(text(current_schema(context.session()))),
        ("version", []) => Some(text(&variables::version())),
        ("user" | "current_user" | "session_user" | "system_user", []) => Some(text(context.user())),
        ("connection_id", []) => Some(number(&context.query_id().to_string())),
        ("json_value", [document, path]) => {
            Some(call(JSON_UNQUOTE, vec![call(JSON_EXTRACT, vec![document.clone(), path.clone()])]))
        }
        ("regexp_substr", [value, pattern]) => {
            let found = call("regexp_match", vec![value.clone(), pattern.clone()]);
            Some(call("array_element", vec![found, number("1")]))
        }
        _ => of_time(&name, &args)?,
    };
    Ok(rewritten.unwrap_or(Expr::Function(function)))
}

/// Calls about time.
fn of_time(name: &str, args: &[Expr]) -> Result<Option<Expr>, Error> {
    if let ([time], Some(part)) = (args, find(PARTS, name)) {
        return Ok(Some(call(TIME_PART, vec![text(part), time.clone()])));
    }
    Ok(Some(match (name, args) {
        ("date_add" | "adddate" | "date_sub" | "subdate", [time, Expr::Interval(interval)]) => {
            add_interval(time.clone(), interval.clone(), name.contains("sub"))
        }
        ("adddate" | "subdate", [time, days]) => add_units(time.clone(), days.clone(), "DAY", name == "subdate"),
        ("date_add" | "date_sub", _) => {
            return Err(Error::Invalid(format!("{name} takes a time and an INTERVAL, as {name}(t, INTERVAL 1 HOUR)")));
        }
        ("timestampadd", [unit, count, time]) => add_units(time.clone(), count.clone(), &unit_name(unit, name)?, false),
        ("timestampdiff", [unit, from, to]) if !matches!(unit, Expr::Value(_)) => {
            call("timestampdiff", vec![text(&unit_name(unit, name)?), from.clone(), to.clone()])
        }
        ("unix_timestamp", []) => call("unix_timestamp", vec![call("now", Vec::new())]),
        ("from_unixtime", [seconds, format]) => {
            call("date_format", vec![call("from_unixtime", vec![seconds.clone()]), format.clone()])
        }
        ("curtime" | "current_time" | "utc_time", []) => clock_time(call("now", Vec::new())),
        ("time", [time]) => clock_time(time.clone()),
        ("weekofyear", [time]) => call("week", vec![time.clone(), number("3")]),
        _ => return Ok(None),
    }))
}

fn clock_time(time: Expr) -> Expr {
    call("date_format", vec![time, text("%H:%i:%s")])
}

/// SECOND in TIMESTAMPDIFF(SECOND, a, b), which looks like a column.
fn unit_name(unit: &Expr, function: &str) -> Result<String, Error> {
    match unit {
        Expr::Identifier(word) => Ok(word.value.to_uppercase().trim_start_matches("SQL_TSI_").to_owned()),
        other => Err(Error::Invalid(format!("{function} takes a unit of time first, as SECOND, not {other}"))),
    }
}

/// The arguments of a call that has nothing else in its parentheses nor after them.
fn plain_args(function: &Function) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let plain = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    };
    let Function { filter, null_treatment, over, within_group, .. } = function;
    let bare = filter.is_none() && null_treatment.is_none() && over.is_none() && within_group.is_empty();
    (bare && list.duplicate_treatment.is_none() && list.clauses.is_empty()).then_some(())?;
    list.args.iter().map(plain).collect()
}

fn case(condition: &Expr, then: &Expr, otherwise: &Expr) -> Expr {
    let mut condition = condition.clone();
    to_condition(&mut condition);
    Expr::Case {
        case_token: sqlparser::ast::helpers::attached_token::AttachedToken::empty(),
        end_token: sqlparser::ast::helpers::attached_token::AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition, result: then.clone() }],
        else_result: Some(Box::new(otherwise.clone())),
    }
}

fn exprs(args: &mut Vec<FunctionArg>) -> Vec<Expr> {
    let expr = |arg: FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    };
    std::mem::take(args).into_iter().filter_map(expr).collect()
}

fn unnamed(expr: Expr) -> FunctionArg {
    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
}

/// `GROUP_CONCAT([DISTINCT] a, … [ORDER BY …] [SEPARATOR ','])` is `string_agg`.
fn group_concat(mut function: Function) -> Expr {
    let FunctionArguments::List(list) = &mut function.args else { return Expr::Function(function) };
    let mut parts = exprs(&mut list.args);
    // DISTINCT is ordered only by what it joins.
    if let (Some(DuplicateTreatment::Distinct), [part]) = (list.duplicate_treatment, parts.as_slice()) {
        let orders = list.clauses.iter_mut().filter_map(|clause| match clause {
            FunctionArgumentClause::OrderBy(orders) => Some(orders),
            _ => None,
        });
        orders
            .flatten()
            .filter(|order| order.expr == *part)
            .for_each(|order| order.expr = cast(part.clone(), DataType::Text));
    }
    let value = match parts.len() {
        1 => cast(parts.remove(0), DataType::Text),
        _ => call("concat", parts),
    };
    let mut separator = text(",");
    list.clauses.retain(|clause| match clause {
        FunctionArgumentClause::Separator(value) => {
            separator = Expr::Value(value.clone());
            false
        }
        _ => true,
    });
    list.args = vec![unnamed(value), unnamed(separator)];
    function.name = object_name("string_agg");
    // It makes another type of text.
    cast(Expr::Function(function), DataType::Text)
}

/// `COUNT(DISTINCT a, b)`: of rows in which none is NULL.
fn count(mut function: Function) -> Expr {
    const BETWEEN: &str = "\u{1f}";
    if let FunctionArguments::List(list) = &mut function.args
        && list.duplicate_treatment == Some(DuplicateTreatment::Distinct)
        && list.args.len() > 1
    {
        let parts = exprs(&mut list.args);
        let separated = parts.into_iter().flat_map(|part| [text(BETWEEN), part]).skip(1).collect();
        list.args = vec![unnamed(call("concat", separated))];
    }
    Expr::Function(function)
}

/// `SUM(a > 1)` counts: what is true is 1.
fn of_truth(mut function: Function) -> Expr {
    if let FunctionArguments::List(list) = &mut function.args
        && let [FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))] = list.args.as_mut_slice()
        && is_condition(expr)
    {
        *expr = cast(std::mem::replace(expr, null()), DataType::BigInt(None));
    }
    Expr::Function(function)
}
