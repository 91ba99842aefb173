//! SHOW and DESC, as SELECTs over `information_schema`: a SHOW is one value that says what it shows.
//!
//! What the user typed is put into the tree of the SELECT as it is, and never into its text.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Ident, ObjectName, SetExpr, Statement as Ast, TableFactor, visit_relations_mut,
};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::TokenWithSpan;

use super::column_names::ColumnNames;
use super::select::{ResultKind, Select};
use crate::sql::Error;
use crate::sql::mysql::{expr, rewrite};
use crate::sql::syntax::cursor::Cursor;
use crate::sql::syntax::dialect::Dialected;
use crate::sql::syntax::names::{current_schema, known_schema, last_part, schema_of};
use crate::sql::variables::Context;

/// What a SHOW shows.
#[derive(Debug)]
pub struct Show {
    /// The headings, and where each comes from. `{schema}` stands for the schema.
    columns: &'static [(&'static str, &'static str)],
    from: &'static str,
    /// What the rows are ordered by.
    order: &'static str,
    /// The heading of the column that LIKE goes by.
    like: &'static str,
    takes: Takes,
    kind: ResultKind,
}

/// What stands behind the words of a SHOW, before LIKE or WHERE.
#[derive(Debug, Clone, Copy)]
enum Takes {
    Nothing,
    /// FROM and a schema, or the session's one.
    Schema,
    /// FROM and a table, and perhaps FROM and its schema.
    FromTable,
    /// A table.
    Table,
}

const METADATA: Show =
    Show { columns: &[], from: "", order: "", like: "", takes: Takes::Nothing, kind: ResultKind::Metadata };

pub(super) static DATABASES: Show = Show {
    columns: &[("Database", "schema_name")],
    from: "information_schema.schemata",
    order: "schema_name",
    like: "Database",
    ..METADATA
};

pub(super) static TABLES: Show = Show { columns: &[("Tables_in_{schema}", "table_name")], ..TABLES_LIKE };

pub(super) static FULL_TABLES: Show =
    Show { columns: &[("Tables_in_{schema}", "table_name"), ("Table_type", "table_type")], ..TABLES_LIKE };
const TABLES_LIKE: Show = Show {
    from: "information_schema.tables",
    order: "table_name",
    like: "Tables_in_{schema}",
    takes: Takes::Schema,
    ..METADATA
};

pub(super) static TABLE_STATUS: Show = Show {
    columns: &[
        ("Name", "table_name"),
        ("Engine", "engine"),
        ("Version", "version"),
        ("Row_format", "row_format"),
        ("Rows", "table_rows"),
        ("Avg_row_length", "avg_row_length"),
        ("Data_length", "data_length"),
        ("Max_data_length", "max_data_length"),
        ("Index_length", "index_length"),
        ("Data_free", "data_free"),
        ("Auto_increment", "auto_increment"),
        ("Create_time", "create_time"),
        ("Update_time", "update_time"),
        ("Check_time", "check_time"),
        ("Collation", "table_collation"),
        ("Checksum", "checksum"),
        ("Create_options", "create_options"),
        ("Comment", "table_comment"),
    ],
    like: "Name",
    ..TABLES_LIKE
};

const OF_A_TABLE: Show = Show {
    from: "information_schema.columns",
    order: "ordinal_position",
    like: "Field",
    takes: Takes::FromTable,
    ..METADATA
};

pub(super) static COLUMNS: Show = Show {
    columns: &[
        ("Field", "column_name"),
        ("Type", "column_type"),
        ("Null", "is_nullable"),
        ("Key", "column_key"),
        ("Default", "column_default"),
        ("Extra", "extra"),
        ("Comment", "column_comment"),
    ],
    ..OF_A_TABLE
};

pub(super) static FULL_COLUMNS: Show = Show {
    columns: &[
        ("Field", "column_name"),
        ("Type", "column_type"),
        ("Collation", "collation_name"),
        ("Null", "is_nullable"),
        ("Key", "column_key"),
        ("Default", "column_default"),
        ("Extra", "extra"),
        ("Privileges", "privileges"),
        ("Comment", "column_comment"),
    ],
    ..OF_A_TABLE
};

pub(super) static CREATE_TABLE: Show = Show {
    columns: &[("Table", "table_name"), ("Create Table", "create_statement")],
    from: "information_schema.create_statements",
    order: "table_name",
    like: "Table",
    takes: Takes::Table,
    ..METADATA
};

const OF_VARIABLES: Show = Show {
    columns: &[("Variable_name", "variable_name"), ("Value", "variable_value")],
    order: "variable_name",
    like: "Variable_name",
    ..METADATA
};

pub(super) static VARIABLES: Show = Show { from: "information_schema.session_variables", ..OF_VARIABLES };

pub(super) static STATUS: Show = Show { from: "information_schema.session_status", ..OF_VARIABLES };

pub(super) static WARNINGS: Show = Show {
    columns: &[("Level", "level"), ("Code", "code"), ("Message", "message")],
    from: "information_schema.session_warnings",
    order: "ordinal_position",
    like: "Level",
    takes: Takes::Nothing,
    kind: ResultKind::Warnings,
};

const OF_QUERIES: Show = Show { from: "information_schema.processlist", order: "id", like: "Id", ..METADATA };

pub(super) static PROCESSLIST: Show = Show {
    columns: &[
        ("Id", "id"),
        ("User", "user"),
        ("Host", "host"),
        ("db", "db"),
        ("Command", "command"),
        ("Time", "time"),
        ("State", "state"),
        ("Info", "left(info, 100)"),
    ],
    ..OF_QUERIES
};

pub(super) static FULL_PROCESSLIST: Show = Show {
    columns: &[
        ("Id", "id"),
        ("User", "user"),
        ("Host", "host"),
        ("db", "db"),
        ("Command", "command"),
        ("Time", "time"),
        ("State", "state"),
        ("Info", "info"),
    ],
    ..OF_QUERIES
};

/// In TiDB's shape. LIKE goes by the name of the setting.
pub(super) static CONFIG: Show = Show {
    columns: &[("Type", "type"), ("Instance", "instance"), ("Name", "`key`"), ("Value", "value")],
    from: "information_schema.cluster_config",
    order: "concat(type, ' ', instance, ' ', `key`)",
    like: "Name",
    takes: Takes::Nothing,
    kind: ResultKind::NodeRows,
};

/// What a SHOW is about, and which of its rows are shown.
#[derive(Debug, Default)]
struct Choice {
    schema: Option<String>,
    table: Option<ObjectName>,
    /// True of the rows that LIKE or WHERE leave.
    filter: Option<Expr>,
}

/// The SELECT that a SHOW stands for, from behind its head of so many words.
pub(super) fn parse(
    show: &Show,
    tokens: Vec<TokenWithSpan>,
    words: usize,
    context: &Context<'_>,
) -> Result<Select, Error> {
    let mut cursor = Cursor::new(tokens);
    cursor.skip(words);
    let mut choice = Choice::default();
    match show.takes {
        Takes::Nothing => {}
        Takes::Table => choice.table = Some(cursor.name()?),
        Takes::Schema => {
            choice.schema = Some(match from(&mut cursor)? {
                Some(schema) => known_schema(last_part(&schema)?)?,
                None => current_schema(context.session()).to_owned(),
            });
        }
        Takes::FromTable => {
            let Some(mut table) = from(&mut cursor)? else { return cursor.expected("FROM and a table") };
            if let Some(schema) = from(&mut cursor)? {
                table.0.splice(0..table.0.len() - 1, schema.0);
            }
            choice.table = Some(table);
        }
    }
    let like_column = heading(show.like, choice.schema.as_deref());
    if cursor.take("LIKE") {
        choice.filter = Some(like(&like_column, &cursor.text("a pattern in quotes")?));
    } else if cursor.take("WHERE") {
        let mut condition = cursor.condition()?;
        rewrite::to_datafusion(&mut condition, context)?;
        expr::to_condition(&mut condition);
        choice.filter = Some(condition);
    }
    cursor.end("the end, LIKE 'pattern' or WHERE condition")?;
    select(show, choice, context)
}

/// The columns of a table: DESC.
pub(super) fn describe(table: &ObjectName, context: &Context<'_>) -> Result<Select, Error> {
    select(&COLUMNS, Choice { table: Some(table.clone()), ..Choice::default() }, context)
}

fn from(cursor: &mut Cursor<'_>) -> Result<Option<ObjectName>, Error> {
    match cursor.take("FROM") || cursor.take("IN") {
        true => cursor.name().map(Some),
        false => Ok(None),
    }
}

fn heading(name: &str, schema: Option<&str>) -> String {
    name.replace("{schema}", schema.unwrap_or_default())
}

fn select(show: &Show, choice: Choice, context: &Context<'_>) -> Result<Select, Error> {
    let Choice { schema, table, filter } = choice;
    let headings: Vec<String> = show.columns.iter().map(|(name, _)| heading(name, schema.as_deref())).collect();
    let aliases: Vec<String> =
        headings.iter().map(|name| format!("`{}`", name.to_lowercase().replace('`', "``"))).collect();
    let sources = show.columns.iter().zip(&aliases).map(|((_, source), alias)| format!("{source} AS {alias}"));
    let mut statement = parse_text(&format!(
        "SELECT {} FROM (SELECT {}, {} AS shown_order FROM {}) AS shown ORDER BY shown_order",
        aliases.join(", "),
        sources.collect::<Vec<_>>().join(", "),
        show.order,
        show.from,
    ))?;
    let of_table = table.map(|table| about(&table, context)).transpose()?;
    let condition = of_table.or_else(|| schema.map(|schema| is("table_schema", &schema)));
    put_conditions(&mut statement, condition, filter)?;
    Ok(Select { statement, column_names: ColumnNames::all(headings), kind: show.kind, kept_under: None })
}

/// What is true of the rows about one table. A table that does not exist is found out by selecting nothing from it in the
/// same statement.
fn about(table: &ObjectName, context: &Context<'_>) -> Result<Expr, Error> {
    let name = last_part(table)?;
    let schema = schema_of(table, context.session());
    let mut nothing = parse_text("SELECT 1 FROM shown WHERE false")?;
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

fn like(column: &str, pattern: &str) -> Expr {
    Expr::ILike {
        negated: false,
        any: false,
        expr: Box::new(Expr::Identifier(Ident::with_quote('`', column.to_lowercase()))),
        pattern: Box::new(expr::text(pattern)),
        escape_char: None,
    }
}

fn parse_text(sql: &str) -> Result<Ast, Error> {
    let mut statements = Parser::parse_sql(&Dialected, sql)
        .map_err(|e| Error::Internal(format!("the rewritten statement {sql} does not parse: {e}")))?;
    Ok(statements.remove(0))
}
