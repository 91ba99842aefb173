//! What a statement is: a read, a change of the session, the end of a query, or refused.
//!
//! Names are not case-sensitive, as in MySQL: what backticks quote is put in lower case among the tokens, what is bare
//! by the planner. So the statement is parsed twice when it quotes: once as it was typed, for the names of the result's
//! columns, and once for the plan.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::ScalarValue;
use sqlparser::ast::{
    DescribeAlias, Expr, Ident, ObjectName, SelectItem, Set, SetExpr, Statement as Ast, UnaryOperator, Use, Value,
};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use unum_proto::model::SqlSession;

use super::configure::{self, Configure};
use super::dialect::Dialected;
use super::digest::Digest;
use super::headings::Headings;
use super::plans::Plan;
use super::plans::shape::Shape;
use super::rewrite;
use super::tables::{DEFAULT_SCHEMA, View};
use super::variables::{self, Context, Setting};
use super::{Error, bounds, show, suggest};

/// What a statement asks for.
#[derive(Debug)]
pub enum Statement {
    /// Rows.
    Read(Box<Read>),
    /// Rows, by a plan that is there already.
    Planned(Box<Planned>),
    /// The session changes to this.
    Session(SqlSession),
    /// A running query is to end, wherever it runs.
    Kill {
        /// Its id in `processlist`.
        query: u64,
    },
    /// The configuration of nodes is to change.
    Configure(Box<Configure>),
}

/// A statement that is answered with rows.
#[derive(Debug)]
pub struct Read {
    pub(super) statement: Ast,
    pub(super) headings: Headings,
    pub(super) tells: Tells,
    /// What its plan is kept under, if the text alone says what it is.
    pub(super) shape: Option<Shape>,
}

/// A statement whose plan is there already.
#[derive(Debug)]
pub struct Planned {
    pub(super) plan: Arc<Plan>,
    pub(super) values: Vec<ScalarValue>,
    /// For when the plan is out of date.
    pub(super) words: Words,
}

impl Planned {
    /// What the statement has in common with others.
    pub fn digest(&self) -> Arc<Digest> {
        Arc::clone(&self.plan.digest)
    }

    /// Whether it is so little that it may be answered where it came in.
    pub fn is_lookup(&self) -> bool {
        self.plan.lookup.is_some()
    }
}

/// The words of a statement.
#[derive(Debug, Clone)]
pub struct Words {
    sql: String,
    tokens: Vec<TokenWithSpan>,
}

impl Words {
    /// Splits a statement, of no more words and operators than are allowed.
    pub fn of(sql: &str) -> Result<Self, Error> {
        let tokens = Tokenizer::new(&Dialected, sql).tokenize_with_location().map_err(ParserError::from)?;
        bounds::check_tokens(&tokens)?;
        Ok(Self { sql: sql.to_owned(), tokens })
    }

    /// What the statement shares with others of the schema.
    pub fn shape(&self, schema: &str) -> Option<Shape> {
        Shape::of(&self.sql, &self.tokens, schema)
    }
}

/// What a read is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tells {
    /// The rows of nodes: their reader wants to know which nodes are up.
    Rows,
    /// What there is, whoever is up.
    Shape,
    /// The warnings of the statement before, which stay as they are.
    Warnings,
}

/// How deep expressions and subqueries may nest: planning recurses.
pub const NESTING_MAX: usize = 64;

/// Parses one statement of a session. Its plan is kept under its shape, if it asks for nothing but what is written in it.
pub fn parse(words: Words, shape: Option<Shape>, context: &Context<'_>) -> Result<Statement, Error> {
    let mut statement = parse_any(words, context)?;
    if let Statement::Read(read) = &mut statement
        && matches!(read.statement, Ast::Query(_))
        && read.tells == Tells::Rows
        && !context.was_asked()
    {
        read.shape = shape;
    }
    Ok(statement)
}

fn parse_any(words: Words, context: &Context<'_>) -> Result<Statement, Error> {
    let Words { sql, tokens } = words;
    let sql = sql.as_str();
    if let Some(configure) = configure::parse(&tokens, context)? {
        return Ok(Statement::Configure(Box::new(configure)));
    }
    if let Some(filter) = configure::show(&tokens)? {
        return show::config(filter, context).map(boxed);
    }
    let quoted = tokens.iter().any(is_quoted_name);
    let typed = parse_one(tokens.clone(), sql)?;
    bounds::check_tables(&typed)?;
    let headings = Headings::of(&typed);
    let lowered = match quoted {
        true => parse_one(tokens.into_iter().map(in_lower_case).collect(), sql)?,
        false => typed,
    };
    classify(lowered, headings, context)
}

fn is_quoted_name(token: &TokenWithSpan) -> bool {
    matches!(&token.token, Token::Word(word) if word.quote_style.is_some())
}

fn in_lower_case(mut token: TokenWithSpan) -> TokenWithSpan {
    if let Token::Word(word) = &mut token.token
        && word.quote_style.is_some()
    {
        word.value = word.value.to_lowercase();
    }
    token
}

fn parse_one(tokens: Vec<TokenWithSpan>, sql: &str) -> Result<Ast, Error> {
    let mut parser = Parser::new(&Dialected).with_recursion_limit(NESTING_MAX).with_tokens_with_locations(tokens);
    let mut statements = parser.parse_statements().map_err(|e| with_position(e, sql))?;
    match statements.len() {
        1 => Ok(statements.remove(0)),
        0 => Err(Error::Invalid("the statement is empty; write a SELECT".into())),
        count => Err(Error::Invalid(format!("the request has {count} statements; send one at a time"))),
    }
}

/// The parser names the place of a wrong word, but not of a missing one: that is the end.
fn with_position(error: ParserError, sql: &str) -> ParserError {
    match error {
        ParserError::ParserError(what) if !what.contains("at Line: ") => {
            let line = sql.lines().count().max(1);
            let column = sql.lines().last().map_or(0, |line| line.chars().count()) + 1;
            ParserError::ParserError(format!("{what} at Line: {line}, Column: {column}"))
        }
        other => other,
    }
}

fn classify(statement: Ast, headings: Headings, context: &Context<'_>) -> Result<Statement, Error> {
    match statement {
        Ast::Use(target) => Ok(Statement::Session(use_schema(&target, context)?)),
        Ast::Set(set) => Ok(Statement::Session(set_variables(set, context)?)),
        Ast::Kill { id, .. } => Ok(Statement::Kill { query: id }),
        Ast::Query(_) => read(statement, headings, context),
        Ast::Explain { statement: ref explained, .. } => match explained.as_ref() {
            Ast::Query(_) => read(statement, Headings::default(), context),
            other => Err(refused(other)),
        },
        Ast::ExplainTable { describe_alias: DescribeAlias::Explain, .. } => {
            Err(Error::Invalid("EXPLAIN takes a SELECT; DESC describes a table".into()))
        }
        Ast::ExplainTable { table_name, .. } => show::columns(&table_name, None, false, context).map(boxed),
        other => match show::rewrite(other, context)? {
            Ok(read) => Ok(boxed(read)),
            Err(other) => Err(refused(&other)),
        },
    }
}

fn boxed(read: Read) -> Statement {
    Statement::Read(Box::new(read))
}

fn read(mut statement: Ast, headings: Headings, context: &Context<'_>) -> Result<Statement, Error> {
    rewrite::to_datafusion(&mut statement, context)?;
    tell_apart(&mut statement);
    Ok(boxed(Read { statement, headings, tells: Tells::Rows, shape: None }))
}

/// `SELECT 1, 1`, `SELECT *, id` and `SELECT id, n.Id` are legal in MySQL, and columns of one name are not in DataFusion:
/// the later ones get one of their own. Nobody sees it, for [`Headings`] has what was typed.
fn tell_apart(statement: &mut Ast) {
    match statement {
        Ast::Query(query) => tell_columns_apart(&mut query.body),
        Ast::Explain { statement, .. } => tell_apart(statement),
        _ => {}
    }
}

fn tell_columns_apart(body: &mut SetExpr) {
    let select = match body {
        SetExpr::Select(select) => select,
        SetExpr::Query(query) => return tell_columns_apart(&mut query.body),
        SetExpr::SetOperation { left, right, .. } => {
            tell_columns_apart(left);
            return tell_columns_apart(right);
        }
        _ => return,
    };
    let unnamed = select.projection.iter().filter(|item| matches!(name_of(item), Named::No)).count();
    let wildcard = select.projection.iter().any(|item| matches!(name_of(item), Named::Many));
    let mut names = HashSet::new();
    for (position, item) in select.projection.iter_mut().enumerate() {
        let again = match name_of(item) {
            Named::Column(name) => !names.insert(name) || wildcard,
            Named::Alias(name) => !names.insert(name),
            Named::No => unnamed > 1,
            Named::Many => false,
        };
        if !again {
            continue;
        }
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
            let alias = Ident::with_quote('`', format!("#{}", position + 1));
            *item = SelectItem::ExprWithAlias { expr: std::mem::replace(expr, rewrite::null()), alias };
        }
    }
}

/// The name of what one item of a SELECT makes, in lower case.
enum Named {
    Column(String),
    Alias(String),
    No,
    /// A `*`.
    Many,
}

fn name_of(item: &SelectItem) -> Named {
    match item {
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Named::Column(name.value.to_lowercase()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => {
            Named::Column(parts.last().map(|part| part.value.to_lowercase()).unwrap_or_default())
        }
        SelectItem::UnnamedExpr(_) => Named::No,
        SelectItem::ExprWithAlias { alias, .. } => Named::Alias(alias.value.to_lowercase()),
        _ => Named::Many,
    }
}

fn refused(statement: &Ast) -> Error {
    let text = statement.to_string();
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    Error::ReadsOnly(format!("{} is refused; nodes change their rows by pushing them", words.join(" ")))
}

/// The schema of names without one.
pub fn current_schema(session: &SqlSession) -> &str {
    match session.schema.as_str() {
        "" => DEFAULT_SCHEMA,
        schema => schema,
    }
}

fn use_schema(target: &Use, context: &Context<'_>) -> Result<SqlSession, Error> {
    let name = match target {
        Use::Object(name) | Use::Database(name) | Use::Schema(name) => last_part(name)?,
        other => return Err(Error::Invalid(format!("{other} is refused; write USE and a schema"))),
    };
    Ok(SqlSession { schema: known_schema(name)?, ..context.session().clone() })
}

/// The name of a schema that there is.
pub fn known_schema(name: String) -> Result<String, Error> {
    match View::schema_names().contains(&name.as_str()) {
        true => Ok(name),
        false => {
            let near = suggest::nearest(&name, View::schema_names());
            Err(suggest::unknown("schema", &name, near, "SHOW DATABASES"))
        }
    }
}

/// The last part of a name, in lower case.
pub fn last_part(name: &ObjectName) -> Result<String, Error> {
    let ident = name.0.last().and_then(|part| part.as_ident());
    Ok(ident.ok_or_else(|| Error::Invalid(format!("{name} is not a name")))?.value.to_lowercase())
}

fn set_variables(set: Set, context: &Context<'_>) -> Result<SqlSession, Error> {
    let mut session = context.session().clone();
    let mut assign = |name: &str, value: &Expr| -> Result<(), Error> {
        let value = setting(value, context)?;
        variables::check(name, &value.clone().into_plain())?;
        session.variables.insert(name.to_owned(), value.into_kept(name));
        Ok(())
    };
    match set {
        Set::SingleAssignment { variable, values, scope, .. } => {
            refuse_global(scope.map(|scope| scope.to_string()).unwrap_or_default().trim())?;
            let [value] = values.as_slice() else {
                return Err(Error::Invalid(format!("SET {variable} takes one value")));
            };
            assign(&variable_name(&variable.to_string())?, value)?;
        }
        Set::MultipleAssignments { assignments } => {
            for assignment in assignments {
                refuse_global(&assignment.scope.map(|scope| scope.to_string()).unwrap_or_default())?;
                assign(&variable_name(&assignment.name.to_string())?, &assignment.value)?;
            }
        }
        // Clients send it when they connect; all text is UTF-8.
        Set::SetNames { .. } | Set::SetNamesDefault {} => {}
        other => {
            return Err(Error::Invalid(format!("{other} is refused; SHOW VARIABLES lists what a session can SET")));
        }
    }
    // What is too much for the next request is refused by this one.
    SqlSession::new(session.schema, session.variables, session.warnings).map_err(|e| Error::Invalid(e.to_string()))
}

fn refuse_global(scope: &str) -> Result<(), Error> {
    match scope.to_ascii_uppercase().as_str() {
        "" | "SESSION" | "LOCAL" => Ok(()),
        other => Err(Error::Invalid(format!("SET {other} is refused; a session sets its own variables"))),
    }
}

/// `@@session.Name` and `NAME` are `name`; `@Name` is a user's variable, `@name`.
pub fn variable_name(typed: &str) -> Result<String, Error> {
    let name = typed.to_lowercase().replace(['`', '"'], "");
    let Some(system) = name.strip_prefix("@@") else { return Ok(name) };
    match system.split_once('.') {
        None => Ok(system.to_owned()),
        Some(("session" | "local", name)) => Ok(name.to_owned()),
        Some(("global", name)) => Ok(name.to_owned()),
        Some(_) => Err(Error::Invalid(format!("{typed} is no variable; write @@name or @@session.name"))),
    }
}

/// What SET takes: a literal, a bare word, or another variable.
fn setting(value: &Expr, context: &Context<'_>) -> Result<Setting, Error> {
    let refused = || Err(Error::Invalid(format!("SET takes a literal, not {value}")));
    match value {
        Expr::Nested(value) => setting(value, context),
        Expr::Value(value) => Ok(match &value.value {
            Value::Number(number, _) => Setting::Number(number.clone()),
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Setting::Text(text.clone()),
            Value::Boolean(truth) => Setting::Number(u8::from(*truth).to_string()),
            Value::Null => Setting::Null,
            _ => return refused(),
        }),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match setting(expr, context)? {
            Setting::Number(number) => Ok(Setting::Number(format!("-{number}"))),
            Setting::Null | Setting::Text(_) => refused(),
        },
        Expr::Identifier(word) if word.value.starts_with('@') => variables::get(&variable_name(&word.value)?, context),
        // SET autocommit = ON
        Expr::Identifier(word) => Ok(Setting::Text(word.value.clone())),
        _ => refused(),
    }
}
