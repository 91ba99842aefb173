//! `unum-chaos`: hurts clusters of real processes, and judges what their clients saw.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand};
use unum_chaos_tests::history::{self, Operation};
use unum_chaos_tests::report::{self, Report};
use unum_chaos_tests::scenarios::{ALL, Scenario};
use unum_chaos_tests::{check, check::Verdict};

const HISTORY: &str = "history.ndjson";
const REPORT: &str = "report.json";

/// Hurts clusters of real processes, and judges what their clients saw.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios, print a report, and keep it with the histories.
    Run {
        /// Which: a name of `list`, or all.
        #[arg(long, default_value = "all")]
        scenario: String,
        /// For how long, all scenarios together.
        #[arg(long, default_value_t = 10.0)]
        minutes: f64,
        /// What decides faults and traffic. The machine decides the rest.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Where report and histories go.
        #[arg(long, default_value = "chaos-out")]
        out: PathBuf,
    },
    /// Judge kept histories again.
    Check {
        /// What `run` wrote to.
        dir: PathBuf,
    },
    /// Name all scenarios.
    List,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let good = match Args::parse().command {
        Command::Run { scenario, minutes, seed, out } => run(&scenario, minutes, seed, &out).await?,
        Command::Check { dir } => check_again(&dir)?,
        Command::List => {
            for scenario in &ALL {
                say(&format!("{:16} {}", scenario.name, scenario.about))?;
            }
            true
        }
    };
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn run(name: &str, minutes: f64, seed: u64, out: &Path) -> anyhow::Result<bool> {
    let scenarios: Vec<&Scenario> = match name {
        "all" => ALL.iter().collect(),
        name => vec![Scenario::named(name).with_context(|| format!("no scenario {name:?}; `list` names them"))?],
    };
    let each = Duration::from_secs_f64(60.0 * minutes / scenarios.len() as f64);
    let mut reports = Vec::new();
    let mut broken = false;
    for scenario in scenarios {
        progress(&format!("{}, seed {seed}, {} s", scenario.name, each.as_secs()));
        match scenario.run(each, seed).await {
            Ok((report, history)) => {
                keep(&out.join(format!("{}-{seed}", scenario.name)), &report, &history)?;
                progress(&format!("  {}", report.verdict));
                reports.push(report);
            }
            Err(error) => {
                progress(&format!("  broke off: {error:#}"));
                broken = true;
            }
        }
    }
    say(report::markdown(&reports).trim_end())?;
    Ok(!broken && reports.iter().all(|report| report.valid))
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}

fn progress(line: &str) {
    // There is nowhere to say that stderr is gone.
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn keep(dir: &Path, report: &Report, history: &[Operation]) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    history::save(&dir.join(HISTORY), history)?;
    std::fs::write(dir.join(REPORT), serde_json::to_string_pretty(report)?)?;
    Ok(())
}

fn check_again(dir: &Path) -> anyhow::Result<bool> {
    let mut dirs = std::fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    dirs.sort();
    let mut good = true;
    let mut judged = 0;
    for dir in dirs.iter().filter(|dir| dir.join(HISTORY).is_file()) {
        let verdict = check::check(&history::load(&dir.join(HISTORY))?);
        say(&format!("{}: {verdict}", dir.file_name().unwrap_or_default().to_string_lossy()))?;
        good &= verdict == Verdict::Valid;
        judged += 1;
    }
    anyhow::ensure!(judged > 0, "{} has no history; `run --out` writes some", dir.display());
    Ok(good)
}
