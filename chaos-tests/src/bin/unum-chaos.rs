//! `unum-chaos`: hurts clusters of real processes, and judges what their clients saw.
//!
//! Exit codes: 0 all runs are good, 1 one is not or could not be made, 2 usage.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Parser, Subcommand};
use unum_chaos_tests::history::{self, Operation};
use unum_chaos_tests::host::tell;
use unum_chaos_tests::report::{self, Report};
use unum_chaos_tests::scenarios::planted::{PLANTED, Planted, control};
use unum_chaos_tests::scenarios::{ALL, Options, Scenario};
use unum_chaos_tests::{check, check::Verdict, packets, sandbox};

const HISTORY: &str = "history.ndjson";
const REPORT: &str = "report.json";
const SUMMARY: &str = "report.md";

/// How much is shown of what a bug was found by.
const BY_CHARS: usize = 160;

/// Hurts clusters of real processes, and judges what their clients saw.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios in turn, print a report, and keep it with the histories. What needs root runs in namespaces of its own.
    Run {
        /// Which: names of `list`, separated by commas, or all that can run here.
        #[arg(long, default_value = "all", value_delimiter = ',')]
        scenario: Vec<String>,
        /// For how long, all together.
        #[arg(long, default_value_t = 10.0)]
        minutes: f64,
        /// How many seconds of faults one run has at most. Each run starts a cluster and is judged by itself.
        #[arg(long, default_value_t = 40)]
        seconds: u64,
        /// What decides faults and traffic of the first run; the next run has the next one. The machine decides the rest.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Where report and histories go.
        #[arg(long, default_value = "chaos-out")]
        out: PathBuf,
        /// A build of the server other than `unumd`, beside this program.
        #[arg(long, default_value = "unumd")]
        unumd: String,
        /// Only the histories of runs that are not good are kept.
        #[arg(long)]
        keep_bad_only: bool,
    },
    /// Judge kept histories again, and sum up the reports.
    Check {
        /// What `run` wrote to.
        dir: PathBuf,
    },
    /// Look for bugs that are planted in a build of the server: each has to be found by its scenario, in its time.
    Planted {
        /// Which: names of bugs, separated by commas, or all that can be looked for here.
        #[arg(long, default_value = "all", value_delimiter = ',')]
        bug: Vec<String>,
        /// What decides faults and traffic.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Name all scenarios, and say which can run here.
    List,
    /// Hold the packets of this host: the part of a fault that has to run there.
    #[command(hide = true)]
    DelayPackets {
        #[arg(long)]
        max_ms: u64,
        #[arg(long)]
        seed: u64,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let good = match Args::parse().command {
        Command::Run { scenario, minutes, seconds, seed, out, unumd, keep_bad_only } => {
            let scenarios = named(&scenario)?;
            if let Some(code) = enter_sandbox(&scenarios)? {
                return Ok(code);
            }
            let runs = Runs { out, unumd, keep_bad_only, seconds };
            tokio::runtime::Runtime::new()?.block_on(runs.run(&scenarios, minutes, seed))?
        }
        Command::Check { dir } => check_again(&dir)?,
        Command::Planted { bug, seed } => {
            let bugs = bugs(&bug)?;
            let scenarios: Vec<_> = bugs.iter().map(|planted| planted.scenario()).collect();
            if let Some(code) = enter_sandbox(&scenarios)? {
                return Ok(code);
            }
            tokio::runtime::Runtime::new()?.block_on(hunt(&bugs, seed))?
        }
        Command::List => {
            for scenario in ALL {
                let why = match scenario.rig.hosts && !sandbox::is_inside() {
                    true => sandbox::unavailable(),
                    false => scenario.unavailable(),
                };
                let cannot = why.map(|why| format!(" (not here: {why})")).unwrap_or_default();
                say(&format!("{:18} {}{cannot}", scenario.name, scenario.about))?;
            }
            true
        }
        Command::DelayPackets { max_ms, seed } => {
            packets::delay(Duration::from_millis(max_ms), seed)?;
            true
        }
    };
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Goes on inside a sandbox if it can be: some scenarios need it, and what a run that is killed leaves behind goes with it.
/// Returns the exit code of the run inside.
fn enter_sandbox(scenarios: &[&'static Scenario]) -> anyhow::Result<Option<ExitCode>> {
    if sandbox::is_inside() {
        sandbox::prepare()?;
    } else {
        match sandbox::unavailable() {
            None => return Ok(Some(sandbox::run_inside()?)),
            Some(why) if scenarios.iter().any(|scenario| scenario.rig.hosts || scenario.rig.disks) => {
                tell(&format!("no sandbox: {why}"));
            }
            Some(_) => {}
        }
    }
    Ok(None)
}

fn bugs(names: &[String]) -> anyhow::Result<Vec<&'static Planted>> {
    if names == ["all"] {
        return Ok(PLANTED.iter().collect());
    }
    let names_of_all = || PLANTED.iter().map(|planted| planted.bug).collect::<Vec<_>>().join(", ");
    let mut bugs = Vec::new();
    for name in names {
        let named = Planted::named(name);
        anyhow::ensure!(!named.is_empty(), "{name:?} is none of {}", names_of_all());
        bugs.extend(named);
    }
    Ok(bugs)
}

/// Looks for each bug, after the scenario was seen to be good without one.
async fn hunt(bugs: &[&'static Planted], seed: u64) -> anyhow::Result<bool> {
    let mut controlled = Vec::new();
    let mut lines =
        vec!["| planted | scenario | within s | found after s | by |".to_owned(), "|---|---|---|---|---|".to_owned()];
    let (mut found, mut looked_for) = (0, 0);
    for planted in bugs {
        if let Some(why) = planted.unavailable() {
            tell(&format!("not looked for: {}: {why}", planted.bug));
            continue;
        }
        if !controlled.contains(&planted.scenario) {
            tell(&format!("{} without a bug", planted.scenario));
            control(planted.scenario(), seed).await?;
            controlled.push(planted.scenario);
        }
        tell(&format!("{} in {}", planted.bug, planted.scenario));
        looked_for += 1;
        let (after, by) = match planted.hunt(seed).await? {
            Some(caught) => {
                found += 1;
                let by: String = caught.by.chars().take(BY_CHARS).collect();
                (format!("{:.0}", caught.after.as_secs_f64()), by.replace('|', "/").replace('\n', " "))
            }
            None => ("**not found**".to_owned(), String::new()),
        };
        tell(&format!("  {after} {by}"));
        let within = planted.within.as_secs();
        lines.push(format!("| {} | {} | {within} | {after} | {by} |", planted.bug, planted.scenario));
    }
    lines.push(format!("\n{found} of {looked_for} found"));
    say(&lines.join("\n"))?;
    Ok(found == looked_for && looked_for > 0)
}

fn named(names: &[String]) -> anyhow::Result<Vec<&'static Scenario>> {
    if names == ["all"] {
        return Ok(ALL.iter().collect());
    }
    let named = |name: &String| {
        Scenario::named(name).with_context(|| format!("there is no scenario {name:?}; `unum-chaos list` names them"))
    };
    names.iter().map(named).collect()
}

/// What all runs have in common.
struct Runs {
    out: PathBuf,
    unumd: String,
    keep_bad_only: bool,
    seconds: u64,
}

impl Runs {
    /// Runs the scenarios in turn until the time is over, each at least once.
    async fn run(&self, scenarios: &[&'static Scenario], minutes: f64, seed: u64) -> anyhow::Result<bool> {
        let started = Instant::now();
        let time = Duration::from_secs_f64(60.0 * minutes);
        let mut can = Vec::new();
        // What was not run, and why: it belongs into the report.
        let mut not_run = Vec::new();
        for scenario in scenarios {
            match scenario.unavailable() {
                None => can.push(*scenario),
                Some(why) => not_run.push(format!("not run: {}: {why}", scenario.name)),
            }
        }
        not_run.iter().for_each(|line| tell(line));
        anyhow::ensure!(!can.is_empty(), "no scenario can run here");
        let each = Duration::from_secs(self.seconds).min(time / can.len() as u32).max(Duration::from_secs(3));
        let mut good = true;
        let mut reports = Vec::new();
        for (number, scenario) in can.iter().cycle().enumerate() {
            if number >= can.len() && started.elapsed() >= time {
                break;
            }
            let seed = seed + number as u64;
            tell(&format!("{}, seed {seed}, {} s", scenario.name, each.as_secs()));
            let options = Options { unumd: self.unumd.clone(), ..Options::new(each, seed) };
            match scenario.run(&options).await {
                Ok((report, history)) => {
                    tell(&format!("  {}", report.verdict));
                    self.keep(&report, &history)?;
                    good &= report.valid;
                    reports.push(report);
                }
                Err(error) => {
                    tell(&format!("  could not run: {error:#}"));
                    not_run.push(format!("could not run: {}, seed {seed}: {error:#}", scenario.name));
                    good = false;
                }
            }
            std::fs::create_dir_all(&self.out)?;
            std::fs::write(self.out.join(SUMMARY), summary(&reports, &not_run))?;
        }
        say(summary(&reports, &not_run).trim_end())?;
        Ok(good)
    }

    fn keep(&self, report: &Report, history: &[Operation]) -> anyhow::Result<()> {
        let dir = self.out.join(format!("{}-{}", report.scenario, report.seed));
        std::fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
        if !report.valid || !self.keep_bad_only {
            history::save(&dir.join(HISTORY), history)?;
        } else if dir.join(HISTORY).exists() {
            // That of an earlier run by the same name is not this run's.
            std::fs::remove_file(dir.join(HISTORY))?;
        }
        std::fs::write(dir.join(REPORT), serde_json::to_string_pretty(report)?)?;
        Ok(())
    }
}

fn summary(reports: &[Report], not_run: &[String]) -> String {
    not_run.iter().fold(report::markdown(reports), |text, line| text + "\n" + line + "\n")
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}

fn check_again(dir: &Path) -> anyhow::Result<bool> {
    let mut dirs = std::fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    dirs.sort();
    let mut good = true;
    let mut reports: Vec<Report> = Vec::new();
    for dir in dirs.iter().filter(|dir| dir.join(REPORT).is_file()) {
        let report: Report = serde_json::from_slice(&std::fs::read(dir.join(REPORT))?)?;
        // A run finds more than its history shows: replicas that differ, or do not come back.
        good &= report.valid;
        reports.push(report);
        if dir.join(HISTORY).is_file() {
            let verdict = check::check(&history::load(&dir.join(HISTORY))?);
            say(&format!("{}: {verdict}", dir.file_name().unwrap_or_default().to_string_lossy()))?;
            good &= verdict == Verdict::Valid;
        }
    }
    anyhow::ensure!(!reports.is_empty(), "{} has no reports; `run --out` writes some", dir.display());
    say(report::markdown(&reports).trim_end())?;
    Ok(good)
}
