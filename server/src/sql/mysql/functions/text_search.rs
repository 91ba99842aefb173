//! Functions that find texts in texts: positions, lists, LIKE, regular expressions.
//!
//! Texts compare by their bytes, as the server's one collation has it. Regular expressions are those of the `regex`
//! crate: MySQL's without looking around and without references back.

use std::cmp::Ordering;

use regex::{Captures, Regex};

use crate::sql::mysql::functions::definition::{ANY, Call, Definition, Outcome, Stop, some};
use crate::sql::mysql::functions::letters::{count, letters, made};
use crate::sql::mysql::functions::returns;
use crate::sql::mysql::value::{Number, Value};

/// The functions of this file.
pub static FUNCTIONS: &[Definition] = &[
    Definition::new("instr", "instr(text, part)", (2, 2), returns::int, |call| located(call, 1, 0, 1)),
    Definition::new("locate", "locate(part, text[, from])", (2, 3), returns::int, locate),
    Definition::new("field", "field(value, value, …)", (2, ANY), returns::int, field),
    Definition::new("find_in_set", "find_in_set(text, list)", (2, 2), returns::int, find_in_set),
    Definition::new("strcmp", "strcmp(text, text)", (2, 2), returns::int, strcmp),
    Definition::new("like", "text LIKE pattern ESCAPE escape", (2, 3), returns::bool, like),
    Definition::new("regexp_like", "regexp_like(text, pattern[, flags])", (2, 3), returns::bool, regexp_like),
    Definition::new(
        "regexp_instr",
        "regexp_instr(text, pattern[, from[, occurrence[, behind[, flags]]]])",
        (2, 6),
        returns::int,
        regexp_instr,
    ),
    Definition::new(
        "regexp_substr",
        "regexp_substr(text, pattern[, from[, occurrence[, flags]]])",
        (2, 5),
        returns::text,
        regexp_substr,
    ),
    Definition::new(
        "regexp_replace",
        "regexp_replace(text, pattern, by[, from[, occurrence[, flags]]])",
        (3, 6),
        returns::text,
        regexp_replace,
    ),
];

fn locate(call: &Call<'_>) -> Outcome {
    if call.count() == 2 {
        return located(call, 0, 1, 1);
    }
    let from = call.int(2)?;
    call.value(0)?;
    // Nothing is found past the last character, not even an empty text.
    let characters = letters(call, 1)?.chars().count();
    match usize::try_from(from) {
        Ok(from @ 1..) if from > characters => count(0),
        _ => located(call, 0, 1, from),
    }
}

/// The position of the part in the whole, both arguments, from 1; 0 if it is not there. It counts what the whole is made of:
/// characters of a text, also where bytes are looked for in it, and bytes of what is binary.
fn located(call: &Call<'_>, part: usize, whole: usize, from: i64) -> Outcome {
    let skipped = usize::try_from(from).ok().and_then(|from| from.checked_sub(1));
    if matches!(call.value(whole)?, Value::Bytes(_)) {
        let (part, whole) = (call.bytes(part)?, call.bytes(whole)?);
        let found = skipped.and_then(|start| found_at(&whole, &part, start));
        return count(found.map_or(0, |at| at + 1));
    }
    let (part, whole) = (call.bytes(part)?, call.text(whole)?);
    let start = skipped.and_then(|skipped| offset(&whole, skipped));
    let found = start.and_then(|start| found_at(whole.as_bytes(), &part, start));
    count(found.map_or(0, |at| position(&whole, at)))
}

/// The byte at which the part begins for the first time, from that byte on.
fn found_at(whole: &[u8], part: &[u8], start: usize) -> Option<usize> {
    let rest = whole.get(start..)?;
    if part.is_empty() {
        return Some(start);
    }
    rest.windows(part.len()).position(|window| window == part).map(|at| start + at)
}

/// The byte at which the character of that number begins, or the text ends.
fn offset(text: &str, characters: usize) -> Option<usize> {
    text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(characters)
}

/// The position of a byte in characters, from 1.
fn position(text: &str, byte: usize) -> usize {
    text.get(..byte).map_or(0, |before| before.chars().count() + 1)
}

/// Which of the other arguments the first one is, from 1: as numbers if none is text, as text if all are, else as doubles.
fn field(call: &Call<'_>) -> Outcome {
    if call.any(0).is_null() {
        return count(0);
    }
    let is_number =
        |value: &Value<'_>| matches!(value, Value::Int(_) | Value::UInt(_) | Value::Decimal(_) | Value::Double(_));
    let mut given = call.args.iter().filter(|value| !value.is_null());
    let equal: fn(&Value<'_>, &Value<'_>) -> Option<bool> = if given.clone().all(is_number) {
        |a, b| Some(a.to_number()?.compare(b.to_number()?) == Ordering::Equal)
    } else if !given.any(is_number) {
        |a, b| Some(a.to_bytes()? == b.to_bytes()?)
    } else {
        |a, b| {
            let (a, b) = (Number::Double(a.to_f64()?), Number::Double(b.to_f64()?));
            Some(a.compare(b) == Ordering::Equal)
        }
    };
    let wanted = call.value(0)?;
    let found = call.args.iter().skip(1).position(|value| equal(wanted, value) == Some(true));
    count(found.map_or(0, |at| at + 1))
}

fn find_in_set(call: &Call<'_>) -> Outcome {
    let (wanted, list) = (letters(call, 0)?, letters(call, 1)?);
    if list.is_empty() {
        return count(0);
    }
    count(list.split(',').position(|one| one == wanted).map_or(0, |at| at + 1))
}

fn strcmp(call: &Call<'_>) -> Outcome {
    let (a, b) = (call.bytes(0)?, call.bytes(1)?);
    Ok(Value::Int(a.cmp(&b) as i64))
}

/// `%` is any text and `_` any character, but behind the escape.
fn like(call: &Call<'_>) -> Outcome {
    let (text, pattern) = (letters(call, 0)?, letters(call, 1)?);
    let escape = if call.count() > 2 { letters(call, 2)?.chars().next() } else { Some('\\') };
    Ok(Value::bool(is_like(&text, &pattern, escape)))
}

/// One part of a pattern of LIKE.
enum Part {
    Exactly(char),
    One,
    Any,
}

/// The part that a pattern begins with, and what is behind it.
fn first_part(pattern: &str, escape: Option<char>) -> Option<(Part, &str)> {
    let mut rest = pattern.chars();
    let part = match rest.next()? {
        // An escape with nothing behind it is itself.
        c if Some(c) == escape => Part::Exactly(rest.next().unwrap_or(c)),
        '%' => Part::Any,
        '_' => Part::One,
        c => Part::Exactly(c),
    };
    Some((part, rest.as_str()))
}

/// Whether a text is like a pattern.
pub fn is_like(mut text: &str, mut pattern: &str, escape: Option<char>) -> bool {
    // One way back is enough: what an earlier `%` could take besides, the last one can as well.
    let mut way_back: Option<(&str, &str)> = None;
    loop {
        let mut left = text.chars();
        let goes_on = match (first_part(pattern, escape), left.next()) {
            (Some((Part::Any, behind)), _) => {
                if behind.is_empty() {
                    return true;
                }
                way_back = Some((text, behind));
                pattern = behind;
                continue;
            }
            (None, None) => return true,
            (Some((Part::One, behind)), Some(_)) => Some(behind),
            (Some((Part::Exactly(wanted), behind)), Some(c)) if wanted == c => Some(behind),
            _ => None,
        };
        if let Some(behind) = goes_on {
            (text, pattern) = (left.as_str(), behind);
            continue;
        }
        let Some((from, behind)) = way_back else { return false };
        let mut longer = from.chars();
        if longer.next().is_none() {
            return false;
        }
        (text, pattern) = (longer.as_str(), behind);
        way_back = Some((text, pattern));
    }
}

/// The regular expression of the second argument, with the flags of the argument at a position.
fn with_regex<T>(call: &Call<'_>, flags: usize, with: impl FnOnce(&Regex) -> T) -> Result<T, Stop> {
    let pattern = call.text(1)?;
    if call.count() <= flags {
        return call.with_regex(&pattern, with);
    }
    let (mut any_case, mut set) = (false, String::new());
    for flag in call.text(flags)?.chars() {
        match flag {
            // The last of the two counts.
            'c' => any_case = false,
            'i' => any_case = true,
            'm' => set.push('m'),
            'n' => set.push('s'),
            // Lines end with line feeds here in any case.
            'u' => {}
            _ => return Err(Stop::error(format!("Incorrect arguments to {}", call.name))),
        }
    }
    if any_case {
        set.push('i');
    }
    match set.is_empty() {
        true => call.with_regex(&pattern, with),
        false => call.with_regex(&format!("(?{set}){pattern}"), with),
    }
}

fn regexp_like(call: &Call<'_>) -> Outcome {
    let text = call.text(0)?;
    with_regex(call, 2, |regex| Value::bool(regex.is_match(&text)))
}

/// The byte of the character at which the search begins; `at` is the argument that says so, if it is there.
fn search_start(call: &Call<'_>, text: &str, at: usize) -> Result<usize, Stop> {
    if call.count() <= at {
        return Ok(0);
    }
    let from = usize::try_from(call.int(at)?).ok().and_then(|from| from.checked_sub(1));
    from.and_then(|from| offset(text, from))
        .ok_or_else(|| Stop::error("Index out of bounds in regular expression search."))
}

/// Where the match of that number is.
fn nth_match(regex: &Regex, text: &str, start: usize, occurrence: i64) -> Option<std::ops::Range<usize>> {
    let wanted = usize::try_from(occurrence.max(1)).ok()?;
    all_matches(regex, text, start).nth(wanted - 1).map(|captures| captures.get_match().range())
}

/// All matches that begin there or later. What is in front is still seen, by `^` for one.
fn all_matches<'r, 't>(
    regex: &'r Regex,
    text: &'t str,
    start: usize,
) -> impl Iterator<Item = Captures<'t>> + use<'r, 't> {
    let mut next = Some(start);
    std::iter::from_fn(move || {
        let captures = regex.captures_at(text, next.filter(|next| *next <= text.len())?)?;
        let found = captures.get_match();
        next = match found.is_empty() {
            false => Some(found.end()),
            // An empty match is behind itself: on with the next character.
            true => text.get(found.end()..)?.chars().next().map(|c| found.end() + c.len_utf8()),
        };
        Some(captures)
    })
}

fn number_or(call: &Call<'_>, at: usize, default: i64) -> Result<i64, Stop> {
    if call.count() > at { call.int(at) } else { Ok(default) }
}

fn regexp_instr(call: &Call<'_>) -> Outcome {
    let text = call.text(0)?;
    let start = search_start(call, &text, 2)?;
    let (occurrence, behind) = (number_or(call, 3, 1)?, number_or(call, 4, 0)?);
    let found = with_regex(call, 5, |regex| nth_match(regex, &text, start, occurrence))?;
    count(found.map_or(0, |range| position(&text, if behind == 1 { range.end } else { range.start })))
}

fn regexp_substr(call: &Call<'_>) -> Outcome {
    let text = call.text(0)?;
    let (start, occurrence) = (search_start(call, &text, 2)?, number_or(call, 3, 1)?);
    let found = with_regex(call, 4, |regex| nth_match(regex, &text, start, occurrence))?;
    Ok(Value::text(some(text.get(some(found)?))?.to_owned()))
}

fn regexp_replace(call: &Call<'_>) -> Outcome {
    let (text, by) = (call.text(0)?, call.text(2)?);
    let (start, occurrence) = (search_start(call, &text, 3)?, number_or(call, 4, 0)?);
    let changed = with_regex(call, 5, |regex| {
        let mut changed = String::new();
        let mut copied = 0;
        for (number, captures) in (1_i64..).zip(all_matches(regex, &text, start)) {
            if occurrence > 0 && number != occurrence {
                continue;
            }
            let range = captures.get_match().range();
            changed.push_str(text.get(copied..range.start).unwrap_or_default());
            push_replacement(&by, &captures, &mut changed)?;
            call.allow(changed.len())?;
            copied = range.end;
            if number == occurrence {
                break;
            }
        }
        changed.push_str(text.get(copied..).unwrap_or_default());
        Ok(changed)
    })??;
    call.allow(changed.len())?;
    made(call, changed)
}

/// What a match is replaced by: `$2` is its second group, `\` takes the next character as it is.
fn push_replacement(by: &str, captures: &Captures<'_>, out: &mut String) -> Result<(), Stop> {
    let mut rest = by.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.extend(rest.next()),
            '$' => {
                let mut group: Option<usize> = None;
                // As many digits as there are groups for.
                while let Some(digit) = rest.clone().next().and_then(|c| c.to_digit(10)) {
                    let longer = group.unwrap_or(0).saturating_mul(10).saturating_add(digit as usize);
                    if group.is_some() && longer >= captures.len() {
                        break;
                    }
                    group = Some(longer);
                    rest.next();
                }
                match group {
                    None => return Err(Stop::error("A capture group has an invalid name.")),
                    Some(group) if group >= captures.len() => {
                        return Err(Stop::error("Index out of bounds in regular expression search."));
                    }
                    Some(group) => out.push_str(captures.get(group).map_or("", |found| found.as_str())),
                }
            }
            c => out.push(c),
        }
    }
    Ok(())
}
