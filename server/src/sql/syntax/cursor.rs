//! A cursor over the tokens of a statement, for the grammars that are ours. sqlparser parses what it knows: names and
//! conditions.

use sqlparser::ast::{Expr, ObjectName, Statement as Ast};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::complexity::NESTING_MAX;
use super::dialect::Dialected;
use crate::sql::Error;

/// Where a statement is read. Comments and white space are passed over.
pub struct Cursor<'a>(Parser<'a>);

impl Cursor<'_> {
    /// At the first token.
    pub fn new(tokens: Vec<TokenWithSpan>) -> Self {
        Self(Parser::new(&Dialected).with_recursion_limit(NESTING_MAX).with_tokens_with_locations(tokens))
    }

    /// Passes over so many tokens.
    pub fn skip(&mut self, count: usize) {
        (0..count).for_each(|_| self.0.advance_token());
    }

    /// The next token.
    pub fn peek(&self) -> &TokenWithSpan {
        self.0.peek_token_ref()
    }

    /// The last token that was passed.
    pub fn last(&self) -> &TokenWithSpan {
        self.0.get_current_token()
    }

    /// Takes a token if it is the next one.
    pub fn take_token(&mut self, token: &Token) -> bool {
        self.0.consume_token(token)
    }

    /// A name, of several parts perhaps.
    pub fn name(&mut self) -> Result<ObjectName, Error> {
        Ok(self.0.parse_object_name(false)?)
    }

    /// A condition.
    pub fn condition(&mut self) -> Result<Expr, Error> {
        Ok(self.0.parse_expr()?)
    }

    /// A statement that sqlparser knows.
    pub fn statement(&mut self) -> Result<Ast, Error> {
        Ok(self.0.parse_statement()?)
    }

    /// A text in quotes.
    pub fn text(&mut self, what: &str) -> Result<String, Error> {
        match self.peek().token.clone() {
            Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => {
                self.skip(1);
                Ok(text)
            }
            _ => self.expected(what),
        }
    }

    /// Nothing more, but for a semicolon.
    pub fn end(&mut self, what: &str) -> Result<(), Error> {
        let _ = self.take_token(&Token::SemiColon);
        match self.peek().token {
            Token::EOF => Ok(()),
            _ => self.expected(what),
        }
    }

    /// The error for a token that stands where something else is expected.
    pub fn expected<T>(&self, what: &str) -> Result<T, Error> {
        let found = self.peek();
        let at = match found.span.start.line {
            0 => " at the end".to_owned(),
            line => format!(" at Line: {line}, Column: {}", found.span.start.column),
        };
        Err(Error::from(ParserError::ParserError(format!("Expected: {what}, found: {found}{at}"))))
    }

    /// Takes a bare word if it is the next one.
    pub fn take(&mut self, word: &str) -> bool {
        let is_next = matches!(
            &self.peek().token,
            Token::Word(next) if next.quote_style.is_none() && next.value.eq_ignore_ascii_case(word)
        );
        if is_next {
            self.skip(1);
        }
        is_next
    }

    /// A whole number.
    pub fn number(&mut self, what: &str) -> Result<u64, Error> {
        match &self.peek().token {
            Token::Number(number, _) => match number.parse() {
                Ok(number) => {
                    self.skip(1);
                    Ok(number)
                }
                Err(_) => self.expected(what),
            },
            _ => self.expected(what),
        }
    }
}
