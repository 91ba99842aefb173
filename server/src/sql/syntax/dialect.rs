//! MySQL's grammar: sqlparser's, with what it lacks of it and what it reads wrongly.

use std::any::TypeId;

use sqlparser::ast::{BinaryOperator, CastKind, DataType, Expr, Statement, UnaryOperator, Value};
use sqlparser::dialect::{Dialect, MySqlDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Word};

use super::call::call;

/// The dialect of everything that a user types.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dialected;

const MYSQL: MySqlDialect = MySqlDialect {};

/// What an INTERVAL is called in a tree: a call with the count and the unit.
pub const INTERVAL: &str = "#interval";

/// Answers as sqlparser's MySQL does.
macro_rules! as_mysql {
    ($($name:ident),* $(,)?) => {
        $(fn $name(&self) -> bool {
            MYSQL.$name()
        })*
    };
}

impl Dialect for Dialected {
    // Where the parser asks whether it reads MySQL, it does.
    fn dialect(&self) -> TypeId {
        MYSQL.dialect()
    }

    as_mysql!(
        supports_string_literal_backslash_escape,
        supports_string_literal_concatenation,
        ignores_wildcard_escapes,
        supports_numeric_prefix,
        supports_bitwise_shift_operators,
        supports_multiline_comment_hints,
        require_interval_qualifier,
        supports_limit_comma,
        supports_create_table_select,
        supports_insert_set,
        supports_user_host_grantee,
        supports_table_hints,
        requires_single_line_comment_whitespace,
        supports_match_against,
        supports_select_modifiers,
        supports_set_names,
        supports_comma_separated_set_assignments,
        supports_update_order_by,
        supports_data_type_signed_suffix,
        supports_cross_join_constraint,
        supports_double_ampersand_operator,
        supports_binary_kw_as_cast,
        supports_comment_optimizer_hint,
        supports_constraint_keyword_without_name,
        supports_key_column_option,
    );

    fn is_identifier_start(&self, ch: char) -> bool {
        MYSQL.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        MYSQL.is_identifier_part(ch)
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        MYSQL.is_delimited_identifier_start(ch)
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        MYSQL.identifier_quote_style(identifier)
    }

    fn is_table_factor_alias(&self, explicit: bool, keyword: &Keyword, parser: &mut Parser<'_>) -> bool {
        MYSQL.is_table_factor_alias(explicit, keyword, parser)
    }

    fn parse_statement(&self, parser: &mut Parser<'_>) -> Option<Result<Statement, ParserError>> {
        MYSQL.parse_statement(parser)
    }

    /// GROUP BY … WITH ROLLUP.
    fn supports_group_by_with_modifier(&self) -> bool {
        true
    }

    /// EXTRACT(DAY_SECOND FROM t).
    fn allow_extract_custom(&self) -> bool {
        true
    }

    /// `!x`.
    fn supports_bang_not_operator(&self) -> bool {
        true
    }

    /// DIV and MOD bind as `*` does. sqlparser's DIV takes all that follows for its right side.
    fn parse_infix(&self, parser: &mut Parser<'_>, left: &Expr, precedence: u8) -> Option<Result<Expr, ParserError>> {
        let op = match &parser.peek_token_ref().token {
            Token::Word(word) if is_sounds(word) => return Some(sounds_like(parser, left, precedence)),
            Token::Word(word) if matches!(word.keyword, Keyword::REGEXP | Keyword::RLIKE | Keyword::NOT) => {
                return regexp(parser, left).transpose();
            }
            Token::Word(word) => word_operator(word)?,
            _ => return None,
        };
        parser.advance_token();
        let right = parser.parse_subexpr(precedence);
        Some(right.map(|right| Expr::BinaryOp { left: Box::new(left.clone()), op, right: Box::new(right) }))
    }

    /// MySQL's order, where sqlparser's is PostgreSQL's.
    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        let precedence = match &parser.peek_token_ref().token {
            Token::Word(word) if word_operator(word).is_some() => self.prec_value(Precedence::MulDivModOp),
            Token::Word(word) if word.keyword == Keyword::XOR && word.quote_style.is_none() => {
                self.prec_value(Precedence::Or) + 1
            }
            Token::Word(word) if is_sounds(word) => self.prec_value(Precedence::Like),
            Token::Overlap => self.prec_value(Precedence::And),
            Token::ShiftLeft | Token::ShiftRight => self.prec_value(Precedence::Ampersand) + 1,
            Token::Caret => self.prec_value(Precedence::MulDivModOp) + 1,
            // The part of a column that a JSON path names binds closer than what is done with it.
            Token::Arrow | Token::LongArrow => self.prec_value(Precedence::Period),
            _ => return None,
        };
        Some(Ok(precedence))
    }

    /// `!`, `-` and `~` bind closer than any operator of two sides. INTERVAL has units that sqlparser does not know.
    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        let op = match &parser.peek_token_ref().token {
            Token::ExclamationMark => UnaryOperator::BangNot,
            Token::Minus => UnaryOperator::Minus,
            Token::Tilde => UnaryOperator::BitwiseNot,
            Token::Word(word) if word.keyword == Keyword::INTERVAL && word.quote_style.is_none() => {
                return Some(interval_or_call(parser));
            }
            Token::Word(word) if word.keyword == Keyword::BINARY && word.quote_style.is_none() => {
                return Some(binary(parser));
            }
            Token::Word(word) if word.quote_style.is_none() && parser.peek_nth_token_ref(1).token == Token::LParen => {
                return match word.value.to_ascii_lowercase().as_str() {
                    "char" => Some(char_codes(parser)),
                    "cast" => Some(cast(parser)),
                    _ => None,
                };
            }
            _ => return None,
        };
        parser.advance_token();
        let expr = parser.parse_subexpr(self.prec_value(Precedence::DoubleColon));
        Some(expr.map(|expr| Expr::UnaryOp { op, expr: Box::new(expr) }))
    }
}

/// `INTERVAL count UNIT`, or `INTERVAL(n, a, b)`.
fn interval_or_call(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    parser.expect_keyword(Keyword::INTERVAL)?;
    let count = match parser.peek_token_ref().token {
        // It is read once whatever it is: to try both ways would double the work with every level.
        Token::LParen => {
            parser.advance_token();
            let mut values = parser.parse_comma_separated(Parser::parse_expr)?;
            parser.expect_token(&Token::RParen)?;
            if values.len() > 1 {
                return Ok(call("interval_of", values));
            }
            continued(parser, Expr::Nested(Box::new(values.remove(0))))?
        }
        _ => parser.parse_expr()?,
    };
    let token = parser.next_token();
    match &token.token {
        Token::Word(unit) if is_unit(&unit.value) => {
            let unit = Expr::Value(Value::SingleQuotedString(unit.value.to_uppercase()).into());
            Ok(call(INTERVAL, vec![count, unit]))
        }
        _ => parser.expected("a unit of time, as MINUTE", token),
    }
}

/// The expression that begins with this one.
fn continued(parser: &mut Parser<'_>, mut left: Expr) -> Result<Expr, ParserError> {
    loop {
        let precedence = parser.get_next_precedence()?;
        if precedence == 0 {
            return Ok(left);
        }
        left = parser.parse_infix(left, precedence)?;
    }
}

/// `CHAR(n, …)`, `CHAR(n, … USING utf8mb4)`.
fn char_codes(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    parser.next_token();
    parser.expect_token(&Token::LParen)?;
    let codes = parser.parse_comma_separated(Parser::parse_expr)?;
    let is_text = parser.parse_keyword(Keyword::USING);
    if is_text {
        parser.parse_identifier()?;
    }
    parser.expect_token(&Token::RParen)?;
    Ok(call(if is_text { "char_text" } else { "char" }, codes))
}

/// `CAST(value AS type [CHARACTER SET utf8mb4])`: all text is UTF-8.
fn cast(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    parser.next_token();
    parser.expect_token(&Token::LParen)?;
    let expr = Box::new(parser.parse_expr()?);
    parser.expect_keyword(Keyword::AS)?;
    let data_type = parser.parse_data_type()?;
    if parser.parse_keywords(&[Keyword::CHARACTER, Keyword::SET]) || parser.parse_keyword(Keyword::CHARSET) {
        parser.parse_identifier()?;
    }
    if parser.parse_keyword(Keyword::ARRAY) {
        return Err(ParserError::ParserError("CAST to an ARRAY is for indexes; leave ARRAY out".to_owned()));
    }
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Cast { kind: CastKind::Cast, expr, data_type, array: false, format: None })
}

/// `BINARY a`: an operator of one side, which binds closer than any of two.
fn binary(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    parser.next_token();
    let expr = Box::new(parser.parse_subexpr(MYSQL.prec_value(Precedence::DoubleColon))?);
    Ok(Expr::Cast { kind: CastKind::Cast, expr, data_type: DataType::Binary(None), array: false, format: None })
}

/// `a [NOT] REGEXP b`. sqlparser takes a NULL that follows for a part of the operator.
fn regexp(parser: &mut Parser<'_>, left: &Expr) -> Result<Option<Expr>, ParserError> {
    let is_regexp =
        |token: &Token| matches!(token, Token::Word(word) if matches!(word.keyword, Keyword::REGEXP | Keyword::RLIKE));
    let negated = !is_regexp(&parser.peek_token_ref().token);
    if negated && !is_regexp(&parser.peek_nth_token_ref(1).token) {
        return Ok(None);
    }
    if negated {
        parser.advance_token();
    }
    parser.advance_token();
    let pattern = parser.parse_subexpr(MYSQL.prec_value(Precedence::Like))?;
    Ok(Some(Expr::RLike { negated, expr: Box::new(left.clone()), pattern: Box::new(pattern), regexp: true }))
}

fn is_unit(word: &str) -> bool {
    const UNITS: [&str; 9] = ["MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"];
    word.to_uppercase().split('_').all(|part| UNITS.contains(&part))
}

fn is_sounds(word: &Word) -> bool {
    word.quote_style.is_none() && word.value.eq_ignore_ascii_case("sounds")
}

/// `a SOUNDS LIKE b`.
fn sounds_like(parser: &mut Parser<'_>, left: &Expr, precedence: u8) -> Result<Expr, ParserError> {
    parser.advance_token();
    parser.expect_keyword(Keyword::LIKE)?;
    let right = parser.parse_subexpr(precedence)?;
    let [left, right] = [left.clone(), right].map(|side| Box::new(call("soundex", vec![side])));
    Ok(Expr::BinaryOp { left, op: BinaryOperator::Eq, right })
}

fn word_operator(word: &Word) -> Option<BinaryOperator> {
    match word.keyword {
        Keyword::DIV if word.quote_style.is_none() => Some(BinaryOperator::MyIntegerDivide),
        _ if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("mod") => Some(BinaryOperator::Modulo),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_bind_as_in_mysql() {
        for (sql, expected) in [
            ("SELECT 7 DIV 2 + 1", "(7 DIV 2) + 1"),
            ("SELECT a DIV b = c", "(a DIV b) = c"),
            ("SELECT 1 + 7 MOD 4", "1 + (7 % 4)"),
            ("SELECT a ->> '$.b' = 'c'", "(a ->> '$.b') = 'c'"),
            ("SELECT !a AND b", "(!a) AND b"),
            ("SELECT !a = b", "(!a) = b"),
            ("SELECT a OR b XOR c AND d", "a OR (b XOR (c AND d))"),
            ("SELECT a = 1 && b = 2", "(a = 1) AND (b = 2)"),
            ("SELECT 2 * 3 ^ 1", "2 * (3 ^ 1)"),
            ("SELECT -a ^ b - ~c * d", "((-a) ^ b) - ((~c) * d)"),
            ("SELECT 1 + 2 << 3 & 4 | 5", "(((1 + 2) << 3) & 4) | 5"),
        ] {
            let parsed = Parser::parse_sql(&Dialected, sql).expect(sql).remove(0);
            assert_eq!(grouped(&parsed), expected, "{sql}");
        }
    }

    /// The only expression, with its operators in parentheses.
    fn grouped(statement: &Statement) -> String {
        fn show(expr: &Expr, nested: bool) -> String {
            let text = match expr {
                Expr::BinaryOp { left, op, right } => format!("{} {op} {}", show(left, true), show(right, true)),
                Expr::UnaryOp { op, expr } => format!("{op}{}", show(expr, true)),
                other => return other.to_string(),
            };
            if nested { format!("({text})") } else { text }
        }
        let Statement::Query(query) = statement else { panic!("{statement}") };
        let sqlparser::ast::SetExpr::Select(select) = query.body.as_ref() else { panic!("{query}") };
        let sqlparser::ast::SelectItem::UnnamedExpr(expr) = &select.projection[0] else { panic!("{select}") };
        show(expr, false)
    }
}
