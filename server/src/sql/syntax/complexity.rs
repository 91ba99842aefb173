//! How large a statement may be, beyond its bytes: what is planned grows faster than the text.
//!
//! A chain of operators is a tree as deep as the chain is long, and walking or dropping it takes stack; a common table
//! expression that is read twice is planned twice, and one that reads it twice four times.

use std::collections::HashMap;
use std::ops::ControlFlow;

use sqlparser::ast::{ObjectName, Query, Statement as Ast, Visit, Visitor};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::sql::Error;

/// Operators, joins and set operations of one statement. The threads of queries have the stack for it, and the time that
/// planning a chain takes grows with the square of its length.
pub const OPERATORS_MAX: usize = 1_000;

/// Words and signs of one statement: each of them is planned, as the items of a list are.
const TOKENS_MAX: usize = 20_000;

/// How deep expressions and subqueries may nest: planning recurses.
pub const NESTING_MAX: usize = 64;

/// Tables that one statement reads, each as often as it is read, through common table expressions too.
const TABLES_READ_MAX: usize = 1_000;

/// Counts before anything is parsed.
pub fn check_tokens(tokens: &[TokenWithSpan]) -> Result<(), Error> {
    let operators = tokens.iter().filter(|token| is_operator(&token.token)).count();
    if operators > OPERATORS_MAX {
        return Err(Error::Invalid(format!(
            "the statement has {operators} operators, and {OPERATORS_MAX} is the most; write IN (…) for a chain of OR"
        )));
    }
    let words = tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).count();
    if words > TOKENS_MAX {
        return Err(Error::Invalid(format!(
            "the statement has {words} words and signs, and {TOKENS_MAX} is the most; ask in several statements"
        )));
    }
    Ok(())
}

/// Words that are operators or join tables.
#[rustfmt::skip]
const OPERATORS: &[Keyword] = {
    use Keyword::*;
    &[
        AND, AT, BETWEEN, COLLATE, DIV, EXCEPT, ILIKE, IN, INTERSECT, IS, JOIN, LIKE, MATCH, MEMBER, MINUS, NOT, NOTNULL,
        OPERATOR, OR, OVERLAPS, PIVOT, REGEXP, RLIKE, SIMILAR, STRAIGHT_JOIN, UNION, UNPIVOT, XOR,
    ]
};

/// Whatever nests in what stands to its left.
fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) if word.quote_style.is_none() => {
            OPERATORS.contains(&word.keyword) || word.value.eq_ignore_ascii_case("mod")
        }
        Token::Word(_)
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::Whitespace(_)
        | Token::Comma
        | Token::Period
        | Token::LParen
        | Token::RParen
        | Token::SemiColon
        | Token::EOF => false,
        _ => true,
    }
}

/// Counts the tables that are read.
pub fn check_tables(statement: &Ast) -> Result<(), Error> {
    match statement.visit(&mut Reads::default()) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Invalid(format!(
            "the statement reads more than {TABLES_READ_MAX} tables, counting each common table expression as often as it \
             is read; read less"
        ))),
    }
}

/// The tables that each query reads, from the inner ones out; a common table expression comes before what reads it. Two
/// of one name count as the larger of them, wherever they are: that may be too much, and is never too little.
#[derive(Default)]
struct Reads {
    /// Of the queries around, the outermost first.
    counts: Vec<usize>,
    /// Names of the common table expressions that are about to come, by where their queries are.
    names: HashMap<*const Query, String>,
    known: HashMap<String, usize>,
}

impl Visitor for Reads {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.names.insert(std::ptr::from_ref(cte.query.as_ref()), cte.alias.name.value.to_lowercase());
        }
        self.counts.push(0);
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let name = relation.to_string().to_lowercase().replace('`', "");
        let reads = self.known.get(&name).copied().unwrap_or(1);
        self.add(reads)
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let reads = self.counts.pop().unwrap_or_default();
        match self.names.remove(&std::ptr::from_ref(query)) {
            Some(name) => {
                let known = self.known.entry(name).or_default();
                *known = reads.max(*known).max(1);
                ControlFlow::Continue(())
            }
            None => self.add(reads),
        }
    }
}

impl Reads {
    fn add(&mut self, reads: usize) -> ControlFlow<()> {
        if let Some(count) = self.counts.last_mut() {
            *count = count.saturating_add(reads);
            if *count > TABLES_READ_MAX {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use sqlparser::parser::Parser;
    use sqlparser::tokenizer::Tokenizer;

    use super::super::dialect::Dialected;
    use super::*;

    #[test]
    fn long_chains_and_multiplied_tables_are_refused() {
        let chain = |count: usize| format!("SELECT 1{}", " + 1".repeat(count));
        let unions = |count: usize| format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(count));
        for (sql, fits) in [
            (chain(OPERATORS_MAX), true),
            (chain(OPERATORS_MAX + 1), false),
            (unions(OPERATORS_MAX + 1), false),
            (format!("SELECT id IN ({}1) FROM t", "1,".repeat(9_000)), true),
            (format!("SELECT id IN ({}1) FROM t", "1,".repeat(10_000)), false),
            (format!("SELECT a{}", " AT TIME ZONE 'UTC'".repeat(OPERATORS_MAX + 1)), false),
            (format!("SELECT a{}", " MEMBER OF (b)".repeat(OPERATORS_MAX + 1)), false),
            (format!("SELECT '{}'", "+ OR ".repeat(10_000)), true),
        ] {
            let tokens = Tokenizer::new(&Dialected, &sql).tokenize_with_location().expect("tokens");
            assert_eq!(check_tokens(&tokens).is_ok(), fits, "{}", &sql[..sql.len().min(60)]);
        }
        let doubled = |levels: usize| {
            let next = |level: usize| format!(", c{} AS (SELECT 1 FROM c{level} a, c{level} b)", level + 1);
            let rest: String = (0..levels).map(next).collect();
            format!("WITH c0 AS (SELECT 1 FROM t){rest} SELECT * FROM C{levels}")
        };
        let inner = format!("SELECT 1 FROM ({}) x", doubled(30));
        for (sql, fits) in [(doubled(9), true), (doubled(10), false), (doubled(60), false), (inner, false)] {
            let statement = Parser::parse_sql(&Dialected, &sql).expect("a statement").remove(0);
            assert_eq!(check_tables(&statement).is_ok(), fits, "{sql}");
        }
    }
}
