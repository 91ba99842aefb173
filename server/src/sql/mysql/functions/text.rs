//! Functions that make a text of texts: pieces, paddings, repetitions, lengths.
//!
//! All count characters, and bytes of what is binary (see [`super::letters`]). Where texts are found in each other is in
//! [`super::text_search`], what they are in other notations in [`super::text_codes`].

use crate::sql::mysql::functions::definition::{ANY, Call, Definition, Outcome, Stop};
use crate::sql::mysql::functions::letters::{count, is_binary, letters, made};
use crate::sql::mysql::functions::returns;
use crate::sql::mysql::value::Value;

/// The functions of this file.
pub static FUNCTIONS: &[Definition] = &[
    Definition::new("concat", "concat(text, …)", (1, ANY), returns::letters, concat),
    Definition::new("concat_ws", "concat_ws(separator, text, …)", (2, ANY), returns::letters, concat_ws),
    Definition::new("substr", "substr(text, from[, length])", (2, 3), returns::letters, substr),
    Definition::new(
        "substring_index",
        "substring_index(text, separator, count)",
        (3, 3),
        returns::letters,
        substring_index,
    ),
    Definition::new("left", "left(text, count)", (2, 2), returns::letters, left),
    Definition::new("right", "right(text, count)", (2, 2), returns::letters, right),
    Definition::new("lpad", "lpad(text, length, padding)", (3, 3), returns::letters, |call| pad(call, true)),
    Definition::new("rpad", "rpad(text, length, padding)", (3, 3), returns::letters, |call| pad(call, false)),
    Definition::new("space", "space(count)", (1, 1), returns::text, space),
    Definition::new("repeat", "repeat(text, count)", (2, 2), returns::letters, repeat),
    Definition::new("replace", "replace(text, part, by)", (3, 3), returns::letters, replace),
    Definition::new("insert", "insert(text, from, length, by)", (4, 4), returns::letters, insert),
    Definition::new("reverse", "reverse(text)", (1, 1), returns::letters, reverse),
    Definition::new("trim", "trim(text)", (1, 1), returns::letters, |call| trim(call, true, true)),
    Definition::new("ltrim", "ltrim(text)", (1, 1), returns::letters, |call| trim(call, true, false)),
    Definition::new("rtrim", "rtrim(text)", (1, 1), returns::letters, |call| trim(call, false, true)),
    Definition::new("trim_both", "trim(BOTH what FROM text)", (2, 2), returns::letters, |call| trim(call, true, true)),
    Definition::new("trim_leading", "trim(LEADING what FROM text)", (2, 2), returns::letters, |call| {
        trim(call, true, false)
    }),
    Definition::new("trim_trailing", "trim(TRAILING what FROM text)", (2, 2), returns::letters, |call| {
        trim(call, false, true)
    }),
    Definition::new("lower", "lower(text)", (1, 1), returns::letters, |call| cased(call, lower)),
    Definition::new("upper", "upper(text)", (1, 1), returns::letters, |call| cased(call, upper)),
    Definition::new("length", "length(text)", (1, 1), returns::int, |call| count(call.bytes(0)?.len())),
    Definition::new("octet_length", "octet_length(text)", (1, 1), returns::int, |call| count(call.bytes(0)?.len())),
    Definition::new("bit_length", "bit_length(text)", (1, 1), returns::int, |call| {
        count(call.bytes(0)?.len().saturating_mul(8))
    }),
    Definition::new("char_length", "char_length(text)", (1, 1), returns::int, |call| {
        count(letters(call, 0)?.chars().count())
    }),
    Definition::new("elt", "elt(position, text, …)", (2, ANY), returns::letters, elt),
];

fn concat(call: &Call<'_>) -> Outcome {
    let mut whole = String::new();
    for at in 0..call.count() {
        let part = letters(call, at)?;
        call.allow(whole.len().saturating_add(part.len()))?;
        whole.push_str(&part);
    }
    made(call, whole)
}

/// Without those that are NULL.
fn concat_ws(call: &Call<'_>) -> Outcome {
    let separator = letters(call, 0)?;
    let mut whole: Option<String> = None;
    for at in (1..call.count()).filter(|at| !call.any(*at).is_null()) {
        let part = letters(call, at)?;
        let length = whole.as_ref().map_or(0, |whole| whole.len().saturating_add(separator.len()));
        call.allow(length.saturating_add(part.len()))?;
        match &mut whole {
            Some(whole) => {
                whole.push_str(&separator);
                whole.push_str(&part);
            }
            None => whole = Some(part.into_owned()),
        }
    }
    made(call, whole.unwrap_or_default())
}

/// A count of characters: none are less than none.
fn at_least_none(count: i64) -> usize {
    usize::try_from(count).unwrap_or(0)
}

/// Positions are from 1; those before 0 are from the end.
fn substr(call: &Call<'_>) -> Outcome {
    let (whole, from) = (letters(call, 0)?, call.int(1)?);
    let length = if call.count() > 2 { at_least_none(call.int(2)?) } else { usize::MAX };
    let characters = || i64::try_from(whole.chars().count()).unwrap_or(i64::MAX);
    let skipped = if from < 0 { characters().saturating_add(from) } else { from - 1 };
    let Ok(skipped) = usize::try_from(skipped) else { return made(call, "") };
    made(call, whole.chars().skip(skipped).take(length).collect::<String>())
}

/// What is in front of the separator that comes as that many in a row; behind it, counted from the end.
fn substring_index(call: &Call<'_>) -> Outcome {
    let (whole, separator, wanted) = (letters(call, 0)?, letters(call, 1)?, call.int(2)?);
    if separator.is_empty() || wanted == 0 {
        return made(call, "");
    }
    let nth = at_least_none(wanted.saturating_abs()) - 1;
    let found = match wanted > 0 {
        true => whole.match_indices(separator.as_ref()).nth(nth).map(|(at, _)| &whole[..at]),
        false => {
            // Separators that overlap are told apart from the front, whichever end the count is from.
            let separators: Vec<usize> = whole.match_indices(separator.as_ref()).map(|(at, _)| at).collect();
            separators.iter().rev().nth(nth).map(|at| &whole[at + separator.len()..])
        }
    };
    made(call, found.unwrap_or(&whole))
}

fn left(call: &Call<'_>) -> Outcome {
    let (whole, wanted) = (letters(call, 0)?, call.int(1)?);
    made(call, whole.chars().take(at_least_none(wanted)).collect::<String>())
}

fn right(call: &Call<'_>) -> Outcome {
    let (whole, wanted) = (letters(call, 0)?, call.int(1)?);
    let skipped = whole.chars().count().saturating_sub(at_least_none(wanted));
    made(call, whole.chars().skip(skipped).collect::<String>())
}

/// A text that is longer is cut at its end, whichever side is padded.
fn pad(call: &Call<'_>, in_front: bool) -> Outcome {
    let (whole, length, padding) = (letters(call, 0)?, call.int(1)?, letters(call, 2)?);
    let length = usize::try_from(length).map_err(|_| Stop::Null)?;
    let present = whole.chars().count();
    if length <= present {
        return made(call, whole.chars().take(length).collect::<String>());
    }
    if padding.is_empty() {
        return Err(Stop::Null);
    }
    let missing = length - present;
    // A character has at most as many bytes as the longest of the padding.
    let widest = padding.chars().map(char::len_utf8).max().unwrap_or(1);
    call.allow(missing.saturating_mul(widest).saturating_add(whole.len()))?;
    let mut padded: String = padding.chars().cycle().take(missing).collect();
    match in_front {
        true => padded.push_str(&whole),
        false => padded.insert_str(0, &whole),
    }
    made(call, padded)
}

fn space(call: &Call<'_>) -> Outcome {
    let length = at_least_none(call.int(0)?);
    call.allow(length)?;
    made(call, " ".repeat(length))
}

fn repeat(call: &Call<'_>) -> Outcome {
    let (whole, times) = (letters(call, 0)?, at_least_none(call.int(1)?));
    call.allow(whole.len().saturating_mul(times))?;
    match whole.is_empty() {
        true => made(call, ""),
        false => made(call, whole.repeat(times)),
    }
}

fn replace(call: &Call<'_>) -> Outcome {
    let (whole, part, by) = (letters(call, 0)?, letters(call, 1)?, letters(call, 2)?);
    if part.is_empty() {
        return made(call, whole);
    }
    if by.len() > part.len() {
        let found = whole.matches(part.as_ref()).count();
        call.allow(whole.len().saturating_add(found.saturating_mul(by.len() - part.len())))?;
    }
    made(call, whole.replace(part.as_ref(), &by))
}

/// A position that the text does not have leaves it as it is.
fn insert(call: &Call<'_>) -> Outcome {
    let (whole, from, length, by) = (letters(call, 0)?, call.int(1)?, call.int(2)?, letters(call, 3)?);
    let present = whole.chars().count();
    let Some(from) = usize::try_from(from).ok().filter(|from| (1..=present).contains(from)) else {
        return made(call, whole);
    };
    call.allow(whole.len().saturating_add(by.len()))?;
    let removed = usize::try_from(length).unwrap_or(usize::MAX);
    let mut changed: String = whole.chars().take(from - 1).collect();
    changed.push_str(&by);
    changed.extend(whole.chars().skip((from - 1).saturating_add(removed)));
    made(call, changed)
}

fn reverse(call: &Call<'_>) -> Outcome {
    made(call, letters(call, 0)?.chars().rev().collect::<String>())
}

/// Without the second argument at its ends, or without spaces.
fn trim(call: &Call<'_>, in_front: bool, behind: bool) -> Outcome {
    let whole = letters(call, 0)?;
    let what = if call.count() > 1 { letters(call, 1)? } else { " ".into() };
    let mut rest: &str = &whole;
    if what.is_empty() {
        return made(call, rest);
    }
    if in_front {
        rest = rest.trim_start_matches(what.as_ref());
    }
    if behind {
        rest = rest.trim_end_matches(what.as_ref());
    }
    made(call, rest)
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// A letter whose capital is several letters stays: case changes no count of letters.
fn upper(c: char) -> char {
    let mut capital = c.to_uppercase();
    match (capital.next(), capital.next()) {
        (Some(capital), None) => capital,
        _ => c,
    }
}

/// Bytes have no case.
fn cased(call: &Call<'_>, to: fn(char) -> char) -> Outcome {
    let whole = letters(call, 0)?;
    match is_binary(call) {
        true => made(call, whole),
        false => made(call, whole.chars().map(to).collect::<String>()),
    }
}

fn elt(call: &Call<'_>) -> Outcome {
    let position = usize::try_from(call.int(0)?).ok().filter(|position| (1..call.count()).contains(position));
    let position = position.ok_or(Stop::Null)?;
    match call.value(position)? {
        Value::Text(text) if !is_binary(call) => Ok(Value::text(text.clone().into_owned())),
        _ => made(call, letters(call, position)?),
    }
}
