//! Statements that change the configuration of nodes: what sqlparser does not know of SQL.
//!
//! ```sql
//! SET CONFIG ALL | type | 'node' key = value [, key = value …] [options]
//! UPDATE cluster_config SET value = value WHERE condition [options]
//! RESUME CHANGE id [WAIT 10s] · CANCEL CHANGE id · ROLLBACK CHANGE id [DRY RUN] [WAIT 10s]
//! -- options, in any order: DRY RUN · CANARY 10% · CANARY 1 · IF REVISION = n · ENFORCE · WAIT 10s · CHANGE KEY 'text'
//! ```
//!
//! Here they are parsed; `service::configure` finds the nodes and makes the change.

mod change;
mod grammar;

use sqlparser::ast::{Expr, SetExpr, Statement as Ast};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::TokenWithSpan;
use unum_proto::model::ChangeId;
use unum_proto::model::secrets::{is_secret, is_secret_value};

pub use self::change::{Canary, Chosen, Configure, Options, What};
use self::grammar::ConfigureParser;
use super::column_names::ColumnNames;
use super::select::{ResultKind, Select};
use crate::sql::Error;
use crate::sql::syntax::complexity;
use crate::sql::syntax::dialect::Dialected;
use crate::sql::variables::Context;

/// Which of these statements it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// SET CONFIG.
    Set,
    /// UPDATE cluster_config.
    Update,
    /// RESUME CHANGE.
    Resume,
    /// CANCEL CHANGE.
    Cancel,
    /// ROLLBACK CHANGE.
    Rollback,
}

/// The statement, from behind its head of so many words; none if it updates another table.
pub(super) fn parse(
    verb: Verb,
    tokens: &[TokenWithSpan],
    words: usize,
    context: &Context<'_>,
) -> Result<Option<Configure>, Error> {
    // An UPDATE is SQL's: sqlparser reads it from its first word on.
    let mut statement = ConfigureParser::new(tokens, if verb == Verb::Update { 0 } else { words });
    let what = match verb {
        Verb::Set => statement.set()?,
        Verb::Update => match statement.update(context)? {
            Some(update) => update,
            None => return Ok(None),
        },
        Verb::Resume => What::Resume(statement.change()?),
        Verb::Cancel => What::Cancel(statement.change()?),
        Verb::Rollback => What::Rollback(statement.change()?),
    };
    let options = statement.options()?;
    check_options(&what, &options)?;
    let masked = statement.text(true);
    let has_secret = match &what {
        What::Set { assignments, .. } => {
            assignments.iter().any(|(key, value)| is_secret(key) || is_secret_value(value))
        }
        What::Update { value, .. } => is_secret_value(value),
        What::Resume(_) | What::Cancel(_) | What::Rollback(_) => false,
    };
    let shown = if has_secret { masked.clone() } else { statement.text(false) };
    Ok(Some(Configure { what, options, shown, masked }))
}

fn check_options(what: &What, options: &Options) -> Result<(), Error> {
    let Options { dry_run, canary, if_revision, enforce, wait, .. } = options;
    let sets = matches!(what, What::Set { .. } | What::Update { .. });
    let refused = [
        ("DRY RUN", *dry_run && matches!(what, What::Resume(_) | What::Cancel(_))),
        ("CANARY", canary.is_some() && !sets),
        ("IF REVISION", if_revision.is_some() && !sets),
        ("ENFORCE", *enforce && !sets),
        ("WAIT", wait.is_some() && matches!(what, What::Cancel(_))),
        ("WAIT beside DRY RUN", wait.is_some() && *dry_run),
    ];
    match refused.into_iter().find(|(_, refused)| *refused) {
        Some((option, _)) => {
            Err(Error::Invalid(format!("{option} is refused here; docs/CONFIGURE.md has the grammar")))
        }
        None => Ok(()),
    }
}

/// The read of the settings that an UPDATE means: node type, node id and key.
pub fn settings_read(condition: Option<&Expr>) -> Result<Select, Error> {
    let mut statement = parsed("SELECT node_type, node_id, `key` FROM cluster_config WHERE true")?;
    if let Ast::Query(query) = &mut statement
        && let SetExpr::Select(select) = query.body.as_mut()
    {
        select.selection = condition.cloned();
    }
    complexity::check_tables(&statement)?;
    Ok(Select { statement, column_names: ColumnNames::default(), kind: ResultKind::Metadata, kept_under: None })
}

/// The read of what came of a change so far.
pub fn outcome_read(change: ChangeId, dry_run: bool) -> Result<Select, Error> {
    let columns = match dry_run {
        true => "node_type, node_id, `key`, old, desired",
        false => "change_id, node_type, node_id, `key`, old, desired, state, attempts, error",
    };
    let order = "ORDER BY node_type, node_id, `key`";
    let statement =
        parsed(&format!("SELECT {columns} FROM unum.config_change_nodes WHERE change_id = {change} {order}"))?;
    Ok(Select { statement, column_names: ColumnNames::default(), kind: ResultKind::Metadata, kept_under: None })
}

fn parsed(sql: &str) -> Result<Ast, Error> {
    Ok(Parser::parse_sql(&Dialected, sql)?.remove(0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use sqlparser::tokenizer::Tokenizer;
    use unum_proto::model::{MASK, SqlSession};

    use super::super::heads::{self, Grammar, Head};

    use super::*;
    use crate::sql::Limits;

    fn parsed(sql: &str) -> Result<Option<Configure>, Error> {
        let session = SqlSession::new(String::new(), BTreeMap::new(), Vec::new()).expect("an empty session");
        let limits = Limits { memory_bytes: 0, rows: 0, bytes: 0 };
        let context = Context::new(&session, &limits, "unum/unum_1", "u", 1.into());
        let tokens = Tokenizer::new(&Dialected, sql).tokenize_with_location().expect("tokens");
        match heads::find(&tokens) {
            Some((Head { grammar: Grammar::Configure(verb), .. }, words)) => parse(*verb, &tokens, words, &context),
            _ => Ok(None),
        }
    }

    #[test]
    fn what_sql_has_no_grammar_for_is_parsed() {
        let set = |sql: &str| match parsed(sql).expect(sql).expect(sql) {
            Configure { what: What::Set { chosen, assignments }, options, shown, .. } => {
                (chosen, assignments, options, shown)
            }
            other => panic!("{other:?}"),
        };
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let (chosen, assignments, options, shown) = set("SET CONFIG tikv log.level = 'info';");
        assert_eq!((chosen, assignments), (Chosen::Type("tikv".into()), vec![pair("log.level", "info")]));
        assert_eq!((options, shown.as_str()), (Options::default(), "SET CONFIG tikv log.level = 'info'"));
        let (chosen, assignments, options, _) = set(
            "set config 'tikv_1' `raftstore.sync-log`=on, raftstore.store-pool-size = -2, a.b=64KiB canary 10% if revision = 7 \
             enforce wait 1m change key 'k'",
        );
        assert_eq!(chosen, Chosen::Node("tikv_1".into()));
        let expected =
            [pair("raftstore.sync-log", "on"), pair("raftstore.store-pool-size", "-2"), pair("a.b", "64KiB")];
        assert_eq!(assignments, expected);
        let expected = Options {
            dry_run: false,
            canary: Some(Canary::Percent(10)),
            if_revision: Some(7),
            enforce: true,
            wait: Some(Duration::from_secs(60)),
            change_key: Some("k".into()),
        };
        assert_eq!(options, expected);
        assert_eq!(set("SET CONFIG ALL a = 1 DRY RUN").0, Chosen::All);
        assert_eq!(set("SET CONFIG ALL a = (-2) DRY RUN").1, [pair("a", "-2")], "as a negative number is bound");
        assert_eq!(set("SET CONFIG x tls.password = 'hush'").3, format!("SET CONFIG x tls.password = '{MASK}'"));
        let shown = set("-- hush\n/* hush */ SET CONFIG x tls.password = 12hush /* hush */").3;
        assert_eq!(shown, format!("SET CONFIG x tls.password = '{MASK}'"));
        let update =
            parsed("UPDATE cluster_config SET value = 'info' WHERE node_type = 'tikv' AND `key` = 'log.level' WAIT 2s");
        assert!(
            matches!(update, Ok(Some(Configure { what: What::Update { condition: Some(_), .. }, .. }))),
            "{update:?}"
        );
        for negative in ["-2", "(-2)"] {
            let update = parsed(&format!("UPDATE cluster_config SET value = {negative}")).expect(negative);
            assert!(
                matches!(&update, Some(Configure { what: What::Update { value, .. }, .. }) if value == "-2"),
                "{update:?}"
            );
        }
        assert!(parsed("UPDATE t SET value = 'info'").expect("another table").is_none());
        assert!(parsed("SET x = 1").expect("another SET").is_none());
        for (sql, part) in [
            ("SET CONFIG", "ALL, a node type"),
            ("SET CONFIG tikv = 1", "a config key"),
            ("SET CONFIG tikv a 1", "= and a value"),
            ("SET CONFIG tikv a = NULL", "a value"),
            ("SET CONFIG tikv a = (-2", ")"),
            ("SET CONFIG tikv a = ('x')", "a value"),
            ("SET CONFIG tikv a = 1 MAYBE", "the end, DRY RUN"),
            ("SET CONFIG tikv a = 1, a = 2", "set twice"),
            ("SET CONFIG tikv a = 1 CANARY 0", "CANARY 0"),
            ("SET CONFIG tikv a = 1 WAIT 5", "WAIT 5"),
            ("SET CONFIG tikv a = 1 WAIT 2h", "WAIT 2h is longer than 1h"),
            ("CANCEL CHANGE 3 DRY RUN", "DRY RUN is refused"),
            ("CANCEL CHANGE x", "the id of a change"),
            ("UPDATE cluster_config SET type = 'x'", "cannot be set"),
            ("UPDATE cluster_config SET value = 1 + 1", "takes a literal"),
        ] {
            let error = parsed(sql).expect_err(sql).to_string();
            assert!(error.contains(part), "{sql}: {error}");
        }
    }
}
