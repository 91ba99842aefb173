//! The shape of a function: what it takes and returns, and its value for one row. It knows no columns.

use std::borrow::Cow;
use std::cell::RefCell;

use chrono::{NaiveDate, NaiveDateTime};
use regex::Regex;

use crate::sql::mysql::types::Type;
use crate::sql::mysql::value::{Clock, Decimal, Number, Value};
use crate::sql::mysql::warnings;

/// Bytes of one result: many times the largest value that a node pushes.
pub const RESULT_BYTES_MAX: usize = 1024 * 1024;

/// One function.
pub struct Definition {
    /// Its name, in lower case.
    pub name: &'static str,
    /// How it is written.
    pub usage: &'static str,
    /// How many arguments it has at least.
    pub least: usize,
    /// How many it has at most.
    pub most: usize,
    /// The type of its result.
    pub returns: fn(&[Argument]) -> Type,
    /// Its value for one row.
    pub eval: Eval,
}

/// The value of a function for one row.
pub type Eval = for<'a> fn(&Call<'a>) -> Outcome;

/// What an evaluation comes to.
pub type Outcome = Result<Value<'static>, Stop>;

/// Any number of arguments.
pub const ANY: usize = usize::MAX;

impl Definition {
    /// A function of exactly these numbers of arguments.
    pub const fn new(
        name: &'static str,
        usage: &'static str,
        (least, most): (usize, usize),
        returns: fn(&[Argument]) -> Type,
        eval: Eval,
    ) -> Self {
        Self { name, usage, least, most, returns, eval }
    }
}

/// What is known of an argument before there are rows.
#[derive(Debug, Clone)]
pub struct Argument {
    /// Its type.
    pub data_type: Type,
    /// Its value, if it is the same for all rows.
    pub constant: Option<Value<'static>>,
}

impl Argument {
    /// Its value as a whole number, if it is the same for all rows and is one.
    pub fn constant_int(&self) -> Option<i64> {
        self.constant.as_ref()?.to_i64()
    }
}

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The result is NULL.
    Null,
    /// The statement ends with this error.
    Error(String),
}

impl Stop {
    /// An error.
    pub fn error(what: impl Into<String>) -> Self {
        Self::Error(what.into())
    }
}

/// A value that may not be there: the result is NULL without it.
pub fn some<T>(value: Option<T>) -> Result<T, Stop> {
    value.ok_or(Stop::Null)
}

/// What a call keeps from row to row.
#[derive(Debug, Default)]
pub struct Memo {
    regex: RefCell<Option<(String, Regex)>>,
}

/// A call for one row.
#[derive(Debug)]
pub struct Call<'a> {
    /// The function's name, for errors.
    pub name: &'a str,
    /// The arguments.
    pub args: &'a [Value<'a>],
    /// The type of the result.
    pub returns: Type,
    /// What is kept from row to row.
    pub memo: &'a Memo,
}

/// Arguments as the function needs them. Each ends the evaluation with NULL if the argument is NULL, or not that.
impl<'a> Call<'a> {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.args.len()
    }

    /// The argument, which may be NULL.
    pub fn any(&self, at: usize) -> &'a Value<'a> {
        self.args.get(at).unwrap_or(&Value::Null)
    }

    /// An argument that is not NULL.
    pub fn value(&self, at: usize) -> Result<&'a Value<'a>, Stop> {
        match self.any(at) {
            Value::Null => Err(Stop::Null),
            value => Ok(value),
        }
    }

    /// As text.
    pub fn text(&self, at: usize) -> Result<Cow<'a, str>, Stop> {
        some(self.any(at).to_text())
    }

    /// As bytes.
    pub fn bytes(&self, at: usize) -> Result<Cow<'a, [u8]>, Stop> {
        some(self.any(at).to_bytes())
    }

    /// As a BIGINT.
    pub fn int(&self, at: usize) -> Result<i64, Stop> {
        some(self.any(at).to_i64())
    }

    /// As a whole number of 64 bits, signed or not.
    pub fn whole(&self, at: usize) -> Result<i128, Stop> {
        some(self.any(at).to_whole())
    }

    /// As 64 bits.
    pub fn bits(&self, at: usize) -> Result<u64, Stop> {
        some(self.any(at).to_bits())
    }

    /// As a number.
    pub fn number(&self, at: usize) -> Result<Number, Stop> {
        some(self.any(at).to_number())
    }

    /// As a double.
    pub fn double(&self, at: usize) -> Result<f64, Stop> {
        some(self.any(at).to_f64())
    }

    /// As a decimal.
    pub fn decimal(&self, at: usize) -> Result<Decimal, Stop> {
        some(self.any(at).to_decimal())
    }

    /// As a date and time, with its digits of a second.
    pub fn datetime(&self, at: usize) -> Result<(NaiveDateTime, u8), Stop> {
        self.moment(at, "datetime", Value::to_datetime)
    }

    /// As a date.
    pub fn date(&self, at: usize) -> Result<NaiveDate, Stop> {
        self.moment(at, "datetime", Value::to_date)
    }

    /// As a time of day, or a span of time, with its digits of a second.
    pub fn time(&self, at: usize) -> Result<(Clock, u8), Stop> {
        self.moment(at, "time", Value::to_time)
    }

    /// What a value is as a time; it is told if it is none.
    fn moment<T>(&self, at: usize, of: &str, read: impl FnOnce(&'a Value<'a>) -> Option<T>) -> Result<T, Stop> {
        let value = self.value(at)?;
        let read = read(value);
        if read.is_none() {
            warnings::no_time(of, &value.to_text().unwrap_or_default());
        }
        some(read)
    }

    /// A regular expression, which is nearly always the same for all rows.
    pub fn with_regex<T>(&self, pattern: &str, with: impl FnOnce(&Regex) -> T) -> Result<T, Stop> {
        let mut last = self.memo.regex.borrow_mut();
        if last.as_ref().is_none_or(|(known, _)| known != pattern) {
            let regex =
                Regex::new(pattern).map_err(|e| Stop::error(format!("{pattern:?} is no regular expression: {e}")))?;
            *last = Some((pattern.to_owned(), regex));
        }
        match last.as_ref() {
            Some((_, regex)) => Ok(with(regex)),
            None => Err(Stop::Null),
        }
    }

    /// Whether a result of so many bytes may be made; to be asked before it is.
    pub fn allow(&self, bytes: usize) -> Result<(), Stop> {
        if bytes > RESULT_BYTES_MAX {
            return Err(Stop::error(format!(
                "{} makes more than {RESULT_BYTES_MAX} bytes of one row; make less of it",
                self.name
            )));
        }
        Ok(())
    }
}
