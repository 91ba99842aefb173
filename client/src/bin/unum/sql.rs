//! `unum sql`: the prompt on a terminal, or what -e, -f or standard input give.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use unum_client::repl::{self, Format, Script, Verdict};
use unum_client::{Consistency, Error, Invalid};

use super::Connection;

#[derive(Debug, Args)]
pub struct SqlArgs {
    #[command(flatten)]
    connection: Connection,
    /// Run this SQL and exit; may be given several times.
    #[arg(short = 'e', long = "execute", value_name = "SQL")]
    execute: Vec<String>,
    /// Run the SQL in this file and exit.
    #[arg(short = 'f', long = "file", value_name = "FILE", conflicts_with = "execute")]
    file: Option<PathBuf>,
    /// How results are shown.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Stop at the first error. Otherwise the next statement runs, and the exit code is the first error's.
    #[arg(long)]
    bail: bool,
    /// Where results go instead of standard output.
    #[arg(short = 'o', long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Do not run ~/.config/unum/sqlrc at the start of the prompt.
    #[arg(long)]
    no_rc: bool,
    /// How fresh an answer has to be: linearizable, bounded:DURATION (as bounded:5s), or stale.
    #[arg(long, default_value = "linearizable", value_parser = parse_consistency)]
    consistency: Consistency,
}

pub fn parse_consistency(text: &str) -> Result<Consistency, Invalid> {
    text.parse()
}

pub async fn run(args: SqlArgs) -> Result<ExitCode, Error> {
    let user = std::env::var("USER").unwrap_or_default();
    let client = args.connection.open().await?.with_consistency(args.consistency).with_user(user);
    let text = if let Some(path) = &args.file {
        std::fs::read_to_string(path)
            .map_err(|e| Error::Refused(format!("the file {} cannot be read: {e}", path.display())))?
    } else if !args.execute.is_empty() {
        // Each -e is a statement of its own, with or without its semicolon.
        args.execute.join(";\n")
    } else if std::io::stdin().is_terminal() {
        return repl::run_interactive(&client, args.format, !args.no_rc).await.map(|()| ExitCode::SUCCESS);
    } else {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|e| Error::Refused(format!("standard input cannot be read: {e}")))?;
        text
    };
    let script =
        Script { format: args.format, bail: args.bail, output: args.output.as_deref(), file: args.file.as_deref() };
    Ok(match repl::run_script(&client, &text, script, &mut std::io::stdout()).await? {
        Verdict::Done => ExitCode::SUCCESS,
        Verdict::Failed { exit_code } => ExitCode::from(exit_code),
    })
}
