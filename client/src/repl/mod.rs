//! The SQL prompt, and the running of SQL from a file, a pipe or the command line.
//!
//! - [`split`] cuts text into statements.
//! - [`format`] shows a result.
//! - [`run_interactive`] is the prompt; [`run_script`] everything else.

mod format;
mod prompt;
mod split;

use std::io::Write;

pub use format::Format;
pub use prompt::run_interactive;

use crate::{Client, Error};

/// Runs every statement of `text` in order and stops at the first error. Results go to `out`.
pub async fn run_script(client: &Client, text: &str, format: Format, out: &mut dyn Write) -> Result<(), Error> {
    for statement in split::statements(text)? {
        run_statement(client, &statement, format, out).await?;
    }
    Ok(())
}

async fn run_statement(client: &Client, sql: &str, format: Format, out: &mut dyn Write) -> Result<(), Error> {
    let started = std::time::Instant::now();
    let result = client.query(sql).await?;
    format::write(&result, started.elapsed(), format, out)
        .map_err(|e| Error::Refused(format!("the result cannot be written: {e}")))
}
