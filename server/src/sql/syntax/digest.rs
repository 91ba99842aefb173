//! The digest of a statement: what is the same for all statements that differ in their values only.

use sqlparser::tokenizer::{Token, Tokenizer};
use xxhash_rust::xxh3::xxh3_128;

use super::dialect::Dialected;

/// Bytes of a normalised text; the rest is cut off.
const TEXT_BYTES_MAX: usize = 1024;

/// A normalised statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// 32 hexadecimal digits: XXH3-128 of the whole normalised text.
    pub id: String,
    /// Lower case, values as `?`, lists of values as `...`, cut to a kilobyte.
    pub text: String,
}

impl Digest {
    /// The digest of a statement in tokens.
    pub(super) fn new<'a>(tokens: impl Iterator<Item = &'a Token>) -> Self {
        let mut words: Vec<String> = Vec::new();
        for token in tokens {
            let word = match token {
                Token::Whitespace(_) | Token::SemiColon | Token::EOF => continue,
                Token::Number(..)
                | Token::Placeholder(_)
                | Token::SingleQuotedString(_)
                | Token::DoubleQuotedString(_)
                | Token::NationalStringLiteral(_)
                | Token::HexStringLiteral(_) => "?".to_owned(),
                Token::Word(word) => word.value.to_lowercase(),
                other => other.to_string(),
            };
            words.push(word);
            collapse_list(&mut words);
        }
        let mut text = words.join(" ");
        let id = format!("{:032x}", xxh3_128(text.as_bytes()));
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        Self { id, text }
    }

    /// The digest of any text; that of all that are not understood for one that cannot be split into tokens.
    pub fn of(sql: &str) -> Self {
        match Tokenizer::new(&Dialected, sql).tokenize() {
            Ok(tokens) => Self::new(tokens.iter()),
            Err(_) => Self::not_understood(),
        }
    }

    /// The one digest of all statements that do not parse: what such a text holds is not known, so nothing of it is shown.
    pub fn not_understood() -> Self {
        let text = "(does not parse)".to_owned();
        Self { id: format!("{:032x}", xxh3_128(text.as_bytes())), text }
    }
}

/// `? , ?` is `...`, and so is `... , ?`: a list of two values and one of two hundred are the same.
fn collapse_list(words: &mut Vec<String>) {
    let length = words.len();
    if length >= 3
        && words[length - 1] == "?"
        && words[length - 2] == ","
        && ["?", "..."].contains(&words[length - 3].as_str())
    {
        words.truncate(length - 3);
        words.push("...".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_differ_in_values_only_have_one_digest() {
        for (sql, expected) in [
            ("SELECT * FROM `Nodes` WHERE id = 'a' -- x", "select * from nodes where id = ?"),
            ("select *\nfrom nodes where id=\"b\";", "select * from nodes where id = ?"),
            ("SELECT 1 FROM t WHERE a IN (1, 2,3)", "select ? from t where a in ( ... )"),
            ("SELECT 1 FROM t WHERE a IN (1, 2)", "select ? from t where a in ( ... )"),
            ("SELECT 'open", "(does not parse)"),
        ] {
            assert_eq!(Digest::of(sql).text, expected, "{sql}");
        }
        assert_eq!(Digest::of("SELECT 1").id, Digest::of("select   22").id);
        assert_eq!(Digest::of("SELECT 1").id, Digest::of("SELECT ?").id);
        assert_ne!(Digest::of("SELECT 1").id, Digest::of("select a").id);
        assert!(Digest::of(&format!("SELECT {}", "ü,".repeat(4000))).text.len() <= TEXT_BYTES_MAX);
    }
}
