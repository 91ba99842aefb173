//! The grammar, word by word. sqlparser parses what it knows: an UPDATE, a condition.

use std::time::Duration;

use sqlparser::ast::{AssignmentTarget, Expr, ShowStatementFilter, Statement as Ast, TableFactor, Value};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Whitespace};
use unum_proto::model::config::{check_key, check_value};
use unum_proto::model::limits::{CHANGE_KEY_CHARS_MAX, WAIT_MS_MAX};
use unum_proto::model::{ConfigType, MASK};

use super::change::{Canary, Chosen, Options, What};
use crate::sql::Error;
use crate::sql::mysql::{expr, rewrite};
use crate::sql::syntax::complexity::NESTING_MAX;
use crate::sql::syntax::dialect::Dialected;
use crate::sql::variables::Context;

/// The longest that a statement waits for nodes.
const WAIT_MAX: Duration = Duration::from_millis(WAIT_MS_MAX);

/// The tokens of a statement, from left to right.
pub(super) struct ConfigureParser<'a> {
    parser: Parser<'a>,
    tokens: &'a [TokenWithSpan],
    /// Where values stand.
    values: Vec<Token>,
}

impl<'a> ConfigureParser<'a> {
    pub(super) fn new(tokens: &'a [TokenWithSpan]) -> Self {
        let parser = Parser::new(&Dialected).with_recursion_limit(NESTING_MAX);
        Self { parser: parser.with_tokens_with_locations(tokens.to_vec()), tokens, values: Vec::new() }
    }

    pub(super) fn skip(&mut self, count: usize) {
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
    pub(super) fn take(&mut self, word: &str) -> bool {
        let is_next = matches!(
            &self.parser.peek_token_ref().token,
            Token::Word(next) if next.quote_style.is_none() && next.value.eq_ignore_ascii_case(word)
        );
        if is_next {
            self.parser.advance_token();
        }
        is_next
    }

    pub(super) fn number(&mut self, what: &str) -> Result<u64, Error> {
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

    pub(super) fn set(&mut self) -> Result<What, Error> {
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
                if !unit.is_empty() {
                    self.values.push(self.parser.get_current_token().token.clone());
                }
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
    pub(super) fn update(&mut self, context: &Context<'_>) -> Result<Option<What>, Error> {
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
            expr::to_condition(&mut condition);
            Ok::<_, Error>(Box::new(condition))
        });
        Ok(Some(What::Update { condition: condition.transpose()?, value }))
    }

    pub(super) fn options(&mut self) -> Result<Options, Error> {
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
            (Ok(()), Ok(duration)) if duration <= WAIT_MAX => Ok(duration),
            (Ok(()), Ok(_)) => Err(Error::Invalid(format!(
                "WAIT {text} is longer than {}; wait for less, and look at config_changes later",
                humantime::format_duration(WAIT_MAX),
            ))),
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

    /// What may stand behind SHOW CONFIG, and then the end.
    pub(super) fn filter(&mut self) -> Result<Option<ShowStatementFilter>, Error> {
        let filter = if self.take("LIKE") {
            match self.parser.next_token().token {
                Token::SingleQuotedString(pattern) | Token::DoubleQuotedString(pattern) => {
                    Some(ShowStatementFilter::Like(pattern))
                }
                _ => return self.expected("a pattern in quotes"),
            }
        } else if self.take("WHERE") {
            Some(ShowStatementFilter::Where(self.parser.parse_expr()?))
        } else {
            None
        };
        let _ = self.parser.consume_token(&Token::SemiColon);
        match self.parser.peek_token_ref().token {
            Token::EOF => Ok(filter),
            _ => self.expected("the end, LIKE 'pattern' or WHERE condition"),
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
