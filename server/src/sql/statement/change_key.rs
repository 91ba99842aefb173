//! `CHANGE KEY 'text'`: what tells a repetition of a statement from another one.

use sqlparser::tokenizer::Token;
use unum_proto::model::limits::CHANGE_KEY_CHARS_MAX;

use crate::sql::Error;
use crate::sql::syntax::cursor::Cursor;

/// The key, from behind the word CHANGE.
pub(super) fn parse(statement: &mut Cursor<'_>) -> Result<String, Error> {
    if !statement.take("KEY") {
        return statement.expected("KEY and a text");
    }
    match statement.peek().token.clone() {
        Token::SingleQuotedString(key) if (1..=CHANGE_KEY_CHARS_MAX).contains(&key.chars().count()) => {
            statement.skip(1);
            Ok(key)
        }
        _ => statement.expected(&format!("a text of 1 to {CHANGE_KEY_CHARS_MAX} characters")),
    }
}
