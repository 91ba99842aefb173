//! Functions whose result can be far larger than what they take.
//!
//! DataFusion does not count what a function makes against a query's memory: `REPEAT('x', 1000000000)` in a hostile
//! statement would cost the replica. Here a whole column of results has a bound, and one past it ends the query.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use regex::Regex;

use super::function::{Arg, Definition, int, text};

/// Bytes of all results of one call on one batch of rows.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of one result: many times the largest value that a node pushes. A constant is copied often while it is planned.
const RESULT_BYTES_MAX: usize = 1024 * 1024;

pub static FUNCTIONS: &[Definition] = &[
    Definition::new("concat", &[Arg::Text], 1, DataType::Utf8, concat).repeating(),
    Definition::new("concat_ws", &[Arg::Text], 2, DataType::Utf8, concat_ws).repeating(),
    Definition::new("repeat", &[Arg::Text, Arg::Int], 2, DataType::Utf8, repeat),
    Definition::new("space", &[Arg::Int], 1, DataType::Utf8, space),
    Definition::new("lpad", &[Arg::Text, Arg::Int, Arg::Text], 3, DataType::Utf8, |args| pad(args, "lpad", true)),
    Definition::new("rpad", &[Arg::Text, Arg::Int, Arg::Text], 3, DataType::Utf8, |args| pad(args, "rpad", false)),
    Definition::new("replace", &[Arg::Text, Arg::Text, Arg::Text], 3, DataType::Utf8, replace),
    Definition::new("regexp_replace", &[Arg::Text, Arg::Text, Arg::Text], 3, DataType::Utf8, regexp_replace),
];

/// A text in the making, and what is left for it and those after it.
pub struct Bounded<'a> {
    text: String,
    left: usize,
    function: &'a str,
}

fn too_much(function: &str) -> Result<()> {
    exec_err!(
        "{function} makes more than {RESULT_BYTES_MAX} bytes of one row, or {BYTES_MAX} of one batch; make less of it"
    )
}

impl Bounded<'_> {
    /// A text more.
    pub fn push(&mut self, part: &str) -> Result<()> {
        if part.len() > self.left || self.text.len() + part.len() > RESULT_BYTES_MAX {
            return too_much(self.function);
        }
        self.left -= part.len();
        self.text.push_str(part);
        Ok(())
    }

    /// A text so often.
    fn push_times(&mut self, part: &str, count: i64) -> Result<()> {
        let count = if part.is_empty() { 0 } else { usize::try_from(count).unwrap_or(0) };
        if part.len().saturating_mul(count) > RESULT_BYTES_MAX {
            return too_much(self.function);
        }
        self.push(&part.repeat(count))
    }

    /// The first characters of a text again and again, so many in all.
    fn fill(&mut self, with: &str, mut characters: usize) -> Result<()> {
        let length = with.chars().count();
        // A character has a byte at least.
        if length > 0 && characters > RESULT_BYTES_MAX {
            return too_much(self.function);
        }
        if let Some(times) = characters.checked_div(length) {
            self.push_times(with, i64::try_from(times).unwrap_or(i64::MAX))?;
            characters %= length;
        }
        let end = with.char_indices().nth(characters).map_or(with.len(), |(end, _)| end);
        self.push(if length == 0 { "" } else { &with[..end] })
    }
}

/// One result a row, all within the bound; none is NULL.
pub fn each_row(
    function: &str,
    args: &[ArrayRef],
    make: impl Fn(usize, &mut Bounded<'_>) -> Result<Option<()>>,
) -> Result<ArrayRef> {
    let mut left = BYTES_MAX;
    let mut results = Vec::with_capacity(args[0].len());
    for row in 0..args[0].len() {
        let mut bounded = Bounded { text: String::new(), left, function };
        let made = make(row, &mut bounded)?;
        left = bounded.left;
        results.push(made.map(|()| bounded.text));
    }
    Ok(Arc::new(StringArray::from(results)))
}

/// NULL if any part is: DataFusion's own leaves such parts out.
fn concat(args: &[ArrayRef]) -> Result<ArrayRef> {
    each_row("concat", args, |row, out| {
        for arg in args {
            let Some(part) = text(arg, row) else { return Ok(None) };
            out.push(part)?;
        }
        Ok(Some(()))
    })
}

/// What is NULL is left out, but a separator that is.
fn concat_ws(args: &[ArrayRef]) -> Result<ArrayRef> {
    each_row("concat_ws", args, |row, out| {
        let Some(separator) = text(&args[0], row) else { return Ok(None) };
        for (position, part) in args[1..].iter().filter_map(|arg| text(arg, row)).enumerate() {
            if position > 0 {
                out.push(separator)?;
            }
            out.push(part)?;
        }
        Ok(Some(()))
    })
}

fn repeat(args: &[ArrayRef]) -> Result<ArrayRef> {
    each_row("repeat", args, |row, out| {
        let (Some(part), Some(count)) = (text(&args[0], row), int(&args[1], row)) else { return Ok(None) };
        out.push_times(part, count)?;
        Ok(Some(()))
    })
}

fn space(args: &[ArrayRef]) -> Result<ArrayRef> {
    each_row("space", args, |row, out| {
        let Some(count) = int(&args[0], row) else { return Ok(None) };
        out.push_times(" ", count)?;
        Ok(Some(()))
    })
}

/// A text made as long as asked, in characters: filled up, or cut.
fn pad(args: &[ArrayRef], name: &str, left: bool) -> Result<ArrayRef> {
    each_row(name, args, |row, out| {
        let (Some(whole), Some(length), Some(with)) = (text(&args[0], row), int(&args[1], row), text(&args[2], row))
        else {
            return Ok(None);
        };
        let Ok(length) = usize::try_from(length) else { return Ok(None) };
        let missing = length.saturating_sub(whole.chars().count());
        if left {
            out.fill(with, missing)?;
        }
        out.fill(whole, length.min(whole.chars().count()))?;
        if !left {
            out.fill(with, missing)?;
        }
        Ok(Some(()))
    })
}

fn replace(args: &[ArrayRef]) -> Result<ArrayRef> {
    each_row("replace", args, |row, out| {
        let (Some(whole), Some(from), Some(to)) = (text(&args[0], row), text(&args[1], row), text(&args[2], row))
        else {
            return Ok(None);
        };
        if from.is_empty() {
            out.push(whole)?;
            return Ok(Some(()));
        }
        for (position, part) in whole.split(from).enumerate() {
            if position > 0 {
                out.push(to)?;
            }
            out.push(part)?;
        }
        Ok(Some(()))
    })
}

/// All places that match, as in MySQL; `$1` is the first group.
fn regexp_replace(args: &[ArrayRef]) -> Result<ArrayRef> {
    let compiled = |pattern: &str| {
        Regex::new(pattern).map_err(|e| exec_datafusion_err!("{pattern:?} is no regular expression: {e}"))
    };
    // Nearly always the same for all rows.
    let last = std::cell::RefCell::new(None::<(String, Regex)>);
    each_row("regexp_replace", args, |row, out| {
        let (Some(whole), Some(pattern), Some(to)) = (text(&args[0], row), text(&args[1], row), text(&args[2], row))
        else {
            return Ok(None);
        };
        let mut last = last.borrow_mut();
        if last.as_ref().is_none_or(|(known, _)| known != pattern) {
            *last = Some((pattern.to_owned(), compiled(pattern)?));
        }
        let Some((_, regex)) = last.as_ref() else { return Ok(None) };
        let mut end = 0;
        for found in regex.captures_iter(whole) {
            let Some(all) = found.get(0) else { continue };
            out.push(&whole[end..all.start()])?;
            // No group is longer than the whole.
            if to.matches('$').count().saturating_mul(all.len()).saturating_add(to.len()) > RESULT_BYTES_MAX {
                return too_much("regexp_replace").map(|()| None);
            }
            let mut replacement = String::new();
            found.expand(to, &mut replacement);
            out.push(&replacement)?;
            end = all.end();
        }
        out.push(&whole[end..])?;
        Ok(Some(()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{AsArray, Int64Array};

    fn texts(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[test]
    fn results_past_the_bound_end_the_query_before_they_are_made() {
        let count = |count: i64| Arc::new(Int64Array::from(vec![count])) as ArrayRef;
        let long = "a".repeat(60_000);
        for error in [
            repeat(&[texts(&[Some("x")]), count(i64::MAX)]),
            space(&[count(1 << 40)]),
            pad(&[texts(&[Some("x")]), count(i64::MAX), texts(&[Some("yz")])], "lpad", true),
            replace(&[texts(&[Some(&long)]), texts(&[Some("a")]), texts(&[Some(&long)])]),
            regexp_replace(&[texts(&[Some(&long)]), texts(&[Some("")]), texts(&[Some(&long)])]),
        ] {
            let error = error.map(|array| array.len()).unwrap_err().to_string();
            assert!(error.contains("makes more than 1048576 bytes of one row"), "{error}");
        }
        // Nothing is made of nothing, however often.
        assert_eq!(repeat(&[texts(&[Some("")]), count(i64::MAX)]).unwrap().as_string::<i32>().value(0), "");
        assert_eq!(pad(&[texts(&[Some("x")]), count(5), texts(&[Some("")])], "rpad", false).unwrap().len(), 1);
    }
}
