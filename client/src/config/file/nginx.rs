//! `nginx.conf`: directives that end in `;`, and blocks of them in braces.
//!
//! A directive's name has those of its blocks before it, with numbers where several are alike: `http.server[1].listen`. Code in
//! a block is no configuration: a file that has such is refused.

use unum_proto::model::ConfigType;

use super::scalar::{Repeated, Scalar, Scalars, Style, joined, line_number};

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word { at: std::ops::Range<usize>, text: String, is_quoted: bool },
    Open(usize),
    Close(usize),
    End(usize),
}

pub(super) fn parse(text: &str) -> Result<Scalars, String> {
    let tokens = tokens(text)?;
    let mut found = Repeated::default();
    // How many blocks of each name there are in each block, counted before they are named.
    let counts = counts(&tokens);
    let mut open: Vec<String> = Vec::new();
    let mut taken = std::collections::HashMap::<String, usize>::new();
    let mut words: Vec<&Token> = Vec::new();
    for token in &tokens {
        let here = |at: usize| format!("line {}", line_number(text, at));
        match token {
            Token::Word { .. } => words.push(token),
            Token::Open(at) => {
                let name = first(&words).ok_or_else(|| format!("{}: a block without a name", here(*at)))?;
                if name.ends_with("_by_lua_block") || name.ends_with("_block") {
                    return Err(format!("{}: {name} is code, and no configuration", here(*at)));
                }
                let path = joined(open.last().map_or("", String::as_str), name);
                let number = taken.entry(path.clone()).or_default();
                let several = counts.get(&path).is_some_and(|count| *count > 1);
                open.push(if several { format!("{path}[{number}]") } else { path });
                *number += 1;
                words.clear();
            }
            Token::Close(at) => {
                if !words.is_empty() {
                    return Err(format!("{}: a directive without its ;", here(*at)));
                }
                open.pop().ok_or_else(|| format!("{}: a }} too many", here(*at)))?;
            }
            Token::End(at) => {
                let name = first(&words).ok_or_else(|| format!("{}: a ; without a directive", here(*at)))?;
                let key = joined(open.last().map_or("", String::as_str), name);
                found.add(key, directive(text, &words[1..], *at));
                words.clear();
            }
        }
    }
    if !open.is_empty() || !words.is_empty() {
        return Err("its end is missing: a block or a directive is open".into());
    }
    Ok(found.numbered())
}

fn first<'a>(words: &[&'a Token]) -> Option<&'a str> {
    match words.first()? {
        Token::Word { text, .. } => Some(text),
        _ => None,
    }
}

fn directive(text: &str, values: &[&Token], end: usize) -> Scalar {
    match values {
        [Token::Word { at, text, is_quoted }] => {
            let style = if *is_quoted { Style::Quoted('"') } else { Style::Plain };
            // What a number may be instead, nginx knows: an address and a port, auto.
            Scalar::new(text.clone(), ConfigType::Text, at.clone(), style)
        }
        [Token::Word { at: first, .. }, .., Token::Word { at: last, .. }] => {
            let at = first.start..last.end;
            Scalar::new(&text[at.clone()], ConfigType::Text, at, Style::Words)
        }
        _ => Scalar::new("", ConfigType::Text, end..end, Style::ReadOnly),
    }
}

/// How many blocks there are under each path, where those above are not numbered: what is alike there is alike here.
fn counts(tokens: &[Token]) -> std::collections::HashMap<String, usize> {
    let mut counts = std::collections::HashMap::new();
    let mut open: Vec<String> = Vec::new();
    let mut name: Option<&str> = None;
    let mut numbers = std::collections::HashMap::<String, usize>::new();
    // Twice: the numbers of the blocks above are part of the paths below.
    for _ in 0..2 {
        let before = std::mem::take(&mut counts);
        numbers.clear();
        for token in tokens {
            match token {
                Token::Word { text, .. } => name = name.or(Some(text)),
                Token::Open(_) => {
                    let path = joined(open.last().map_or("", String::as_str), name.take().unwrap_or_default());
                    *counts.entry(path.clone()).or_default() += 1;
                    let number = numbers.entry(path.clone()).or_default();
                    let several = before.get(&path).is_some_and(|count: &usize| *count > 1);
                    open.push(if several { format!("{path}[{number}]") } else { path });
                    *number += 1;
                }
                Token::Close(_) => drop(open.pop()),
                Token::End(_) => name = None,
            }
        }
    }
    counts
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some(&(start, first)) = rest.peek() {
        match first {
            c if c.is_whitespace() => drop(rest.next()),
            '#' => while rest.next_if(|(_, c)| *c != '\n').is_some() {},
            '{' => tokens.push(Token::Open(rest.next().map_or(start, |(at, _)| at))),
            '}' => tokens.push(Token::Close(rest.next().map_or(start, |(at, _)| at))),
            ';' => tokens.push(Token::End(rest.next().map_or(start, |(at, _)| at))),
            _ => tokens.push(word(text, start, &mut rest)?),
        }
    }
    Ok(tokens)
}

fn word(text: &str, start: usize, rest: &mut std::iter::Peekable<std::str::CharIndices<'_>>) -> Result<Token, String> {
    let mut found = String::new();
    let quote = rest.next_if(|(_, c)| matches!(c, '"' | '\'')).map(|(_, c)| c);
    while let Some(&(at, c)) = rest.peek() {
        if quote.is_none() && (c.is_whitespace() || matches!(c, ';' | '{')) {
            // A variable in braces is a part of the word.
            let is_variable = c == '{' && text[..at].ends_with('$');
            if !is_variable {
                return Ok(Token::Word { at: start..at, text: found, is_quoted: false });
            }
        }
        rest.next();
        match c {
            '\\' => match rest.next() {
                // A backslash before anything else stays: regular expressions have many.
                Some((_, next @ ('"' | '\'' | '\\'))) => found.push(next),
                Some((_, 'n')) => found.push('\n'),
                Some((_, 'r')) => found.push('\r'),
                Some((_, 't')) => found.push('\t'),
                Some((_, next)) => found.extend(['\\', next]),
                None => found.push('\\'),
            },
            c if Some(c) == quote => {
                let behind = rest.peek().map(|(_, next)| *next);
                if behind.is_some_and(|next| !next.is_whitespace() && !matches!(next, ';' | '{' | ')')) {
                    return Err(format!("line {}: text right behind quotes", line_number(text, start)));
                }
                return Ok(Token::Word { at: start..at + 1, text: found, is_quoted: true });
            }
            c => found.push(c),
        }
    }
    match quote {
        Some(_) => Err(format!("line {}: quotes that are not closed", line_number(text, start))),
        None => Ok(Token::Word { at: start..text.len(), text: found, is_quoted: false }),
    }
}

pub(super) fn write(value: &str, style: Style) -> Result<String, String> {
    let refused = || format!("{value:?} cannot stand in such a directive");
    if value.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
        return Err(refused());
    }
    match style {
        Style::ReadOnly => Err("a directive without a value takes none".into()),
        Style::Words => {
            let tokens = tokens(value)?;
            // A brace in a word is one to nginx, and the end of a block to others.
            let is_word = |token: &Token| match token {
                Token::Word { text, is_quoted, .. } => *is_quoted || !text.contains('}') || text.contains("${"),
                _ => false,
            };
            let are_words = tokens.iter().all(is_word);
            let ends = matches!(tokens.last(), Some(Token::Word { at, .. }) if at.end == value.len());
            if are_words && ends && value.trim() == value { Ok(value.to_owned()) } else { Err(refused()) }
        }
        Style::Plain
            if !value.is_empty()
                && !value.contains(|c: char| {
                    c.is_whitespace() || matches!(c, ';' | '{' | '}' | '"' | '\'' | '\\' | '#')
                }) =>
        {
            Ok(value.to_owned())
        }
        // Several words are several values, and none in quotes.
        Style::Plain if value.contains(char::is_whitespace) => write(value, Style::Words),
        Style::Plain | Style::Quoted(_) => {
            let escaped: String = value.chars().flat_map(|c| escape(c).into_iter().flatten()).collect();
            Ok(format!("\"{escaped}\""))
        }
    }
}

fn escape(c: char) -> [Option<char>; 2] {
    match c {
        '"' | '\\' => [Some('\\'), Some(c)],
        '\n' => [Some('\\'), Some('n')],
        '\r' => [Some('\\'), Some('r')],
        '\t' => [Some('\\'), Some('t')],
        c => [Some(c), None],
    }
}
