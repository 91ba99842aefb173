//! Meta commands: what the prompt does itself, in psql's spelling (`\d`) and in sqlite's and duckdb's (`.tables`).

use std::time::Duration;

use clap::ValueEnum;

use unum_proto::model::Value;

use super::Format;
use crate::Error;

/// A meta command.
#[derive(Debug, Clone, PartialEq)]
pub enum Meta {
    /// A statement in a shorter spelling.
    Sql(String),
    /// The schema of a table as a statement that would make it.
    Show(Format),
    /// One value a line, on or off.
    Expanded,
    /// The time in the footer: on, off, or the other one.
    Timing(Option<bool>),
    /// The statement before, again and again.
    Watch(Duration),
    /// Results go to a file, or back.
    Output(Option<String>),
    /// Values for the parameters of the next statement.
    Bind(Vec<Value>),
    /// The statement before in an editor.
    Edit,
    /// The statements of a file.
    Read(String),
    /// The pager: on with this command, on, off.
    Pager(Option<String>),
    /// Where this is.
    Status,
    /// The meta commands.
    Help,
    /// Leave.
    Quit,
}

/// How each is written, for help and completion.
pub const COMMANDS: &[(&str, &str)] = &[
    ("\\d [TABLE]", "the tables, or the columns of one (also .tables)"),
    ("\\l", "the schemas"),
    ("\\u SCHEMA", "use a schema"),
    (".schema TABLE", "a table as CREATE TABLE"),
    ("\\x", "one value a line, on or off; \\G instead of ; for one statement"),
    ("\\format NAME", "table, vertical, csv, tsv, json, ndjson or markdown (also .mode)"),
    ("\\timing [on|off]", "the time in the footer (also .timer)"),
    ("\\watch [SECONDS]", "the statement before, every 2 seconds, until Ctrl-C"),
    ("\\o [FILE]", "results go to a file, or back to the terminal (also .output)"),
    ("\\i FILE", "run the statements of a file (also .read)"),
    ("\\bind VALUE …", "values for the ? of the next statement: numbers, 'texts', NULL, TRUE, FALSE"),
    ("\\e", "the statement before in $VISUAL or $EDITOR; then it runs"),
    ("\\pager [CMD|off]", "what shows long results; default $PAGER, or less"),
    ("\\s", "where this is: replica, revision, schema"),
    ("\\q", "leave (also Ctrl-D, .quit)"),
    ("\\?", "this help (also .help)"),
];

/// Other spellings.
const SPELLINGS: &[(&str, &str)] = &[
    ("\\dt", "\\d"),
    (".tables", "\\d"),
    (".databases", "\\l"),
    ("\\use", "\\u"),
    (".mode", "\\format"),
    (".timer", "\\timing"),
    (".output", "\\o"),
    (".read", "\\i"),
    ("\\h", "\\?"),
    (".help", "\\?"),
    (".quit", "\\q"),
    (".exit", "\\q"),
];

const WATCH_DEFAULT: Duration = Duration::from_secs(2);
/// A shorter pause would be a load test.
const WATCH_MIN: Duration = Duration::from_millis(100);

/// The names of all commands, other spellings included.
pub fn names() -> impl Iterator<Item = &'static str> {
    let first_word = |(written, _): &(&'static str, &str)| written.split(' ').next().unwrap_or_default();
    COMMANDS.iter().map(first_word).chain(SPELLINGS.iter().map(|(name, _)| *name))
}

/// The command that a line stands for.
pub fn parse(line: &str) -> Result<Meta, Error> {
    let (typed, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let argument = argument.trim();
    let some = || (!argument.is_empty()).then(|| argument.to_owned());
    let needed = |what: &str| some().ok_or_else(|| Error::Refused(format!("{typed} takes {what}")));
    let name = SPELLINGS.iter().find(|(spelling, _)| *spelling == typed).map_or(typed, |(_, name)| *name);
    Ok(match name {
        "\\d" => Meta::Sql(some().map_or_else(|| "SHOW TABLES".to_owned(), |table| format!("DESC {table}"))),
        "\\l" => Meta::Sql("SHOW DATABASES".into()),
        "\\u" => Meta::Sql(format!("USE {}", needed("a schema")?)),
        ".schema" => Meta::Sql(format!("SHOW CREATE TABLE {}", needed("a table")?)),
        "\\x" => Meta::Expanded,
        "\\format" => Meta::Show(format(&needed("a format")?)?),
        "\\timing" => Meta::Timing(match argument {
            "" => None,
            "on" => Some(true),
            "off" => Some(false),
            other => return Err(Error::Refused(format!("{typed} {other:?} is not known; write on or off"))),
        }),
        "\\watch" => Meta::Watch(match some() {
            None => WATCH_DEFAULT,
            Some(seconds) => interval(&seconds)?,
        }),
        "\\o" => Meta::Output(some()),
        "\\i" => Meta::Read(needed("a file")?),
        "\\bind" => Meta::Bind(values(argument)?),
        "\\e" => Meta::Edit,
        "\\pager" => Meta::Pager(some()),
        "\\s" => Meta::Status,
        "\\?" => Meta::Help,
        "\\q" => Meta::Quit,
        _ => return Err(unknown(typed)),
    })
}

fn format(name: &str) -> Result<Format, Error> {
    Format::from_str(name, true).map_err(|_| {
        let names: Vec<_> = Format::value_variants().iter().filter_map(|format| format.to_possible_value()).collect();
        let names: Vec<_> = names.iter().map(|value| value.get_name()).collect();
        Error::Refused(format!("the format {name:?} is not known; use {}", names.join(", ")))
    })
}

/// The values of a line: words, or texts in quotes, in which a quote is doubled.
fn values(line: &str) -> Result<Vec<Value>, Error> {
    let mut values = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('\'') {
            let (text, after) = quoted_text(quoted).ok_or_else(|| {
                Error::Refused(format!("\\bind {line}: a quote is open; write '' for a quote in a text"))
            })?;
            values.push(Value::Text(text));
            rest = after.trim_start();
        } else {
            let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            values.push(value(word));
            rest = after.trim_start();
        }
    }
    Ok(values)
}

/// A text up to the quote that ends it, and what is behind that.
fn quoted_text(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest.split_once('\'')?;
        text.push_str(part);
        match after.strip_prefix('\'') {
            Some(after) => {
                text.push('\'');
                rest = after;
            }
            None => return Some((text, after)),
        }
    }
}

/// A word as the value that it reads as; a text if as no other.
fn value(word: &str) -> Value {
    match word.to_ascii_uppercase().as_str() {
        "NULL" => return Value::Null,
        "TRUE" => return Value::Bool(true),
        "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let integer = word.parse().map(Value::Int64).or_else(|_| word.parse().map(Value::UInt64)).ok();
    let number = || word.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::Float64);
    integer.or_else(number).unwrap_or_else(|| Value::Text(word.to_owned()))
}

fn interval(seconds: &str) -> Result<Duration, Error> {
    let parsed = seconds.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    parsed.filter(|interval| *interval >= WATCH_MIN).ok_or_else(|| {
        Error::Refused(format!(
            "\\watch {seconds:?} is not an interval; write seconds, {} or more",
            WATCH_MIN.as_secs_f64()
        ))
    })
}

fn unknown(typed: &str) -> Error {
    /// A name so different is no typing mistake.
    const SIMILARITY_MIN: f64 = 0.6;
    let similarity = |name: &str| strsim::normalized_damerau_levenshtein(typed, name);
    let near = names().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    match near.filter(|name| similarity(name) >= SIMILARITY_MIN) {
        Some(near) => Error::Refused(format!("there is no command {typed}; did you mean {near}?")),
        None => Error::Refused(format!("there is no command {typed}; \\? lists them")),
    }
}

/// What `\?` shows.
pub fn help() -> String {
    let lines = COMMANDS.iter().map(|(written, what)| format!("  {written:<18} {what}"));
    let head = "A statement ends with ; or \\g, or with \\G to see one value a line. Tab completes, Ctrl-R searches the \
                history,\nCtrl-C ends a query that runs.";
    [head.to_owned()].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_known_in_all_spellings() {
        let sql = |text: &str| Ok(Meta::Sql(text.to_owned()));
        for (line, expected) in [
            ("\\d", sql("SHOW TABLES")),
            ("\\d  cluster_load", sql("DESC cluster_load")),
            (".tables", sql("SHOW TABLES")),
            ("\\l", sql("SHOW DATABASES")),
            (".schema nodes", sql("SHOW CREATE TABLE nodes")),
            ("\\u information_schema", sql("USE information_schema")),
            ("\\x", Ok(Meta::Expanded)),
            (".mode csv", Ok(Meta::Show(Format::Csv))),
            (".timer off", Ok(Meta::Timing(Some(false)))),
            ("\\watch", Ok(Meta::Watch(Duration::from_secs(2)))),
            ("\\watch 0.5", Ok(Meta::Watch(Duration::from_millis(500)))),
            ("\\o", Ok(Meta::Output(None))),
            ("\\o a b.csv", Ok(Meta::Output(Some("a b.csv".into())))),
            (".exit", Ok(Meta::Quit)),
            ("\\bind", Ok(Meta::Bind(Vec::new()))),
            (
                "\\bind 5 -1.5 NULL true 'it''s a  text'  word",
                Ok(Meta::Bind(vec![
                    Value::Int64(5),
                    Value::Float64(-1.5),
                    Value::Null,
                    Value::Bool(true),
                    "it's a  text".into(),
                    "word".into(),
                ])),
            ),
            ("\\bind 'open", Err("a quote is open")),
            (".schema", Err(".schema takes a table")),
            ("\\watch soon", Err("\"soon\" is not an interval")),
            ("\\watch 0", Err("\"0\" is not an interval")),
            (".mode xml", Err("the format \"xml\" is not known; use table, vertical, csv")),
            ("\\timin", Err("there is no command \\timin; did you mean \\timing?")),
            ("\\frobnicate", Err("there is no command \\frobnicate; \\? lists them")),
        ] {
            match (parse(line), expected) {
                (Ok(meta), Ok(expected)) => assert_eq!(meta, expected, "{line}"),
                (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{line}: {error}"),
                (got, expected) => panic!("{line}: {got:?}, not {expected:?}"),
            }
        }
    }
}
