//! The grammar, word by word. sqlparser parses what it knows: an UPDATE, a condition.

use std::time::Duration;

use sqlparser::ast::{AssignmentTarget, Expr, Statement as Ast, TableFactor, UnaryOperator, Value, ValueWithSpan};
use sqlparser::tokenizer::{Token, TokenWithSpan, Whitespace};
use unum_proto::model::config::{check_key, check_value};
use unum_proto::model::limits::WAIT_MS_MAX;
use unum_proto::model::{ChangeId, ConfigType, MASK};

use super::change::{Canary, Chosen, Options, What};
use crate::sql::Error;
use crate::sql::mysql::{expr, rewrite};
use crate::sql::statement::change_key;
use crate::sql::syntax::cursor::Cursor;
use crate::sql::variables::Context;

/// The longest that a statement waits for nodes.
const WAIT_MAX: Duration = Duration::from_millis(WAIT_MS_MAX);

/// The tokens of a statement, from left to right.
pub(super) struct ConfigureParser<'a> {
    cursor: Cursor<'a>,
    tokens: &'a [TokenWithSpan],
    /// Where values stand.
    values: Vec<Token>,
}

impl<'a> ConfigureParser<'a> {
    /// Behind the first `words` tokens that are none of white space.
    pub(super) fn new(tokens: &'a [TokenWithSpan], words: usize) -> Self {
        let mut cursor = Cursor::new(tokens.to_vec());
        cursor.skip(words);
        Self { cursor, tokens, values: Vec::new() }
    }

    /// The id of a change.
    pub(super) fn change(&mut self) -> Result<ChangeId, Error> {
        self.cursor.number("the id of a change").map(ChangeId::from)
    }

    pub(super) fn set(&mut self) -> Result<What, Error> {
        let chosen = match self.cursor.peek().token.clone() {
            Token::SingleQuotedString(name) | Token::DoubleQuotedString(name) => Chosen::Node(name),
            Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("all") => Chosen::All,
            Token::Word(word) => Chosen::Type(word.value),
            _ => return self.cursor.expected("ALL, a node type, or a node's id in quotes"),
        };
        self.cursor.skip(1);
        let mut assignments = Vec::new();
        loop {
            let key = self.key()?;
            let value = self.value()?;
            check_key(&key).and_then(|()| check_value(&key, &value)).map_err(|e| Error::Invalid(e.to_string()))?;
            if assignments.iter().any(|(other, _)| *other == key) {
                return Err(Error::Invalid(format!("{key} is set twice; set it once")));
            }
            assignments.push((key, value));
            if !self.cursor.take_token(&Token::Comma) {
                return Ok(What::Set { chosen, assignments });
            }
        }
    }

    /// Everything up to `=`: `log.level`, `raftstore.sync-log`, or in quotes.
    fn key(&mut self) -> Result<String, Error> {
        let mut key = String::new();
        loop {
            match &self.cursor.peek().token {
                Token::Eq if !key.is_empty() => {
                    self.cursor.skip(1);
                    return Ok(key);
                }
                Token::Word(word) => key.push_str(&word.value),
                Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => key.push_str(text),
                Token::Number(number, _) => key.push_str(number),
                Token::Period => key.push('.'),
                Token::Minus => key.push('-'),
                Token::Div => key.push('/'),
                _ if key.is_empty() => return self.cursor.expected("a config key, as log.level"),
                _ => return self.cursor.expected("= and a value"),
            }
            self.cursor.skip(1);
        }
    }

    /// A literal or a bare word.
    fn value(&mut self) -> Result<String, Error> {
        // A negative number that was bound is in parentheses.
        let nested = self.cursor.take_token(&Token::LParen);
        let mut sign = "";
        if self.cursor.take_token(&Token::Minus) {
            sign = "-";
        }
        let token = self.cursor.peek().token.clone();
        let value = match &token {
            Token::Number(number, _) => {
                self.cursor.skip(1);
                // 10s and 64KiB need no quotes.
                let unit = self.unit_behind();
                let value = format!("{sign}{number}{unit}");
                self.values.push(token);
                if !unit.is_empty() {
                    self.values.push(self.cursor.last().token.clone());
                }
                if nested && !self.cursor.take_token(&Token::RParen) {
                    return self.cursor.expected(")");
                }
                return Ok(value);
            }
            Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) if sign.is_empty() && !nested => {
                text.clone()
            }
            Token::Word(word) if sign.is_empty() && !nested && !word.value.eq_ignore_ascii_case("null") => {
                word.value.clone()
            }
            _ => return self.cursor.expected("a value: a number, true, false, a word or a text in quotes"),
        };
        self.cursor.skip(1);
        self.values.push(token);
        Ok(value)
    }

    /// The word that stands right behind a number, without a space.
    fn unit_behind(&mut self) -> String {
        let end = self.cursor.last().span.end;
        let next = self.cursor.peek();
        match &next.token {
            Token::Word(word) if word.quote_style.is_none() && next.span.start == end => {
                let unit = word.value.clone();
                self.cursor.skip(1);
                unit
            }
            _ => String::new(),
        }
    }

    /// None if it updates another table.
    pub(super) fn update(&mut self, context: &Context<'_>) -> Result<Option<What>, Error> {
        let Ast::Update(update) = self.cursor.statement()? else { return Ok(None) };
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
        let Some((sign, value)) = literal(&assignment.value) else {
            return Err(Error::Invalid(format!("SET value takes a literal, not {}", assignment.value)));
        };
        let value = match &value.value {
            Value::Number(number, long) => {
                self.values.push(Token::Number(number.clone(), *long));
                format!("{sign}{number}")
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
            expr::to_condition(&mut condition);
            Ok::<_, Error>(Box::new(condition))
        });
        Ok(Some(What::Update { condition: condition.transpose()?, value }))
    }

    pub(super) fn options(&mut self) -> Result<Options, Error> {
        let mut options = Options::default();
        loop {
            if self.cursor.take("DRY") {
                if !self.cursor.take("RUN") {
                    return self.cursor.expected("RUN");
                }
                options.dry_run = true;
            } else if self.cursor.take("CANARY") {
                options.canary = Some(self.canary()?);
            } else if self.cursor.take("IF") {
                if !(self.cursor.take("REVISION") && self.cursor.take_token(&Token::Eq)) {
                    return self.cursor.expected("REVISION = and a number");
                }
                options.if_revision = Some(self.cursor.number("a revision")?);
            } else if self.cursor.take("ENFORCE") {
                options.enforce = true;
            } else if self.cursor.take("WAIT") {
                options.wait = Some(self.duration()?);
            } else if self.cursor.take("CHANGE") {
                options.change_key = Some(change_key::parse(&mut self.cursor)?);
            } else {
                let what = "the end, DRY RUN, CANARY, IF REVISION = n, ENFORCE, WAIT 10s or CHANGE KEY 'text'";
                return self.cursor.end(what).map(|()| options);
            }
        }
    }

    fn canary(&mut self) -> Result<Canary, Error> {
        let number = self.cursor.number("a number of nodes, or of percent")?;
        let percent = self.cursor.take_token(&Token::Mod);
        match u32::try_from(number) {
            Ok(percents @ 1..=100) if percent => Ok(Canary::Percent(percents)),
            Ok(nodes @ 1..) if !percent => Ok(Canary::Nodes(nodes)),
            _ => Err(Error::Invalid(format!("CANARY {number} is not legal; write 1 or more nodes, or 1% to 100%"))),
        }
    }

    fn duration(&mut self) -> Result<Duration, Error> {
        let text = match self.cursor.peek().token.clone() {
            Token::SingleQuotedString(text) => {
                self.cursor.skip(1);
                text
            }
            // 10s is a word in MySQL.
            Token::Word(word) if word.quote_style.is_none() => {
                self.cursor.skip(1);
                word.value
            }
            Token::Number(number, _) => {
                self.cursor.skip(1);
                format!("{number}{}", self.unit_behind())
            }
            _ => return self.cursor.expected("a time, as 10s"),
        };
        match (ConfigType::Duration.check(&text), humantime::parse_duration(&text)) {
            (Ok(()), Ok(duration)) if duration <= WAIT_MAX => Ok(duration),
            (Ok(()), Ok(_)) => Err(Error::Invalid(format!(
                "WAIT {text} is longer than {}; wait for less, and look at config_changes later",
                humantime::format_duration(WAIT_MAX),
            ))),
            _ => Err(Error::Invalid(format!("WAIT {text} is not a time; write it as 500ms, 10s or 5m"))),
        }
    }

    /// The statement as it was typed, without comments; or with its values masked.
    pub(super) fn text(&self, masked: bool) -> String {
        let text = |token: &TokenWithSpan| match &token.token {
            // What is said beside a statement that sets a secret may be that secret.
            Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_)) => " ".to_owned(),
            token if masked && self.values.contains(token) => format!("'{MASK}'"),
            token => token.to_string(),
        };
        let shown: String = self.tokens.iter().map(text).collect();
        shown.trim().trim_end_matches(';').to_owned()
    }
}

/// A literal, and the sign before it if it is a number; a negative one that was bound is in parentheses.
fn literal(expr: &Expr) -> Option<(&'static str, &ValueWithSpan)> {
    match expr {
        Expr::Value(value) => Some(("", value)),
        Expr::Nested(inner) if matches!(inner.as_ref(), Expr::UnaryOp { .. }) => literal(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match expr.as_ref() {
            Expr::Value(value) if matches!(value.value, Value::Number(..)) => Some(("-", value)),
            _ => None,
        },
        _ => None,
    }
}
