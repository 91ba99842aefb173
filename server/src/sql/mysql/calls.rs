//! Calls of MySQL's functions that are not planned as they are typed: other names, other shapes, what the session knows.

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments,
};

use super::collected;
use super::expr::{call, null, number, object_name, operate, operator, text, unnamed};
use super::operator::{Binary, Operator};
use crate::sql::Error;
use crate::sql::syntax::dialect::INTERVAL;
use crate::sql::syntax::names::current_schema;
use crate::sql::variables::{self, Context};

/// Functions that have another name.
const RENAMED: &[(&str, &str)] = &[
    ("lcase", "lower"),
    ("ucase", "upper"),
    ("character_length", "char_length"),
    ("octet_length", "length"),
    ("ceiling", "ceil"),
    ("power", "pow"),
    ("mid", "substr"),
    ("substring", "substr"),
    ("position", "locate"),
    ("sha", "sha1"),
    ("json_merge", "json_merge_preserve"),
    ("rand", "random"),
    ("any_value", "first_value"),
    ("day", "dayofmonth"),
    ("regexp", "regexp_like"),
];

/// What the session and the clock know, by name: without parentheses, too.
const CLOCKS: &[(&str, &str)] = &[
    ("now", "now"),
    ("sysdate", "now"),
    ("current_timestamp", "now"),
    ("localtime", "now"),
    ("localtimestamp", "now"),
    ("utc_timestamp", "utc_now"),
    ("curdate", "date"),
    ("current_date", "date"),
    ("utc_date", "utc_date"),
    ("curtime", "time"),
    ("current_time", "time"),
    ("utc_time", "utc_time"),
];

/// Functions that are rewritten only with the right arguments, and how they are written.
const USAGES: &[(&str, &str)] = &[
    ("if", "IF(condition, then, otherwise)"),
    ("sleep", "SLEEP(seconds)"),
    ("ifnull", "IFNULL(value, otherwise)"),
    ("isnull", "ISNULL(value)"),
    ("mod", "MOD(n, m)"),
    ("database", "DATABASE()"),
    ("schema", "SCHEMA()"),
    ("version", "VERSION()"),
    ("user", "USER()"),
    ("current_user", "CURRENT_USER()"),
    ("connection_id", "CONNECTION_ID()"),
    ("adddate", "ADDDATE(time, INTERVAL 1 DAY)"),
    ("subdate", "SUBDATE(time, INTERVAL 1 DAY)"),
    ("date_add", "DATE_ADD(time, INTERVAL 1 DAY)"),
    ("date_sub", "DATE_SUB(time, INTERVAL 1 DAY)"),
    ("timestampadd", "TIMESTAMPADD(SECOND, count, time)"),
    ("timestampdiff", "TIMESTAMPDIFF(SECOND, from, to)"),
    ("unix_timestamp", "UNIX_TIMESTAMP(time)"),
    ("from_unixtime", "FROM_UNIXTIME(seconds, 'format')"),
    ("group_concat", "GROUP_CONCAT(value ORDER BY other SEPARATOR ',')"),
];

/// Whether a word is a call without parentheses that looks like a column.
pub fn is_bare(word: &str) -> bool {
    ["utc_timestamp", "utc_date", "utc_time", "current_user"].iter().any(|bare| word.eq_ignore_ascii_case(bare))
}

/// How a function is written that is rewritten with the right arguments only.
pub fn usage(name: &str) -> Option<&'static str> {
    find(USAGES, name)
}

/// Functions that only trees call: nobody is told of them.
pub fn is_inner(name: &str) -> bool {
    const INNER: [&str; 10] = [
        "char_text",
        "from_session_zone",
        "from_unixtime_in",
        "interval_of",
        "json_scalar_text",
        "to_session_zone",
        "trim_both",
        "trim_leading",
        "trim_trailing",
        "unix_timestamp_in",
    ];
    name.starts_with('#') || INNER.contains(&name)
}

/// The names of all functions that are rewritten.
pub fn names() -> impl Iterator<Item = &'static str> {
    [RENAMED, CLOCKS, USAGES].into_iter().flatten().map(|(name, _)| *name)
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
    if let Some(aggregated) = aggregate(&name, &mut function) {
        return Ok(aggregated);
    }
    let Some(args) = plain_args(&function) else { return Ok(Expr::Function(function)) };
    if let (Some(form), 0 | 1) = (find(CLOCKS, &name), args.len()) {
        let digits = args.first().cloned().unwrap_or_else(|| number("0"));
        return Ok(operator(Operator::Now, vec![text(form), digits]));
    }
    let rewritten = match (name.as_str(), args.as_slice()) {
        ("if", [_, _, _]) => Some(operator(Operator::Case, args.clone())),
        ("ifnull", [_, _]) => Some(operator(Operator::Coalesce, args.clone())),
        ("isnull", [value]) => Some(Expr::IsNull(Box::new(value.clone()))),
        ("mod", [left, right]) => Some(operate(nested(left), Binary::Remainder, right.clone())),
        ("database" | "schema", []) => Some(text(current_schema(context.session()))),
        ("version", []) => Some(text(&variables::version())),
        ("user" | "current_user" | "session_user" | "system_user", []) => Some(text(context.user())),
        ("connection_id", []) => Some(number(&context.query_id().to_string())),
        ("sleep", [seconds]) => Some(call("sleep", vec![operator(Operator::Double, vec![seconds.clone()])])),
        ("name_const", [_, value]) => Some(value.clone()),
        // Of a literal, as in MySQL.
        ("coercibility", [_]) => Some(number("4")),
        ("found_rows" | "row_count" | "last_insert_id", []) => Some(number("0")),
        _ => of_time(&name, &args, context.time_zone())?,
    };
    Ok(rewritten.unwrap_or(Expr::Function(function)))
}

fn nested(expr: &Expr) -> Expr {
    Expr::Nested(Box::new(expr.clone()))
}

/// Calls about time. The zone of the session is their first argument, where it matters.
fn of_time(name: &str, args: &[Expr], zone: &str) -> Result<Option<Expr>, Error> {
    let zone = || text(zone);
    if matches!(name, "date_add" | "adddate" | "date_sub" | "subdate") {
        let target = if name.contains("add") { "date_add" } else { "date_sub" };
        return match args {
            [time, Expr::Function(interval)] if interval.name == object_name(INTERVAL) => {
                let interval = plain_args(interval).unwrap_or_default();
                Ok(Some(call(target, [vec![time.clone()], interval].concat())))
            }
            [time, days] if matches!(name, "adddate" | "subdate") => {
                Ok(Some(call(target, vec![time.clone(), days.clone(), text("DAY")])))
            }
            // As it is made here.
            [_, _, _] => Ok(None),
            _ => Err(Error::Invalid(format!("{name} takes a time and an INTERVAL, as {name}(t, INTERVAL 1 HOUR)"))),
        };
    }
    Ok(Some(match (name, args) {
        ("timestampadd", [unit, count, time]) => {
            call("timestampadd", vec![text(&unit_name(unit, name)?), count.clone(), time.clone()])
        }
        ("timestampdiff", [unit, from, to]) => {
            call("timestampdiff", vec![text(&unit_name(unit, name)?), from.clone(), to.clone()])
        }
        ("get_format", [Expr::Identifier(kind), region]) => call("get_format", vec![text(&kind.value), region.clone()]),
        ("unix_timestamp", []) => {
            call("unix_timestamp_in", vec![text("UTC"), operator(Operator::Now, vec![text("utc_now"), number("0")])])
        }
        ("unix_timestamp", [time]) => call("unix_timestamp_in", vec![zone(), time.clone()]),
        ("from_unixtime", [seconds]) => call("from_unixtime_in", vec![zone(), seconds.clone()]),
        ("from_unixtime", [seconds, format]) => {
            call("date_format", vec![call("from_unixtime_in", vec![zone(), seconds.clone()]), format.clone()])
        }
        _ => return Ok(None),
    }))
}

/// SECOND in TIMESTAMPDIFF(SECOND, a, b), which looks like a column.
fn unit_name(unit: &Expr, function: &str) -> Result<String, Error> {
    match unit {
        Expr::Identifier(word) => Ok(word.value.to_uppercase().trim_start_matches("SQL_TSI_").to_owned()),
        // As it was rewritten: an expression may be visited twice.
        Expr::Value(value) => match &value.value {
            sqlparser::ast::Value::SingleQuotedString(unit) => Ok(unit.clone()),
            other => Err(Error::Invalid(format!("{function} takes a unit of time first, as SECOND, not {other}"))),
        },
        other => Err(Error::Invalid(format!("{function} takes a unit of time first, as SECOND, not {other}"))),
    }
}

/// The arguments of a call that has nothing else in its parentheses nor after them.
pub fn plain_args(function: &Function) -> Option<Vec<Expr>> {
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

/// Aggregates and window functions: what they take has MySQL's type before they see it.
fn aggregate(name: &str, function: &mut Function) -> Option<Expr> {
    let rewritten = |function: &mut Function, name: &str, wrap: Operator| {
        let mut function = function.clone();
        function.name = object_name(name);
        wrap_first(&mut function, wrap);
        Expr::Function(function)
    };
    let total = |function: &mut Function, name: &str, wrap: Operator| {
        operator(Operator::Total, vec![rewritten(function, name, wrap)])
    };
    Some(match name {
        "sum" => total(function, "sum", Operator::Summand),
        "avg" => {
            // Both over the same values: of DISTINCT texts, those of the same number are one.
            let count = rewritten(function, "count", Operator::Summand);
            operate(rewritten(function, "sum", Operator::Summand), Binary::Divide, count)
        }
        "std" | "stddev" | "stddev_pop" => total(function, "stddev_pop", Operator::Double),
        "stddev_samp" => total(function, "stddev_samp", Operator::Double),
        "variance" | "var_pop" => total(function, "var_pop", Operator::Double),
        "var_samp" => total(function, "var_samp", Operator::Double),
        "bit_and" => bits(rewritten(function, name, Operator::Bits), "18446744073709551615"),
        "bit_or" | "bit_xor" => bits(rewritten(function, name, Operator::Bits), "0"),
        "row_number" | "rank" | "dense_rank" | "ntile" => {
            operator(Operator::Signed, vec![Expr::Function(function.clone())])
        }
        "count" => count(function.clone()),
        "group_concat" => group_concat(function.clone()),
        _ => return None,
    })
}

/// Of no rows, an aggregate of bits is that of none.
fn bits(aggregated: Expr, of_none: &str) -> Expr {
    operator(Operator::Coalesce, vec![aggregated, number(of_none)])
}

fn wrap_first(function: &mut Function, wrap: Operator) {
    if let FunctionArguments::List(list) = &mut function.args
        && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))) = list.args.first_mut()
    {
        *expr = operator(wrap, vec![std::mem::replace(expr, null())]);
    }
}

fn exprs(args: &mut Vec<FunctionArg>) -> Vec<Expr> {
    let expr = |arg: FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    };
    std::mem::take(args).into_iter().filter_map(expr).collect()
}

/// `GROUP_CONCAT([DISTINCT] a, … [ORDER BY …] [SEPARATOR ','])`.
fn group_concat(mut function: Function) -> Expr {
    let FunctionArguments::List(list) = &mut function.args else { return Expr::Function(function) };
    let parts = exprs(&mut list.args);
    // Text, or bytes if one of them is.
    let value = call("concat", parts.clone());
    let is_distinct = list.duplicate_treatment.take() == Some(DuplicateTreatment::Distinct);
    let mut options = String::from(if is_distinct { collected::DISTINCT } else { collected::ALL });
    let mut separator = text(",");
    let mut keys = Vec::new();
    for clause in std::mem::take(&mut list.clauses) {
        match clause {
            FunctionArgumentClause::Separator(value) => separator = Expr::Value(value),
            FunctionArgumentClause::OrderBy(orders) => {
                for order in orders {
                    let descending = order.options.asc == Some(false);
                    options.push(if descending { collected::DESCENDING } else { collected::ASCENDING });
                    keys.push(position(&order.expr).and_then(|at| parts.get(at - 1).cloned()).unwrap_or(order.expr));
                }
            }
            other => list.clauses.push(other),
        }
    }
    list.args = [text(&options), separator, value].into_iter().chain(keys).map(unnamed).collect();
    function.name = object_name(collected::GROUP_CONCAT);
    Expr::Function(function)
}

/// The position that an ORDER BY names, from 1.
fn position(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Value(value) => match &value.value {
            sqlparser::ast::Value::Number(digits, _) => digits.parse().ok().filter(|at| *at > 0),
            _ => None,
        },
        _ => None,
    }
}

/// `COUNT(DISTINCT a, b)`: of rows in which none is NULL.
fn count(mut function: Function) -> Expr {
    if let FunctionArguments::List(list) = &mut function.args
        && list.duplicate_treatment == Some(DuplicateTreatment::Distinct)
        && list.args.len() > 1
    {
        let parts = exprs(&mut list.args);
        let unknown = parts.iter().map(|part| Expr::IsNull(Box::new(part.clone()))).collect();
        // The text of an array is another one for other values.
        let row = call("json_array", parts);
        list.args = vec![unnamed(operator(Operator::Case, vec![operator(Operator::Or, unknown), null(), row]))];
    }
    Expr::Function(function)
}
