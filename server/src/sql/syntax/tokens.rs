//! The tokens of a statement, and its tree.
//!
//! Names are not case-sensitive, as in MySQL: what backticks quote is put in lower case among the tokens, what is bare by
//! the planner.

use sqlparser::ast::Statement as Ast;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use unum_proto::model::Value;

use super::complexity::{self, NESTING_MAX};
use super::dialect::Dialected;
use super::digest::Digest;
use super::fingerprint::Fingerprint;
use crate::sql::Error;

/// A statement in tokens.
#[derive(Debug, Clone)]
pub struct Tokens {
    sql: String,
    tokens: Vec<TokenWithSpan>,
    bound: Option<Bound>,
}

/// What is known of a statement with parameters besides its tokens.
#[derive(Debug, Clone)]
struct Bound {
    /// As it was typed: its digest is the same whatever is bound.
    typed: Vec<TokenWithSpan>,
    /// Behind how many words there is a value that is no literal of one token. A statement that has the same words there has
    /// another digest, so it is to have another fingerprint.
    marks: String,
}

impl Tokens {
    /// Splits a statement, of no more tokens and operators than are allowed.
    pub fn parse(sql: &str) -> Result<Self, Error> {
        let tokens = Tokenizer::new(&Dialected, sql).tokenize_with_location().map_err(ParserError::from)?;
        complexity::check_tokens(&tokens)?;
        Ok(Self { sql: sql.to_owned(), tokens, bound: None })
    }

    /// The same with a value in the place of each `?`. A value is one token (a negative number four): nothing of it is read as
    /// SQL, and what is behind this knows of no parameters.
    pub fn bind(mut self, values: &[Value]) -> Result<Self, Error> {
        let is_open = |token: &TokenWithSpan| matches!(&token.token, Token::Placeholder(sign) if sign == "?");
        let wanted = self.tokens.iter().filter(|token| is_open(token)).count();
        if wanted != values.len() {
            let given = values.len();
            return Err(Error::Invalid(format!(
                "the statement has {wanted} parameters (?) and {given} values came; bind one value for each"
            )));
        }
        if wanted == 0 {
            return Ok(self);
        }
        let mut values = values.iter();
        let (mut bound, mut marks, mut words) = (Vec::with_capacity(self.tokens.len()), String::new(), 0);
        for token in &self.tokens {
            let Some(value) = is_open(token).then(|| values.next()).flatten() else {
                words += usize::from(!matches!(token.token, Token::Whitespace(_)));
                bound.push(token.clone());
                continue;
            };
            let literal = literal(value)?;
            if !matches!(literal[..], [Token::Number(..) | Token::SingleQuotedString(_) | Token::HexStringLiteral(_)]) {
                marks.push_str(&format!("\u{3}{words}"));
            }
            words += literal.len();
            bound.extend(literal.into_iter().map(|literal| TokenWithSpan { token: literal, span: token.span }));
        }
        self.bound = Some(Bound { typed: std::mem::replace(&mut self.tokens, bound), marks });
        Ok(self)
    }

    /// What the statement has in common with others that differ in their values, for people.
    pub fn digest(&self) -> Digest {
        let typed = self.bound.as_ref().map_or(&self.tokens, |bound| &bound.typed);
        Digest::new(typed.iter().map(|token| &token.token))
    }

    /// All of them, white space and comments too.
    pub fn all(&self) -> &[TokenWithSpan] {
        &self.tokens
    }

    /// What the statement shares with others of the schema that differ in their values; none if it is too long to be kept.
    pub fn fingerprint(&self, schema: &str) -> Option<Fingerprint> {
        Fingerprint::new(&self.tokens, schema, self.bound.as_ref().map_or("", |bound| &bound.marks))
    }

    /// The tree of the one statement, its names as they were typed.
    pub fn tree(&self) -> Result<Ast, Error> {
        self.parse_one(self.tokens.clone())
    }

    /// The same with what backticks quote in lower case; none if there is nothing quoted, and so no difference.
    pub fn tree_in_lower_case(&self) -> Option<Result<Ast, Error>> {
        self.tokens.iter().any(is_quoted_name).then(|| self.parse_one(self.in_lower_case()))
    }

    /// All of them, what backticks quote in lower case.
    pub fn in_lower_case(&self) -> Vec<TokenWithSpan> {
        self.tokens.iter().cloned().map(in_lower_case).collect()
    }

    fn parse_one(&self, tokens: Vec<TokenWithSpan>) -> Result<Ast, Error> {
        let mut parser = Parser::new(&Dialected).with_recursion_limit(NESTING_MAX).with_tokens_with_locations(tokens);
        let mut statements = parser.parse_statements().map_err(|e| with_position(e, &self.sql))?;
        match statements.len() {
            1 => Ok(statements.remove(0)),
            0 => Err(Error::Invalid("the statement is empty; write a SELECT".into())),
            count => Err(Error::Invalid(format!("the request has {count} statements; send one at a time"))),
        }
    }
}

/// A value as a literal.
fn literal(value: &Value) -> Result<Vec<Token>, Error> {
    let number = |digits: String, negative: bool| match negative {
        false => vec![Token::Number(digits, false)],
        true => vec![Token::LParen, Token::Minus, Token::Number(digits, false), Token::RParen],
    };
    Ok(match value {
        Value::Null => vec![Token::make_keyword("NULL")],
        Value::Bool(truth) => vec![Token::make_keyword(if *truth { "TRUE" } else { "FALSE" })],
        Value::Int64(value) => number(value.unsigned_abs().to_string(), *value < 0),
        Value::UInt64(value) => number(value.to_string(), false),
        Value::Float64(value) if value.is_finite() => number(format!("{:?}", value.abs()), value.is_sign_negative()),
        Value::Float64(value) => {
            return Err(Error::Invalid(format!(
                "{value} cannot be bound to a parameter; bind NULL or a finite number"
            )));
        }
        Value::Text(text) => vec![Token::SingleQuotedString(text.clone())],
        Value::Bytes(bytes) => vec![Token::HexStringLiteral(bytes.iter().map(|byte| format!("{byte:02x}")).collect())],
        Value::Timestamp(us) => {
            let time = chrono::DateTime::from_timestamp_micros(*us).ok_or_else(|| {
                Error::Invalid(format!("{us} us is no time; bind one between the years -262143 and 262142"))
            })?;
            vec![Token::SingleQuotedString(time.format("%Y-%m-%d %H:%M:%S%.6f").to_string())]
        }
    })
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
