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

use std::time::Duration;

use sqlparser::ast::{AssignmentTarget, Expr, SetExpr, ShowStatementFilter, Statement as Ast, TableFactor, Value};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};
use unum_proto::model::config::{check_key, check_value, is_secret};
use unum_proto::model::limits::CHANGE_KEY_CHARS_MAX;
use unum_proto::model::{ConfigType, MASK};

use super::dialect::Dialected;
use super::headings::Headings;
use super::statement::{NESTING_MAX, Read, Tells};
use super::variables::Context;
use super::{Error, rewrite};

/// A statement that changes configuration.
#[derive(Debug, Clone)]
pub struct Configure {
    /// What it does.
    pub what: What,
    /// How.
    pub options: Options,
    /// As it was typed; masked if the name of a key says that it is a secret.
    pub shown: String,
    /// The same with its values masked.
    pub masked: String,
}

/// What such a statement does.
#[derive(Debug, Clone)]
pub enum What {
    /// It sets keys of nodes.
    Set {
        /// Of which.
        chosen: Chosen,
        /// Key and value.
        assignments: Vec<(String, String)>,
    },
    /// It sets the value of all settings that a condition is true of.
    Update {
        /// The condition over `cluster_config`.
        condition: Option<Box<Expr>>,
        /// The value.
        value: String,
    },
    /// It goes on behind the canaries of a change.
    Resume(u64),
    /// It ends a change.
    Cancel(u64),
    /// It sets what was before a change.
    Rollback(u64),
}

/// Which nodes a SET CONFIG means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// All that have the key.
    All,
    /// Those of a type.
    Type(String),
    /// One, by its id, its type and id, or its label `instance`.
    Node(String),
}

/// How a change is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Nothing is changed; the rows say what would be.
    pub dry_run: bool,
    /// Some nodes go first.
    pub canary: Option<Canary>,
    /// Only if nothing that it sets was changed after this revision.
    pub if_revision: Option<u64>,
    /// A value that somebody changes underneath is set again.
    pub enforce: bool,
    /// How long to wait for the nodes.
    pub wait: Option<Duration>,
    /// What tells a retry from another change.
    pub change_key: Option<String>,
}

/// How many nodes go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canary {
    /// So many.
    Nodes(u32),
    /// So many of a hundred, and one at least.
    Percent(u32),
}

impl Canary {
    /// How many of so many.
    pub fn of(self, nodes: usize) -> u32 {
        match self {
            Self::Nodes(count) => count,
            Self::Percent(percent) => (nodes * percent as usize).div_ceil(100) as u32,
        }
    }
}

/// The statement, if it is one of these.
pub fn parse(tokens: &[TokenWithSpan], context: &Context<'_>) -> Result<Option<Configure>, Error> {
    let words: Vec<String> = tokens
        .iter()
        .filter_map(|token| match &token.token {
            Token::Whitespace(_) => None,
            Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_uppercase()),
            _ => Some(String::new()),
        })
        .take(4)
        .collect();
    let starts = |with: &[&str]| words.iter().map(String::as_str).take(with.len()).eq(with.iter().copied());
    let mut statement = Words::new(tokens);
    let what = if starts(&["SET", "CONFIG"]) {
        statement.skip(2);
        statement.set()?
    } else if starts(&["UPDATE"]) {
        match statement.update(context)? {
            Some(update) => update,
            None => return Ok(None),
        }
    } else if let Some(step) = ["RESUME", "CANCEL", "ROLLBACK"].into_iter().find(|step| starts(&[step, "CHANGE"])) {
        statement.skip(2);
        let id = statement.number("the id of a change")?;
        match step {
            "RESUME" => What::Resume(id),
            "CANCEL" => What::Cancel(id),
            _ => What::Rollback(id),
        }
    } else {
        return Ok(None);
    };
    let options = statement.options()?;
    check_options(&what, &options)?;
    let masked = statement.text(true);
    let has_secret =
        matches!(&what, What::Set { assignments, .. } if assignments.iter().any(|(key, _)| is_secret(key)));
    let shown = if has_secret { masked.clone() } else { statement.text(false) };
    Ok(Some(Configure { what, options, shown, masked }))
}

/// What SHOW CONFIG shows, if it is one: sqlparser takes no condition behind that.
pub fn show(tokens: &[TokenWithSpan]) -> Result<Option<Option<ShowStatementFilter>>, Error> {
    let mut statement = Words::new(tokens);
    if !(statement.take("SHOW") && statement.take("CONFIG")) {
        return Ok(None);
    }
    let filter = if statement.take("LIKE") {
        match statement.parser.next_token().token {
            Token::SingleQuotedString(pattern) | Token::DoubleQuotedString(pattern) => {
                Some(ShowStatementFilter::Like(pattern))
            }
            _ => return statement.expected("a pattern in quotes"),
        }
    } else if statement.take("WHERE") {
        Some(ShowStatementFilter::Where(statement.parser.parse_expr()?))
    } else {
        None
    };
    let _ = statement.parser.consume_token(&Token::SemiColon);
    match statement.parser.peek_token_ref().token {
        Token::EOF => Ok(Some(filter)),
        _ => statement.expected("the end, LIKE 'pattern' or WHERE condition"),
    }
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

/// The words of a statement, from left to right.
struct Words<'a> {
    parser: Parser<'a>,
    tokens: &'a [TokenWithSpan],
    /// Where values stand.
    values: Vec<Token>,
}

impl<'a> Words<'a> {
    fn new(tokens: &'a [TokenWithSpan]) -> Self {
        let parser = Parser::new(&Dialected).with_recursion_limit(NESTING_MAX);
        Self { parser: parser.with_tokens_with_locations(tokens.to_vec()), tokens, values: Vec::new() }
    }

    fn skip(&mut self, count: usize) {
        (0..count).for_each(|_| self.parser.advance_token());
    }

    fn expected<T>(&self, what: &str) -> Result<T, Error> {
        let found = self.parser.peek_token_ref();
        let at = match found.span.start.line {
            0 => " at the end".to_owned(),
            line => format!(" at Line: {line}, Column: {}", found.span.start.column),
        };
        Err(Error::from(ParserError::ParserError(format!("Expected: {what}, found: {found}{at}"))))
    }

    /// Takes a bare word if it is the next one.
    fn take(&mut self, word: &str) -> bool {
        let is_next = matches!(
            &self.parser.peek_token_ref().token,
            Token::Word(next) if next.quote_style.is_none() && next.value.eq_ignore_ascii_case(word)
        );
        if is_next {
            self.parser.advance_token();
        }
        is_next
    }

    fn number(&mut self, what: &str) -> Result<u64, Error> {
        match &self.parser.peek_token_ref().token {
            Token::Number(number, _) => match number.parse() {
                Ok(number) => {
                    self.parser.advance_token();
                    Ok(number)
                }
                Err(_) => self.expected(what),
            },
            _ => self.expected(what),
        }
    }

    fn set(&mut self) -> Result<What, Error> {
        let chosen = match self.parser.peek_token_ref().token.clone() {
            Token::SingleQuotedString(name) | Token::DoubleQuotedString(name) => Chosen::Node(name),
            Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("all") => Chosen::All,
            Token::Word(word) => Chosen::Type(word.value),
            _ => return self.expected("ALL, a node type, or a node's id in quotes"),
        };
        self.parser.advance_token();
        let mut assignments = Vec::new();
        loop {
            let key = self.key()?;
            let value = self.value()?;
            check_key(&key).and_then(|()| check_value(&key, &value)).map_err(|e| Error::Invalid(e.to_string()))?;
            if assignments.iter().any(|(other, _)| *other == key) {
                return Err(Error::Invalid(format!("{key} is set twice; set it once")));
            }
            assignments.push((key, value));
            if !self.parser.consume_token(&Token::Comma) {
                return Ok(What::Set { chosen, assignments });
            }
        }
    }

    /// Everything up to `=`: `log.level`, `raftstore.sync-log`, or in quotes.
    fn key(&mut self) -> Result<String, Error> {
        let mut key = String::new();
        loop {
            match &self.parser.peek_token_ref().token {
                Token::Eq if !key.is_empty() => {
                    self.parser.advance_token();
                    return Ok(key);
                }
                Token::Word(word) => key.push_str(&word.value),
                Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => key.push_str(text),
                Token::Number(number, _) => key.push_str(number),
                Token::Period => key.push('.'),
                Token::Minus => key.push('-'),
                Token::Div => key.push('/'),
                _ if key.is_empty() => return self.expected("a config key, as log.level"),
                _ => return self.expected("= and a value"),
            }
            self.parser.advance_token();
        }
    }

    /// A literal or a bare word.
    fn value(&mut self) -> Result<String, Error> {
        let mut sign = "";
        if self.parser.consume_token(&Token::Minus) {
            sign = "-";
        }
        let token = self.parser.peek_token_ref().token.clone();
        let value = match &token {
            Token::Number(number, _) => {
                self.parser.advance_token();
                // 10s and 64KiB need no quotes.
                let unit = self.unit_behind();
                let value = format!("{sign}{number}{unit}");
                self.values.push(token);
                return Ok(value);
            }
            Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) if sign.is_empty() => text.clone(),
            Token::Word(word) if sign.is_empty() && !word.value.eq_ignore_ascii_case("null") => word.value.clone(),
            _ => return self.expected("a value: a number, true, false, a word or a text in quotes"),
        };
        self.parser.advance_token();
        self.values.push(token);
        Ok(value)
    }

    /// The word that stands right behind a number, without a space.
    fn unit_behind(&mut self) -> String {
        let end = self.parser.get_current_token().span.end;
        let next = self.parser.peek_token_ref();
        match &next.token {
            Token::Word(word) if word.quote_style.is_none() && next.span.start == end => {
                let unit = word.value.clone();
                self.parser.advance_token();
                unit
            }
            _ => String::new(),
        }
    }

    /// None if it updates another table.
    fn update(&mut self, context: &Context<'_>) -> Result<Option<What>, Error> {
        let Ast::Update(update) = self.parser.parse_statement()? else { return Ok(None) };
        let TableFactor::Table { name, .. } = &update.table.relation else { return Ok(None) };
        let name = name.to_string().replace('`', "").to_lowercase();
        if !["cluster_config", "unum.cluster_config"].contains(&name.as_str()) {
            return Ok(None);
        }
        let [assignment] = update.assignments.as_slice() else {
            return Err(Error::Invalid("UPDATE cluster_config sets one column; write SET value = 'x'".into()));
        };
        let column = match &assignment.target {
            AssignmentTarget::ColumnName(name) => name.to_string().replace('`', "").to_lowercase(),
            other @ AssignmentTarget::Tuple(_) => other.to_string(),
        };
        if column != "value" && column != "cluster_config.value" {
            return Err(Error::Invalid(format!(
                "the column {column} of cluster_config cannot be set; write SET value = 'x'"
            )));
        }
        let Expr::Value(value) = &assignment.value else {
            return Err(Error::Invalid(format!("SET value takes a literal, not {}", assignment.value)));
        };
        let value = match &value.value {
            Value::Number(number, long) => {
                self.values.push(Token::Number(number.clone(), *long));
                number.clone()
            }
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => {
                self.values.push(Token::SingleQuotedString(text.clone()));
                self.values.push(Token::DoubleQuotedString(text.clone()));
                text.clone()
            }
            Value::Boolean(truth) => truth.to_string(),
            other => return Err(Error::Invalid(format!("SET value takes a literal, not {other}"))),
        };
        let condition = update.selection.map(|mut condition| {
            rewrite::to_datafusion(&mut condition, context)?;
            rewrite::to_condition(&mut condition);
            Ok::<_, Error>(Box::new(condition))
        });
        Ok(Some(What::Update { condition: condition.transpose()?, value }))
    }

    fn options(&mut self) -> Result<Options, Error> {
        let mut options = Options::default();
        loop {
            if self.take("DRY") {
                if !self.take("RUN") {
                    return self.expected("RUN");
                }
                options.dry_run = true;
            } else if self.take("CANARY") {
                options.canary = Some(self.canary()?);
            } else if self.take("IF") {
                if !(self.take("REVISION") && self.parser.consume_token(&Token::Eq)) {
                    return self.expected("REVISION = and a number");
                }
                options.if_revision = Some(self.number("a revision")?);
            } else if self.take("ENFORCE") {
                options.enforce = true;
            } else if self.take("WAIT") {
                options.wait = Some(self.duration()?);
            } else if self.take("CHANGE") {
                if !self.take("KEY") {
                    return self.expected("KEY and a text");
                }
                options.change_key = Some(self.change_key()?);
            } else {
                let _ = self.parser.consume_token(&Token::SemiColon);
                return match self.parser.peek_token_ref().token {
                    Token::EOF => Ok(options),
                    _ => self
                        .expected("the end, DRY RUN, CANARY, IF REVISION = n, ENFORCE, WAIT 10s or CHANGE KEY 'text'"),
                };
            }
        }
    }

    fn canary(&mut self) -> Result<Canary, Error> {
        let number = self.number("a number of nodes, or of percent")?;
        let percent = self.parser.consume_token(&Token::Mod);
        match u32::try_from(number) {
            Ok(percents @ 1..=100) if percent => Ok(Canary::Percent(percents)),
            Ok(nodes @ 1..) if !percent => Ok(Canary::Nodes(nodes)),
            _ => Err(Error::Invalid(format!("CANARY {number} is not legal; write 1 or more nodes, or 1% to 100%"))),
        }
    }

    fn duration(&mut self) -> Result<Duration, Error> {
        let text = match self.parser.peek_token_ref().token.clone() {
            Token::SingleQuotedString(text) => {
                self.parser.advance_token();
                text
            }
            // 10s is a word in MySQL.
            Token::Word(word) if word.quote_style.is_none() => {
                self.parser.advance_token();
                word.value
            }
            Token::Number(number, _) => {
                self.parser.advance_token();
                format!("{number}{}", self.unit_behind())
            }
            _ => return self.expected("a time, as 10s"),
        };
        match (ConfigType::Duration.check(&text), humantime::parse_duration(&text)) {
            (Ok(()), Ok(duration)) => Ok(duration),
            _ => Err(Error::Invalid(format!("WAIT {text} is not a time; write it as 500ms, 10s or 5m"))),
        }
    }

    fn change_key(&mut self) -> Result<String, Error> {
        match self.parser.peek_token_ref().token.clone() {
            Token::SingleQuotedString(key) if (1..=CHANGE_KEY_CHARS_MAX).contains(&key.chars().count()) => {
                self.parser.advance_token();
                Ok(key)
            }
            _ => self.expected(&format!("a text of 1 to {CHANGE_KEY_CHARS_MAX} characters")),
        }
    }

    /// The statement as it was typed, or with its values masked.
    fn text(&self, masked: bool) -> String {
        let text = |token: &TokenWithSpan| match masked && self.values.contains(&token.token) {
            true => format!("'{MASK}'"),
            false => token.token.to_string(),
        };
        let shown: String = self.tokens.iter().map(text).collect();
        shown.trim().trim_end_matches(';').to_owned()
    }
}

/// The read of the settings that an UPDATE means: node type, node id and key.
pub fn settings_read(condition: Option<&Expr>) -> Result<Read, Error> {
    let mut statement = parsed("SELECT node_type, node_id, `key` FROM cluster_config WHERE true")?;
    if let Ast::Query(query) = &mut statement
        && let SetExpr::Select(select) = query.body.as_mut()
    {
        select.selection = condition.cloned();
    }
    Ok(Read { statement, headings: Headings::default(), tells: Tells::Shape, shape: None })
}

/// The read of what came of a change so far.
pub fn outcome_read(change: u64, dry_run: bool) -> Result<Read, Error> {
    let columns = match dry_run {
        true => "node_type, node_id, `key`, old, desired",
        false => "change_id, node_type, node_id, `key`, old, desired, state, attempts, error",
    };
    let order = "ORDER BY node_type, node_id, `key`";
    let statement =
        parsed(&format!("SELECT {columns} FROM unum.config_change_nodes WHERE change_id = {change} {order}"))?;
    Ok(Read { statement, headings: Headings::default(), tells: Tells::Shape, shape: None })
}

fn parsed(sql: &str) -> Result<Ast, Error> {
    Ok(Parser::parse_sql(&Dialected, sql)?.remove(0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sqlparser::tokenizer::Tokenizer;
    use unum_proto::model::SqlSession;

    use super::super::Limits;
    use super::*;

    fn parsed(sql: &str) -> Result<Option<Configure>, Error> {
        let session = SqlSession::new(String::new(), BTreeMap::new(), Vec::new()).expect("an empty session");
        let limits = Limits { memory_bytes: 0, rows: 0, bytes: 0 };
        let context = Context::new(&session, &limits, "unum/unum_1", "u", 1);
        parse(&Tokenizer::new(&Dialected, sql).tokenize_with_location().expect("tokens"), &context)
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
        assert_eq!(set("SET CONFIG x tls.password = 'hush'").3, format!("SET CONFIG x tls.password = '{MASK}'"));
        let update =
            parsed("UPDATE cluster_config SET value = 'info' WHERE node_type = 'tikv' AND `key` = 'log.level' WAIT 2s");
        assert!(
            matches!(update, Ok(Some(Configure { what: What::Update { condition: Some(_), .. }, .. }))),
            "{update:?}"
        );
        assert!(parsed("UPDATE t SET value = 'info'").expect("another table").is_none());
        assert!(parsed("SET x = 1").expect("another SET").is_none());
        for (sql, part) in [
            ("SET CONFIG", "ALL, a node type"),
            ("SET CONFIG tikv = 1", "a config key"),
            ("SET CONFIG tikv a 1", "= and a value"),
            ("SET CONFIG tikv a = NULL", "a value"),
            ("SET CONFIG tikv a = 1 MAYBE", "the end, DRY RUN"),
            ("SET CONFIG tikv a = 1, a = 2", "set twice"),
            ("SET CONFIG tikv a = 1 CANARY 0", "CANARY 0"),
            ("SET CONFIG tikv a = 1 WAIT 5", "WAIT 5"),
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
