//! SHOW and DESC, as SELECTs over `information_schema`.
//!
//! What the user typed is put into the tree of the SELECT as it is, and never into its text.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Ident, ObjectName, SetExpr, ShowCreateObject, ShowStatementFilter,
    ShowStatementFilterPosition, ShowStatementOptions, Statement as Ast, TableFactor, visit_expressions_mut,
    visit_relations_mut,
};
use sqlparser::parser::Parser;

use super::column_names::ColumnNames;
use super::select::{ResultKind, Select};
use crate::sql::Error;
use crate::sql::mysql::{expr, rewrite};
use crate::sql::syntax::dialect::Dialected;
use crate::sql::syntax::names::{current_schema, known_schema, last_part};
use crate::sql::variables::Context;

/// One column of what is shown: its heading, and where it comes from.
type Shown<'a> = (&'a str, String);

/// The read that a SHOW stands for; gives back a statement that is none.
pub fn rewrite(statement: Ast, context: &Context<'_>) -> Result<Result<Select, Ast>, Error> {
    Ok(Ok(match statement {
        Ast::ShowDatabases { show_options, .. } | Ast::ShowSchemas { show_options, .. } => {
            let columns = [("Database", "schema_name".to_owned())];
            select(&columns, "information_schema.schemata", None, None, filter_of(show_options)?, context)?
        }
        Ast::ShowTables { full, show_options, .. } => tables(full, show_options, context)?,
        Ast::ShowColumns { full, show_options, .. } => {
            let table = show_options.show_in.as_ref().and_then(|show_in| show_in.parent_name.clone());
            let table = table.ok_or_else(|| Error::Invalid("SHOW COLUMNS takes FROM and a table".into()))?;
            columns(&table, filter_of(show_options)?, full, context)?
        }
        Ast::ShowCreate { obj_type: ShowCreateObject::Table | ShowCreateObject::View, obj_name } => {
            create_table(&obj_name, context)?
        }
        Ast::ShowVariables { filter, .. } => names_and_values("information_schema.session_variables", filter, context)?,
        Ast::ShowStatus { filter, .. } => names_and_values("information_schema.session_status", filter, context)?,
        Ast::ShowProcessList { full } => processlist(full, context)?,
        Ast::ShowVariable { ref variable } => {
            let words: Vec<String> = variable.iter().map(|word| word.value.to_uppercase()).collect();
            match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["WARNINGS" | "ERRORS"] => warnings(context)?,
                ["PROCESSLIST"] => processlist(false, context)?,
                ["FULL", "PROCESSLIST"] => processlist(true, context)?,
                ["VARIABLES"] | ["SESSION" | "GLOBAL", "VARIABLES"] => {
                    names_and_values("information_schema.session_variables", None, context)?
                }
                ["STATUS"] | ["SESSION" | "GLOBAL", "STATUS"] => {
                    names_and_values("information_schema.session_status", None, context)?
                }
                _ => {
                    return Err(Error::Invalid(format!(
                        "{statement} is not known; SHOW takes DATABASES, TABLES, COLUMNS FROM t, CREATE TABLE t, \
                         VARIABLES, STATUS, WARNINGS or PROCESSLIST"
                    )));
                }
            }
        }
        other => return Ok(Err(other)),
    }))
}

fn names_and_values(from: &str, filter: Option<ShowStatementFilter>, context: &Context<'_>) -> Result<Select, Error> {
    let columns = [("Variable_name", "variable_name".to_owned()), ("Value", "variable_value".to_owned())];
    select(&columns, from, None, None, filter, context)
}

fn tables(full: bool, options: ShowStatementOptions, context: &Context<'_>) -> Result<Select, Error> {
    let schema = match options.show_in.as_ref().and_then(|show_in| show_in.parent_name.as_ref()) {
        None => current_schema(context.session()).to_owned(),
        Some(name) => known_schema(last_part(name)?)?,
    };
    let heading = format!("Tables_in_{schema}");
    let mut columns = vec![(heading.as_str(), "table_name".to_owned())];
    if full {
        columns.push(("Table_type", "table_type".to_owned()));
    }
    let condition = is("table_schema", &schema);
    select(&columns, "information_schema.tables", Some(condition), None, filter_of(options)?, context)
}

/// What is true of the rows about one table. A table that does not exist is found out by selecting nothing from it in the
/// same statement.
fn about(table: &ObjectName, context: &Context<'_>) -> Result<Expr, Error> {
    let name = last_part(table)?;
    let schema = match table.0.len() {
        1 => current_schema(context.session()).to_owned(),
        parts => table.0[parts - 2].as_ident().map_or_else(String::new, |ident| ident.value.to_lowercase()),
    };
    let mut nothing = parse("SELECT 1 FROM shown WHERE false")?;
    put_table(&mut nothing, "shown", table);
    let Ast::Query(subquery) = nothing else { return Err(Error::Internal("a SELECT is no query".into())) };
    let none = Expr::Exists { subquery, negated: true };
    Ok(and(and(is("table_schema", &schema), is("table_name", &name)), none))
}

fn put_table(statement: &mut Ast, placeholder: &str, table: &ObjectName) {
    let _: ControlFlow<()> = visit_relations_mut(statement, |relation| {
        if relation.to_string() == placeholder {
            relation.clone_from(table);
        }
        ControlFlow::Continue(())
    });
}

fn and(left: Expr, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::And, right: Box::new(right) }
}

fn is(column: &str, value: &str) -> Expr {
    let column = Expr::Identifier(Ident::new(column));
    Expr::BinaryOp { left: Box::new(column), op: BinaryOperator::Eq, right: Box::new(expr::text(value)) }
}

/// The columns of a table, in MySQL's shape and with our comment.
pub fn columns(
    table: &ObjectName,
    filter: Option<ShowStatementFilter>,
    full: bool,
    context: &Context<'_>,
) -> Result<Select, Error> {
    let mut columns = vec![("Field", "column_name".to_owned()), ("Type", "column_type".to_owned())];
    if full {
        columns.push(("Collation", "collation_name".to_owned()));
    }
    columns.extend([
        ("Null", "is_nullable".to_owned()),
        ("Key", "column_key".to_owned()),
        ("Default", "column_default".to_owned()),
        ("Extra", "extra".to_owned()),
    ]);
    if full {
        columns.push(("Privileges", "privileges".to_owned()));
    }
    columns.push(("Comment", "column_comment".to_owned()));
    let order = Some("ordinal_position");
    select(&columns, "information_schema.columns", Some(about(table, context)?), order, filter, context)
}

/// The configuration of all nodes, in TiDB's shape. LIKE goes by the name of the setting.
pub fn config(filter: Option<ShowStatementFilter>, context: &Context<'_>) -> Result<Select, Error> {
    // The first column is the one that LIKE goes by; the order of columns is TiDB's.
    let columns = [("Type", "type"), ("Instance", "instance"), ("Name", "`key`"), ("Value", "value")];
    let columns = columns.map(|(heading, source)| (heading, source.to_owned()));
    let order = Some("concat(type, ' ', instance, ' ', `key`)");
    let filter = match filter {
        Some(ShowStatementFilter::Like(pattern)) => Some(ShowStatementFilter::Where(like("name", &pattern))),
        other => other,
    };
    let read = select(&columns, "information_schema.cluster_config", None, order, filter, context)?;
    Ok(Select { kind: ResultKind::NodeRows, ..read })
}

fn create_table(table: &ObjectName, context: &Context<'_>) -> Result<Select, Error> {
    let columns = [("Table", "table_name".to_owned()), ("Create Table", "create_statement".to_owned())];
    select(&columns, "information_schema.create_statements", Some(about(table, context)?), None, None, context)
}

fn processlist(full: bool, context: &Context<'_>) -> Result<Select, Error> {
    const INFO_CHARS: usize = 100;
    let info = if full { "info".to_owned() } else { format!("left(info, {INFO_CHARS})") };
    let columns = [
        ("Id", "id".to_owned()),
        ("User", "user".to_owned()),
        ("Host", "host".to_owned()),
        ("db", "db".to_owned()),
        ("Command", "command".to_owned()),
        ("Time", "time".to_owned()),
        ("State", "state".to_owned()),
        ("Info", info),
    ];
    select(&columns, "information_schema.processlist", None, None, None, context)
}

fn warnings(context: &Context<'_>) -> Result<Select, Error> {
    const ROW: &str = "SELECT 'Warning' AS level, 1105 AS code, 'x' AS message";
    let shown = &context.session().warnings;
    // One row more, which is left out: there may be no warning at all.
    let rows = vec![ROW; shown.len() + 1].join(" UNION ALL ");
    let mut statement = parse(&format!("SELECT * FROM ({rows}) AS warnings WHERE message <> ''"))?;
    let mut messages = shown.iter();
    let _: ControlFlow<()> = visit_expressions_mut(&mut statement, |shown| {
        if *shown == expr::text("x") {
            *shown = expr::text(messages.next().map_or("", String::as_str));
        }
        ControlFlow::Continue(())
    });
    let column_names = ColumnNames::all(["Level", "Code", "Message"]);
    Ok(Select { statement, column_names, kind: ResultKind::Warnings, fingerprint: None })
}

/// A SELECT of these columns, with what LIKE or WHERE leave of the rows, ordered by the first column or by `order`.
fn select(
    columns: &[Shown<'_>],
    from: &str,
    condition: Option<Expr>,
    order: Option<&str>,
    filter: Option<ShowStatementFilter>,
    context: &Context<'_>,
) -> Result<Select, Error> {
    let alias = |heading: &str| format!("`{}`", heading.to_lowercase().replace('`', "``"));
    let inner: Vec<String> =
        columns.iter().map(|(heading, source)| format!("{source} AS {}", alias(heading))).collect();
    let names: Vec<String> = columns.iter().map(|(heading, _)| alias(heading)).collect();
    let order = order.unwrap_or(&columns[0].1);
    let mut statement = parse(&format!(
        "SELECT {} FROM (SELECT {}, {order} AS shown_order FROM {from}) AS shown ORDER BY shown_order",
        names.join(", "),
        inner.join(", "),
    ))?;
    let filter = filter.map(|filter| condition_of(filter, columns[0].0, context)).transpose()?;
    put_conditions(&mut statement, condition, filter)?;
    let column_names = ColumnNames::all(columns.iter().map(|(heading, _)| *heading));
    Ok(Select { statement, column_names, kind: ResultKind::Metadata, fingerprint: None })
}

/// Into the inner SELECT and the outer one.
fn put_conditions(statement: &mut Ast, inner: Option<Expr>, outer: Option<Expr>) -> Result<(), Error> {
    let no_select = || Error::Internal("what SHOW selects has another shape".into());
    let Ast::Query(query) = statement else { return Err(no_select()) };
    let SetExpr::Select(select) = query.body.as_mut() else { return Err(no_select()) };
    select.selection = outer;
    let Some(TableFactor::Derived { subquery, .. }) = select.from.first_mut().map(|from| &mut from.relation) else {
        return Err(no_select());
    };
    let SetExpr::Select(select) = subquery.body.as_mut() else { return Err(no_select()) };
    select.selection = inner;
    Ok(())
}

fn filter_of(options: ShowStatementOptions) -> Result<Option<ShowStatementFilter>, Error> {
    use ShowStatementFilterPosition::{Infix, Suffix};
    Ok(options.filter_position.map(|(Infix(filter) | Suffix(filter))| filter))
}

/// LIKE goes by the first column, and as names do not by case.
fn condition_of(filter: ShowStatementFilter, first: &str, context: &Context<'_>) -> Result<Expr, Error> {
    match filter {
        ShowStatementFilter::Like(pattern) | ShowStatementFilter::ILike(pattern) => Ok(like(first, &pattern)),
        ShowStatementFilter::Where(mut condition) => {
            rewrite::to_datafusion(&mut condition, context)?;
            expr::to_condition(&mut condition);
            Ok(condition)
        }
        other => Err(Error::Invalid(format!("SHOW takes LIKE 'pattern' or WHERE condition, not {other}"))),
    }
}

fn like(column: &str, pattern: &str) -> Expr {
    Expr::ILike {
        negated: false,
        any: false,
        expr: Box::new(Expr::Identifier(Ident::with_quote('`', column.to_lowercase()))),
        pattern: Box::new(expr::text(pattern)),
        escape_char: None,
    }
}

fn parse(sql: &str) -> Result<Ast, Error> {
    let mut statements = Parser::parse_sql(&Dialected, sql)
        .map_err(|e| Error::Internal(format!("the rewritten statement {sql} does not parse: {e}")))?;
    Ok(statements.remove(0))
}
