//! The heads of statements: a row for each that there is.
//!
//! The parser goes by this table, and so do the error for a SHOW that is not known, `information_schema.keywords`, from which
//! the prompt completes, and the table of statements in docs/SQL.md.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::alter_table;
use super::configure::Verb;
use super::drop_table;
use super::show::{self, Show};
use crate::catalog::change::CatalogChange;
use crate::sql::Error;
use crate::sql::syntax::cursor::Cursor;
use crate::sql::variables::Context;

/// How a statement begins, and what it is then.
#[derive(Debug)]
pub struct Head {
    /// Its first words; other spellings follow the usual one.
    pub words: &'static [&'static str],
    /// How it is written. A head without is a variant of the one before.
    pub usage: &'static str,
    /// What is to be said of it.
    pub about: &'static str,
    /// Whose grammar the rest is.
    pub(super) grammar: Grammar,
}

/// Whose grammar a statement is of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Grammar {
    /// SQL's: sqlparser knows it.
    Sql,
    /// `SHOW words [FROM x] [LIKE | WHERE]`.
    Show(&'static Show),
    /// What changes the configuration of nodes.
    Configure(Verb),
    /// What changes something else that is replicated: the grammar behind the head.
    Change(ChangeGrammar),
}

type ChangeGrammar = fn(&mut Cursor<'_>, &Context<'_>) -> Result<CatalogChange, Error>;

const fn sql(words: &'static [&'static str], usage: &'static str, about: &'static str) -> Head {
    Head { words, usage, about, grammar: Grammar::Sql }
}

const fn show(words: &'static [&'static str], usage: &'static str, about: &'static str, show: &'static Show) -> Head {
    Head { words, usage, about, grammar: Grammar::Show(show) }
}

const fn configure(words: &'static [&'static str], usage: &'static str, about: &'static str, verb: Verb) -> Head {
    Head { words, usage, about, grammar: Grammar::Configure(verb) }
}

const fn change(
    words: &'static [&'static str],
    usage: &'static str,
    about: &'static str,
    parse: ChangeGrammar,
) -> Head {
    Head { words, usage, about, grammar: Grammar::Change(parse) }
}

/// All of them.
#[rustfmt::skip]
pub static HEADS: &[Head] = &[
    sql(&["SELECT", "WITH"], "SELECT …", "joins, subqueries, CTEs (also recursive), windows, `UNION`, `GROUP BY … WITH ROLLUP`, `HAVING` on aliases, `LIMIT a, b`, `FROM dual`"),
    sql(&["EXPLAIN"], "EXPLAIN [ANALYZE] SELECT …", "DataFusion's plans"),
    sql(&["DESC", "DESCRIBE"], "DESC t", "the columns of a table"),
    show(&["SHOW DATABASES", "SHOW SCHEMAS"], "SHOW DATABASES", "the schemas", &show::DATABASES),
    show(&["SHOW TABLES"], "SHOW [FULL] TABLES [FROM s]", "the tables of a schema", &show::TABLES),
    show(&["SHOW FULL TABLES"], "", "", &show::FULL_TABLES),
    show(&["SHOW TABLE STATUS"], "SHOW TABLE STATUS [FROM s]", "what each table of a schema holds and costs", &show::TABLE_STATUS),
    show(&["SHOW COLUMNS", "SHOW FIELDS"], "SHOW [FULL] COLUMNS FROM t", "the columns of a table", &show::COLUMNS),
    show(&["SHOW FULL COLUMNS", "SHOW FULL FIELDS"], "", "", &show::FULL_COLUMNS),
    show(&["SHOW CREATE TABLE", "SHOW CREATE VIEW"], "SHOW CREATE TABLE t", "a table as a statement that would make it", &show::CREATE_TABLE),
    show(&["SHOW VARIABLES", "SHOW SESSION VARIABLES", "SHOW GLOBAL VARIABLES"], "SHOW VARIABLES", "those of the session", &show::VARIABLES),
    show(&["SHOW STATUS", "SHOW SESSION STATUS", "SHOW GLOBAL STATUS"], "SHOW STATUS", "counters of the replica that answers", &show::STATUS),
    show(&["SHOW WARNINGS", "SHOW ERRORS"], "SHOW WARNINGS", "those of the statement before", &show::WARNINGS),
    show(&["SHOW PROCESSLIST"], "SHOW [FULL] PROCESSLIST", "what the replica that answers runs", &show::PROCESSLIST),
    show(&["SHOW FULL PROCESSLIST"], "", "", &show::FULL_PROCESSLIST),
    show(&["SHOW CONFIG"], "SHOW CONFIG", "the configuration of all nodes, in TiDB's shape; `LIKE` goes by the name of the setting", &show::CONFIG),
    sql(&["USE"], "USE s", "the schema of names without one; it travels with the client from replica to replica"),
    sql(&["SET"], "SET name = value, SET @name = value, SET NAMES …", "the session, which travels likewise"),
    configure(&["SET CONFIG"], "SET CONFIG …", "changes the configuration of nodes: [CONFIGURE.md](CONFIGURE.md)", Verb::Set),
    configure(&["UPDATE"], "UPDATE cluster_config …", "the same for all settings that a condition is true of", Verb::Update),
    configure(&["RESUME CHANGE"], "RESUME CHANGE id", "goes on behind the canaries of a change", Verb::Resume),
    configure(&["CANCEL CHANGE"], "CANCEL CHANGE id", "ends a change", Verb::Cancel),
    configure(&["ROLLBACK CHANGE"], "ROLLBACK CHANGE id", "sets what was before a change", Verb::Rollback),
    change(&["DROP TABLE"], "DROP TABLE [IF EXISTS] cluster_t [CHANGE KEY 'text']", "a pushed table leaves the catalog, for all nodes; whoever pushes it again begins it anew", drop_table::parse),
    change(&["ALTER TABLE"], "ALTER TABLE cluster_t DROP COLUMN [IF EXISTS] c \\| MODIFY c type [CHANGE KEY 'text']", "a pushed column leaves the catalog, or gets a type that all its values can have without loss", alter_table::parse),
    sql(&["KILL", "KILL QUERY"], "KILL QUERY id, KILL id", "ends a query wherever it runs; ids are in `cluster_processlist` and in `SHOW PROCESSLIST`"),
];

/// Words of SQL that stand inside of statements, without functions.
#[rustfmt::skip]
const CLAUSES: &[&str] = &[
    "ALL", "ANALYZE", "AND", "AS", "ASC", "BETWEEN", "BY", "CANARY", "CASE", "CAST", "CROSS", "CURRENT_TIMESTAMP", "DISTINCT", "DIV",
    "DRY", "ELSE", "END", "ENFORCE", "EXCEPT", "EXISTS", "FALSE", "FROM", "GROUP", "HAVING", "IF", "IN", "INNER", "INTERSECT", "INTERVAL",
    "IS", "JOIN", "KEY", "LEFT", "LIKE", "LIMIT", "NOT", "NULL", "OFFSET", "ON", "OR", "ORDER", "OUTER", "OVER", "PARTITION", "RECURSIVE",
    "REGEXP", "REVISION", "RIGHT", "ROLLUP", "RUN", "THEN", "TRUE", "UNION", "USING", "VALUES", "WAIT", "WHEN", "WHERE", "XOR",
];

/// Every word that may be typed, besides names and functions, in order.
pub fn keywords() -> Vec<&'static str> {
    let heads = HEADS.iter().flat_map(|head| head.words).flat_map(|words| words.split(' '));
    let mut all: Vec<&str> = heads.chain(CLAUSES.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The longest head that a statement begins with, and of how many words it is.
pub(super) fn find(tokens: &[TokenWithSpan]) -> Option<(&'static Head, usize)> {
    const WORDS_MAX: usize = 3;
    let first: Vec<String> = tokens
        .iter()
        .filter_map(|token| match &token.token {
            Token::Whitespace(_) => None,
            Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_uppercase()),
            _ => Some(String::new()),
        })
        .take(WORDS_MAX)
        .collect();
    let begins =
        |spelling: &&&str| spelling.split(' ').enumerate().all(|(at, word)| first.get(at).is_some_and(|w| w == word));
    let spelled = HEADS.iter().flat_map(|head| head.words.iter().filter(begins).map(move |spelling| (head, spelling)));
    spelled.map(|(head, spelling)| (head, spelling.split(' ').count())).max_by_key(|(_, words)| *words)
}

/// What SHOW takes, for who typed something else.
pub(super) fn shows() -> String {
    let is_show = |head: &&Head| matches!(head.grammar, Grammar::Show(_)) && !head.usage.is_empty();
    let usages: Vec<&str> = HEADS.iter().filter(is_show).map(|head| head.usage.trim_start_matches("SHOW ")).collect();
    match usages.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// The table of statements of docs/SQL.md.
pub fn documentation() -> String {
    let mut table = "| statement | notes |\n|---|---|\n".to_owned();
    for head in HEADS.iter().filter(|head| !head.usage.is_empty()) {
        let usages: Vec<String> = head.usage.split(", ").map(|usage| format!("`{usage}`")).collect();
        table.push_str(&format!("| {} | {} |\n", usages.join(", "), head.about));
    }
    table
}

#[cfg(test)]
mod tests {
    use sqlparser::tokenizer::Tokenizer;

    use super::*;
    use crate::sql::syntax::dialect::Dialected;

    #[test]
    fn the_longest_head_counts_whatever_the_grammar_skips() {
        for (sql, expected) in [
            ("select 1", Some("SELECT …")),
            ("-- why\nSET /* x */ CONFIG tikv a = 1", Some("SET CONFIG …")),
            ("SET x = 1", Some("SET name = value, SET @name = value, SET NAMES …")),
            ("show full tables", Some("")),
            ("SHOW `TABLES`", None),
            ("INSERT INTO t VALUES (1)", None),
            ("", None),
        ] {
            let tokens = Tokenizer::new(&Dialected, sql).tokenize_with_location().expect("tokens");
            assert_eq!(find(&tokens).map(|(head, _)| head.usage), expected, "{sql}");
        }
    }
}
