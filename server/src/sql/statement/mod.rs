//! What a statement is: one match shows all that there are.
//!
//! The statement is parsed twice when it quotes names: once as it was typed, for the names of the result's columns, and
//! once in lower case, for the plan.

mod alter_table;
mod change_key;
mod column_names;
pub mod configure;
mod drop_table;
pub mod heads;
mod select;
mod set;
mod show;
mod text;

use std::sync::Arc;

use sqlparser::ast::{DescribeAlias, Statement as Ast};
use unum_proto::model::{QueryId, SqlSession};

pub use self::column_names::ColumnNames;
pub use self::configure::Configure;
use self::heads::{Grammar, Head};
pub use self::select::{KeptUnder, ResultKind, Select};
pub use self::text::StatementText;
use super::Error;
use super::syntax::cursor::Cursor;
use super::syntax::{Fingerprint, Tokens, complexity};
use super::variables::Context;
use crate::catalog::change::CatalogChange;

/// What a statement asks for.
#[derive(Debug)]
pub enum Statement {
    /// Rows.
    Select(Box<Select>),
    /// Something else than rows.
    Command(Command),
}

/// What a statement does that is not answered by a plan.
#[derive(Debug)]
pub enum Command {
    /// The session changes to this.
    SetSession(SqlSession),
    /// A running query is to end, wherever it runs.
    Kill {
        /// Its id in `processlist`.
        query: QueryId,
    },
    /// The configuration of nodes is to change.
    Configure(Box<Configure>),
    /// Something else that is replicated is to change.
    Change {
        /// How.
        change: CatalogChange,
        /// What was typed to tell a repetition from another change.
        change_key: Option<String>,
    },
}

/// Parses one statement of a session. Its plan is kept under its fingerprint, if it asks for nothing but what is written in it.
pub fn parse(tokens: &Tokens, fingerprint: Option<Fingerprint>, context: &Context<'_>) -> Result<Statement, Error> {
    let mut statement = parse_any(tokens, context)?;
    if let Statement::Select(select) = &mut statement
        && matches!(select.statement, Ast::Query(_))
        && select.kind == ResultKind::NodeRows
        && !context.was_asked()
    {
        select.kept_under = fingerprint.map(|fingerprint| KeptUnder { fingerprint, digest: Arc::new(tokens.digest()) });
    }
    Ok(statement)
}

fn parse_any(tokens: &Tokens, context: &Context<'_>) -> Result<Statement, Error> {
    match heads::find(tokens.all()) {
        Some((Head { grammar: Grammar::Show(show), .. }, words)) => {
            let select = show::parse(show, tokens.in_lower_case(), words, context)?;
            complexity::check_tables(&select.statement)?;
            return Ok(boxed(select));
        }
        Some((Head { grammar: Grammar::Configure(verb), .. }, words)) => {
            if let Some(configure) = configure::parse(*verb, tokens.all(), words, context)? {
                return Ok(Statement::Command(Command::Configure(Box::new(configure))));
            }
        }
        Some((Head { grammar: Grammar::Change(parse), .. }, words)) => {
            let mut statement = Cursor::new(tokens.in_lower_case());
            statement.skip(words);
            let change = parse(&mut statement, context)?;
            let change_key = statement.take("CHANGE").then(|| change_key::parse(&mut statement)).transpose()?;
            statement.end("the end, or CHANGE KEY 'text'")?;
            return Ok(Statement::Command(Command::Change { change, change_key }));
        }
        Some((Head { grammar: Grammar::Sql, .. }, _)) | None => {}
    }
    let typed = tokens.tree()?;
    complexity::check_tables(&typed)?;
    let column_names = ColumnNames::of(&typed);
    classify(tokens.tree_in_lower_case().unwrap_or(Ok(typed))?, column_names, context)
}

/// What sqlparser has read.
fn classify(statement: Ast, column_names: ColumnNames, context: &Context<'_>) -> Result<Statement, Error> {
    match statement {
        Ast::Query(_) => Select::new(statement, column_names, context).map(boxed),
        Ast::Explain { statement: ref explained, .. } => match explained.as_ref() {
            Ast::Query(_) => Select::new(statement, ColumnNames::default(), context).map(boxed),
            other => Err(refused(other)),
        },
        Ast::ExplainTable { describe_alias: DescribeAlias::Explain, .. } => {
            Err(Error::Invalid("EXPLAIN takes a SELECT; DESC describes a table".into()))
        }
        Ast::ExplainTable { table_name, .. } => show::describe(&table_name, context).map(boxed),
        Ast::Use(target) => Ok(Statement::Command(Command::SetSession(set::use_schema(&target, context)?))),
        Ast::Set(set) => Ok(Statement::Command(Command::SetSession(set::set_variables(set, context)?))),
        Ast::Kill { id, .. } => Ok(Statement::Command(Command::Kill { query: id.into() })),
        Ast::ShowVariable { .. } => {
            Err(Error::Invalid(format!("{statement} is not known; SHOW takes {}", heads::shows())))
        }
        other => Err(refused(&other)),
    }
}

fn boxed(select: Select) -> Statement {
    Statement::Select(Box::new(select))
}

fn refused(statement: &Ast) -> Error {
    let text = statement.to_string();
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    let words = words.join(" ");
    match statement {
        Ast::StartTransaction { .. }
        | Ast::Commit { .. }
        | Ast::Rollback { .. }
        | Ast::Savepoint { .. }
        | Ast::ReleaseSavepoint { .. } => Error::ReadsOnly(format!(
            "{words} is not needed: there are no transactions, and each statement reads one revision"
        )),
        Ast::Insert(_)
        | Ast::Update(_)
        | Ast::Delete(_)
        | Ast::Merge(_)
        | Ast::Truncate(_)
        | Ast::LoadData { .. }
        | Ast::Copy { .. } => Error::ReadsOnly(format!("{words} is refused; nodes change their rows by pushing them")),
        _ if words.to_uppercase().starts_with("SHOW") => {
            Error::Invalid(format!("{words} is not known; SHOW takes {}", heads::shows()))
        }
        _ if words.to_uppercase().starts_with("CREATE") || words.to_uppercase().starts_with("ALTER") => {
            Error::ReadsOnly(format!(
                "{words} is refused; the first push of a table makes it, later ones add columns, and ALTER TABLE takes them away"
            ))
        }
        _ => Error::ReadsOnly(format!("{words} is refused; docs/SQL.md lists the statements that there are")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::sql::Limits;

    #[test]
    fn a_condition_behind_show_or_update_reads_no_more_tables_than_a_select() {
        let session = SqlSession::new(String::new(), BTreeMap::new(), Vec::new()).expect("an empty session");
        let limits = Limits { memory_bytes: 0, rows: 0, bytes: 0 };
        let next = |level: usize| format!(", c{} AS (SELECT 1 FROM c{level} a, c{level} b)", level + 1);
        let doubled = |levels: usize| {
            let rest: String = (0..levels).map(next).collect();
            format!("1 IN (WITH c0 AS (SELECT 1 FROM nodes){rest} SELECT * FROM c{levels})")
        };
        for head in ["SHOW TABLES", "SHOW CONFIG", "SELECT * FROM nodes"] {
            let refused = |levels: usize| {
                let tokens = Tokens::parse(&format!("{head} WHERE {}", doubled(levels))).expect("tokens");
                let context = Context::new(&session, &limits, "unum/unum_1", "u", 1.into());
                parse(&tokens, None, &context).err().map(|error| error.to_string())
            };
            assert_eq!(refused(3), None, "{head}");
            assert!(refused(25).is_some_and(|why| why.contains("tables")), "{head}");
        }
        let condition = |levels: usize| {
            let tokens = Tokens::parse(&format!("SELECT 1 WHERE {}", doubled(levels))).expect("tokens");
            let Ast::Query(query) = tokens.tree().expect("a query") else { panic!("no query") };
            let select = query.body.as_select().expect("a SELECT").clone();
            configure::settings_read(select.selection.as_ref()).is_ok()
        };
        assert!(condition(3) && !condition(25));
    }
}
