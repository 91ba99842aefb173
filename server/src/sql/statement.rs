//! What a statement is: one of the reads that are answered, or refused.
//!
//! SHOW and DESC become SELECTs over `information_schema`; names and patterns travel as quoted literals of the
//! syntax tree, never as text that is parsed again as SQL of somebody's making.

use sqlparser::ast::{
    DescribeAlias, ObjectName, ShowStatementFilter, ShowStatementFilterPosition, ShowStatementOptions, Statement,
};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::{Parser, ParserError};

use super::Error;

/// How deep expressions and subqueries may nest: planning recurses.
const NESTING_MAX: usize = 64;

/// Parses one statement and makes it a plain read.
pub fn parse(sql: &str) -> Result<Statement, Error> {
    let parsed = Parser::new(&MySqlDialect {}).with_recursion_limit(NESTING_MAX).try_with_sql(sql);
    let mut statements = parsed.and_then(|mut parser| parser.parse_statements()).map_err(|e| with_position(e, sql))?;
    match statements.len() {
        1 => rewrite(statements.remove(0)),
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

fn rewrite(statement: Statement) -> Result<Statement, Error> {
    match statement {
        Statement::Query(_) => Ok(statement),
        Statement::Explain { statement: ref explained, .. } => match explained.as_ref() {
            Statement::Query(_) => Ok(statement),
            other => Err(refused(other)),
        },
        Statement::ExplainTable { describe_alias: DescribeAlias::Explain, .. } => {
            Err(Error::Invalid("EXPLAIN takes a SELECT; DESC describes a table".into()))
        }
        Statement::ExplainTable { table_name, .. } => describe(&table_name),
        Statement::ShowColumns { show_options, .. } => {
            let table = show_options.show_in.and_then(|show_in| show_in.parent_name);
            describe(&table.ok_or_else(|| Error::Invalid("SHOW COLUMNS takes FROM and a table".into()))?)
        }
        Statement::ShowTables { show_options, .. } => show_tables(show_options),
        Statement::ShowDatabases { show_options, .. } | Statement::ShowSchemas { show_options, .. } => {
            let filter = filter("schema_name", show_options)?;
            generated(&format!(
                "SELECT schema_name AS `Database` FROM information_schema.schemata WHERE {filter} ORDER BY schema_name"
            ))
        }
        other => Err(refused(&other)),
    }
}

fn refused(statement: &Statement) -> Error {
    let text = statement.to_string();
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    Error::ReadsOnly(format!("{} is refused; nodes change their rows by pushing them", words.join(" ")))
}

fn show_tables(options: ShowStatementOptions) -> Result<Statement, Error> {
    let schema = match options.show_in.as_ref().and_then(|show_in| show_in.parent_name.as_ref()) {
        None => "unum".to_owned(),
        Some(name) => last_part(name)?,
    };
    let filter = filter("table_name", options)?;
    let schema_literal = literal(&schema);
    let heading = format!("Tables_in_{schema}").replace('`', "``");
    generated(&format!(
        "SELECT table_name AS `{heading}` FROM information_schema.tables \
         WHERE table_schema = {schema_literal} AND {filter} ORDER BY table_name"
    ))
}

/// The columns of a table, in MySQL's DESC shape and our comment. A table that does not exist is found out by
/// selecting nothing from it in the same statement.
fn describe(table: &ObjectName) -> Result<Statement, Error> {
    let name = last_part(table)?;
    let schema = match table.0.len() {
        1 => "unum".to_owned(),
        _ => table.0[table.0.len() - 2].as_ident().map_or_else(String::new, |ident| ident.value.to_lowercase()),
    };
    let (name, schema) = (literal(&name), literal(&schema));
    generated(&format!(
        "SELECT column_name AS `Field`, column_type AS `Type`, is_nullable AS `Null`, column_comment AS `Comment` \
         FROM information_schema.columns \
         WHERE table_schema = {schema} AND table_name = {name} \
         AND NOT EXISTS (SELECT 1 FROM {table} WHERE false) ORDER BY ordinal_position"
    ))
}

fn last_part(name: &ObjectName) -> Result<String, Error> {
    let ident = name.0.last().and_then(|part| part.as_ident());
    Ok(ident.ok_or_else(|| Error::Invalid(format!("{name} is not a name")))?.value.to_lowercase())
}

fn filter(column: &str, options: ShowStatementOptions) -> Result<String, Error> {
    use ShowStatementFilterPosition::{Infix, Suffix};
    match options.filter_position {
        None => Ok("true".into()),
        Some(Infix(ShowStatementFilter::Like(pattern)) | Suffix(ShowStatementFilter::Like(pattern))) => {
            Ok(format!("{column} ILIKE {}", literal(&pattern)))
        }
        Some(Infix(other) | Suffix(other)) => {
            Err(Error::Invalid(format!("SHOW takes LIKE 'pattern', not {other}; or select from information_schema")))
        }
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn generated(sql: &str) -> Result<Statement, Error> {
    let mut statements = Parser::parse_sql(&MySqlDialect {}, sql)
        .map_err(|e| Error::Internal(format!("the rewritten statement {sql} does not parse: {e}")))?;
    Ok(statements.remove(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_read_is_refused() {
        for (sql, expected) in [
            ("INSERT INTO nodes VALUES (1)", "unum sql reads only: INSERT INTO is refused"),
            ("DROP TABLE nodes", "unum sql reads only: DROP TABLE is refused"),
            ("EXPLAIN DELETE FROM nodes", "unum sql reads only: DELETE FROM is refused"),
            ("CREATE TABLE t AS SELECT 1", "unum sql reads only: CREATE TABLE is refused"),
            ("SELECT 1; SELECT 2", "the request has 2 statements"),
            ("", "the statement is empty"),
            ("SELECT FROM WHERE", "the statement does not parse: "),
        ] {
            let error = parse(sql).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{sql}: {error}");
        }
        let error = parse("SELECT id\nFROM nodes WHERE (").unwrap_err().to_string();
        assert!(error.contains("Line: 2"), "{error}");
    }

    #[test]
    fn a_literal_cannot_escape_its_quotes() {
        let statement = parse(r"SHOW TABLES LIKE 'a\\'").unwrap();
        assert!(statement.to_string().contains("ILIKE"), "{statement}");
    }
}
