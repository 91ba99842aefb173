//! `unum-trial`: runs the tests that need load, luck, root, a tool of the host, or minutes.
//!
//! Its last line counts: `failover: 3 passed, 0 failed, 1 skipped`. Exit codes: 0 nothing failed, 1 something did, 2 usage,
//! 3 a promise to users was broken.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use unum_chaos_tests::host::tell;
use unum_chaos_tests::judge::court::{Court, Word};
use unum_chaos_tests::judge::generate::Kind;
use unum_chaos_tests::judge::{self, corpus, mariadb};
use unum_chaos_tests::trials::{ALL, Case, Trial};

/// The exit code that no second try may hide.
const PROMISE_BROKEN: u8 = 3;

/// Runs the tests that need load, luck, root, a tool of the host, or minutes.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a trial.
    Run {
        /// Which: a name of `list`.
        trial: String,
        /// Only this case of it.
        #[arg(long)]
        case: Option<String>,
        /// Only the cases that CI runs.
        #[arg(long)]
        slice: bool,
        /// What decides faults and traffic, where chance takes part.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Hold Unum's SQL against a MariaDB, as the trial `mysql` does, with more cases and a report.
    Judge(Judge),
    /// Name all trials and their cases.
    List,
}

#[derive(Debug, clap::Args)]
struct Judge {
    /// How many statements.
    #[arg(long, default_value_t = 1000)]
    cases: usize,
    /// What they come from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The nodes that the rows are spread over.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=9))]
    nodes: u64,
    /// What is judged.
    #[arg(long, value_enum, default_value = "expression")]
    kind: JudgedKind,
    /// SQLite's sqllogictest corpus, a directory or a file: its queries instead, so many of each file as `--cases` says.
    #[arg(long)]
    corpus: Option<std::path::PathBuf>,
    /// Statements, one a line: what both say to each, instead.
    #[arg(long)]
    ask: Option<std::path::PathBuf>,
    /// The socket of a MySQL that runs, and takes `root` without a password: what it answers is right where MariaDB answers
    /// something else. Its database `judge` is made anew.
    #[arg(long)]
    mysql: Option<std::path::PathBuf>,
    /// MySQL's word alone counts.
    #[arg(long, requires = "mysql")]
    mysql_alone: bool,
    /// Where the report goes, if not to standard output.
    #[arg(long)]
    report: Option<std::path::PathBuf>,
    /// The server, if not the one of the same build.
    #[arg(long, default_value = "unumd")]
    unumd: String,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum JudgedKind {
    /// Functions and operators.
    Expression,
    /// Whole statements.
    Select,
    /// Every type in the place of every argument of every function.
    Matrix,
}

impl Judge {
    /// Its last line counts; a wrong answer is a broken promise.
    async fn run(self) -> anyhow::Result<ExitCode> {
        if let Some(why) = mariadb::unavailable() {
            anyhow::bail!("not run: {why}");
        }
        let mut court = Court::open(&self.unumd, self.nodes as usize).await?;
        if let Some(socket) = &self.mysql {
            let word = if self.mysql_alone { Word::MySql } else { Word::MariaDb };
            court.call(socket, word, self.nodes as usize).await?;
        }
        if let Some(path) = &self.corpus {
            return self.run_corpus(&court, path).await;
        }
        if let Some(path) = &self.ask {
            for sql in std::fs::read_to_string(path)?.lines().filter(|line| !line.trim().is_empty()) {
                say(&court.both(sql).await?)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let kind = match self.kind {
            JudgedKind::Expression => Kind::Expression,
            JudgedKind::Select => Kind::Select,
            JudgedKind::Matrix => {
                let matrix = judge::matrix::run(&court, self.seed).await?;
                self.write(&matrix.text)?;
                say(&matrix.summary())?;
                return Ok(if matrix.broken() == 0 { ExitCode::SUCCESS } else { ExitCode::from(PROMISE_BROKEN) });
            }
        };
        let report = judge::run(&court, &judge::Options { cases: self.cases, seed: self.seed, kind }).await?;
        self.write(&report.text())?;
        say(&report.counts.to_string())?;
        let is_kept = report.counts.wrong + report.counts.broken == 0;
        Ok(if is_kept { ExitCode::SUCCESS } else { ExitCode::from(PROMISE_BROKEN) })
    }

    async fn run_corpus(&self, court: &Court, path: &std::path::Path) -> anyhow::Result<ExitCode> {
        let mut tally = corpus::Tally::default();
        for (number, file) in corpus::files(path)?.iter().enumerate() {
            corpus::run(court, file, number, self.cases, &mut tally).await?;
            tell(&format!("{}: {tally}", file.display()));
        }
        let refusals = tally.refusals.iter().map(|(why, count)| format!("{count} × refused: {why}"));
        let lines: Vec<String> = tally.told.iter().cloned().chain(refusals).collect();
        self.write(&format!("{tally}\n{}\n", lines.join("\n")))?;
        say(&tally.to_string())?;
        Ok(if tally.wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(PROMISE_BROKEN) })
    }

    fn write(&self, text: &str) -> std::io::Result<()> {
        match &self.report {
            Some(path) => std::fs::write(path, text),
            None => say(text),
        }
    }
}

fn main() -> anyhow::Result<ExitCode> {
    match Args::parse().command {
        Command::List => {
            for trial in ALL {
                say(&format!("{:10} {}", trial.name, trial.about))?;
                for case in trial.cases {
                    let slice = if case.in_slice { "slice" } else { "" };
                    say(&format!("  {:5} {:>5} s  {}", slice, case.limit.as_secs(), case.name))?;
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Judge(judge) => tokio::runtime::Runtime::new()?.block_on(judge.run()),
        Command::Run { trial: name, case, slice, seed } => {
            let trial = Trial::named(&name)
                .with_context(|| format!("there is no trial {name:?}; `unum-trial list` names them"))?;
            let is_known = |wanted: &String| trial.cases.iter().any(|case| case.name == wanted);
            if let Some(unknown) = case.as_ref().filter(|wanted| !is_known(wanted)) {
                anyhow::bail!("{name} has no case {unknown:?}; `unum-trial list` names them");
            }
            let wanted = |of: &Case| match &case {
                Some(wanted) => of.name == wanted,
                None => of.in_slice || !slice,
            };
            let tally = trial.run(wanted, seed, tell);
            say(&format!("{name}: {} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.skipped))?;
            Ok(match tally {
                _ if tally.broken => ExitCode::from(PROMISE_BROKEN),
                _ if tally.failed > 0 => ExitCode::FAILURE,
                _ => ExitCode::SUCCESS,
            })
        }
    }
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}
