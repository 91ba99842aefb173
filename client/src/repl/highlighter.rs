//! Colours for what is typed.

use nu_ansi_term::{Color, Style};
use reedline::{Highlighter, StyledText};
use sqlparser::dialect::MySqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

/// Keywords, strings, numbers and comments, each in its colour.
pub struct SqlHighlighter;

impl Highlighter for SqlHighlighter {
    fn highlight(&self, line: &str, _: usize) -> StyledText {
        let mut styled = StyledText::new();
        pieces(line).into_iter().for_each(|piece| styled.push(piece));
        styled
    }
}

/// The line in pieces, with nothing left out. What does not tokenize yet, as an open quote, is plain.
fn pieces(line: &str) -> Vec<(Style, String)> {
    let plain = || vec![(Style::new(), line.to_owned())];
    let Ok(tokens) = Tokenizer::new(&MySqlDialect {}, line).with_unescape(false).tokenize() else { return plain() };
    let mut pieces = Vec::new();
    let mut length = 0;
    for token in &tokens {
        let text = token.to_string();
        length += text.len();
        pieces.push((style(token), text));
    }
    // A token need not be written as it was typed; then nothing is coloured rather than something wrong shown.
    let same = length == line.len() && pieces.iter().map(|(_, text)| text.as_str()).collect::<String>() == line;
    if same { pieces } else { plain() }
}

fn style(token: &Token) -> Style {
    match token {
        Token::Word(word) if word.keyword != Keyword::NoKeyword && word.quote_style.is_none() => Color::Blue.bold(),
        Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => Color::Green.normal(),
        Token::Number(..) => Color::Cyan.normal(),
        Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_)) => {
            Color::DarkGray.normal()
        }
        _ => Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_typed_is_changed_by_its_colours() {
        for line in [
            "SELECT 'it''s', \"x\", 1.50e3 FROM `a b` -- end",
            "select 'open",
            "/* c */ SELECT\n\t1;",
            "SELECT 'a\\'b'",
            "\\d nodes",
            "",
            "é ü 🦀",
        ] {
            let text: String = pieces(line).into_iter().map(|(_, text)| text).collect();
            assert_eq!(text, line);
        }
        assert!(pieces("SELECT 1").iter().any(|(style, _)| *style == Color::Blue.bold()));
    }
}
