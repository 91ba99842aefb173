//! Cutting text into statements at `;`, with MySQL's quotes and comments understood.

use sqlparser::dialect::MySqlDialect;
use sqlparser::tokenizer::{Location, Token, Tokenizer};

use crate::Error;

/// The statements of a text, without their semicolons; what is only comments is left out.
pub fn statements(text: &str) -> Result<Vec<String>, Error> {
    let tokens = Tokenizer::new(&MySqlDialect {}, text)
        .tokenize_with_location()
        .map_err(|e| Error::Refused(format!("the statement does not parse: {e}")))?;
    let mut statements = Vec::new();
    let (mut start, mut empty) = (0, true);
    for token in &tokens {
        match &token.token {
            Token::SemiColon => {
                let end = offset(text, token.span.start);
                if !empty {
                    statements.push(text[start..end].trim().to_owned());
                }
                (start, empty) = (end + 1, true);
            }
            Token::Whitespace(_) | Token::EOF => {}
            _ => empty = false,
        }
    }
    if !empty {
        statements.push(text[start..].trim().to_owned());
    }
    Ok(statements)
}

/// Whether the text ends a statement: its last token is `;`. An open quote or comment does not.
pub fn is_complete(text: &str) -> bool {
    let Ok(tokens) = Tokenizer::new(&MySqlDialect {}, text).tokenize() else { return false };
    let last = tokens.iter().rev().find(|token| !matches!(token, Token::Whitespace(_) | Token::EOF));
    last.is_none_or(|token| *token == Token::SemiColon)
}

/// The byte offset of a line and column, both from 1 and in characters.
fn offset(text: &str, location: Location) -> usize {
    let line_start: usize = text.split_inclusive('\n').take(location.line as usize - 1).map(str::len).sum();
    let in_line = text[line_start..].char_indices().nth(location.column as usize - 1);
    line_start + in_line.map_or(text.len() - line_start, |(offset, _)| offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_at_semicolons_that_are_not_quoted() {
        for (text, expected) in [
            ("SELECT 1; SELECT 2", vec!["SELECT 1", "SELECT 2"]),
            ("SELECT ';' ;\n-- a;b\nSELECT \"é;\";;", vec!["SELECT ';'", "-- a;b\nSELECT \"é;\""]),
            ("/* only ; a comment */ ; ", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(statements(text).unwrap(), expected, "{text:?}");
        }
        assert!(statements("SELECT 'open").unwrap_err().to_string().contains("Line: 1"));
    }

    #[test]
    fn a_statement_is_complete_with_its_semicolon() {
        for (text, complete) in
            [("SELECT 1", false), ("SELECT 1;", true), ("SELECT ';", false), ("SELECT 1; -- x", true), ("", true)]
        {
            assert_eq!(is_complete(text), complete, "{text:?}");
        }
    }
}
