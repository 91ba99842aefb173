//! The SQL prompt, and the running of SQL from a file, a pipe or the command line.
//!
//! - [`split`] cuts text into statements and meta commands; [`meta`] knows the latter.
//! - [`runner`] does one after another; [`format`] shows a result, [`pager`] a long one, [`editor`] edits one again.
//! - [`prompt`] reads them from the terminal, with [`completer`] and [`highlighter`]; [`run_script`] has them all.
//!
//! It does not parse SQL: that is the replicas'.

mod completer;
mod editor;
mod format;
mod highlighter;
mod meta;
mod names;
mod pager;
mod prompt;
mod runner;
mod split;

use std::io::Write;
use std::path::Path;
use std::time::Instant;

pub use format::Format;
pub use prompt::run_interactive;

use self::runner::{Flow, Runner};
use crate::{Client, Error};

/// How a script is run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Script<'a> {
    /// How results are shown.
    pub format: Format,
    /// Whether the first error ends it.
    pub bail: bool,
    /// Where results go instead of standard output.
    pub output: Option<&'a Path>,
    /// The file that it was read from: errors name it.
    pub file: Option<&'a Path>,
}

/// Where in a file a statement is, for its error.
struct Place {
    file: String,
    line: usize,
    statement: String,
}

impl Place {
    fn new(file: &std::path::Path, line: usize, part: &split::Part) -> Self {
        const SHOWN_MAX: usize = 80;
        let text = match part {
            split::Part::Statement { sql, .. } => sql,
            split::Part::Meta(line) => line,
        };
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let statement = match words.char_indices().nth(SHOWN_MAX) {
            Some((end, _)) => format!("{}…", &words[..end]),
            None => words,
        };
        Self { file: file.display().to_string(), line, statement }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.statement)
    }
}

/// What came of a script that was run to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything was done.
    Done,
    /// Statements failed, and were reported.
    Failed {
        /// The exit code of the first of them.
        exit_code: u8,
    },
}

/// Runs every part of `text` in order. Results go to `out`. An error is reported on standard error and the next statement
/// runs, unless the script bails or no replica can be reached: then the error is what is returned.
///
/// # Errors
/// The one that ended it.
pub async fn run_script(
    client: &Client,
    text: &str,
    script: Script<'_>,
    out: &mut (dyn Write + Send),
) -> Result<Verdict, Error> {
    let mut runner = Runner::of_script(client, script.format, out);
    if let Some(path) = script.output {
        runner.write_to(&path.to_string_lossy())?;
    }
    let mut verdict = Verdict::Done;
    let split::Split { parts, lines, .. } = split::split(text);
    for (part, line) in parts.into_iter().zip(lines) {
        let place = script.file.map(|file| Place::new(file, line, &part));
        match runner.run(part).await {
            Ok(Flow::Continue) => {}
            Ok(Flow::Quit) => break,
            Err(error) if script.bail || matches!(error, Error::Unreachable { .. }) => {
                if let Some(place) = place {
                    // There is nowhere to say that stderr is gone.
                    let _ = writeln!(std::io::stderr(), "{place}");
                }
                return Err(error);
            }
            Err(error) => {
                if let Some(place) = place {
                    let _ = writeln!(std::io::stderr(), "{place}");
                }
                report(&error);
                if verdict == Verdict::Done {
                    verdict = Verdict::Failed { exit_code: error.exit_code() };
                }
            }
        }
    }
    Ok(verdict)
}

/// Runs one statement and shows its result as a table for people.
///
/// # Errors
/// Those of the query.
pub async fn show(client: &Client, sql: &str, out: &mut dyn Write) -> Result<(), Error> {
    let started = Instant::now();
    let result = client.query(sql).await?;
    format::write(&result, Some(started.elapsed()), Format::Table, out)
        .map_err(|e| Error::Refused(format!("the result cannot be written: {e}")))
}

fn report(error: &Error) {
    // There is nowhere to say that stderr is gone.
    let _ = writeln!(std::io::stderr(), "error: {error}");
}
