//! What runs came to, for people and for programs.

mod covered;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use covered::Covered;

/// One run of one scenario.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Which scenario.
    pub scenario: String,
    /// With which seed.
    pub seed: u64,
    /// How long it took.
    pub seconds: u64,
    /// What its history covers.
    #[serde(flatten)]
    pub covered: Covered,
    /// How often each fault happened.
    pub faults: BTreeMap<String, u64>,
    /// The same by kind.
    pub kinds: BTreeMap<String, u64>,
    /// Faults that could not be, with why, and how often.
    pub skipped: BTreeMap<String, u64>,
    /// From the end of each episode to an acknowledged write, ms.
    pub healed_ms: Vec<u64>,
    /// Whether the run is good.
    pub valid: bool,
    /// The judgement in words.
    pub verdict: String,
}

/// All runs as Markdown: a line a scenario, the faults by kind, those that could not be, what is not good.
pub fn markdown(reports: &[Report]) -> String {
    let mut scenarios: BTreeMap<&str, Vec<&Report>> = BTreeMap::new();
    for report in reports {
        scenarios.entry(&report.scenario).or_default().push(report);
    }
    let mut text = String::from(
        "| scenario | runs | min | writes | reads | during faults | unknown | faults | terms | raft snapshots \
         | healed p50, max ms | longest without write, read ms | valid |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    scenarios.iter().for_each(|(name, runs)| text += &line(name, runs));
    text += &line("all", &reports.iter().collect::<Vec<_>>());
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for report in reports {
        report.kinds.iter().for_each(|(kind, times)| *kinds.entry(kind).or_default() += times);
    }
    text += "\n| fault | times |\n|---|---|\n";
    kinds.iter().for_each(|(kind, times)| text += &format!("| {kind} | {times} |\n"));
    let mut skipped: BTreeMap<&str, u64> = BTreeMap::new();
    for report in reports {
        report.skipped.iter().for_each(|(why, times)| *skipped.entry(why).or_default() += times);
    }
    if !skipped.is_empty() {
        text += "\n| could not be | times |\n|---|---|\n";
        skipped.iter().for_each(|(why, times)| text += &format!("| {why} | {times} |\n"));
    }
    for report in reports.iter().filter(|report| !report.valid) {
        text += &format!("\n{}, seed {}: {}\n", report.scenario, report.seed, report.verdict);
    }
    text
}

fn line(name: &str, runs: &[&Report]) -> String {
    let sum = |of: fn(&Report) -> u64| runs.iter().map(|run| of(run)).sum::<u64>();
    let longest = |of: fn(&Report) -> u64| runs.iter().map(|run| of(run)).max().unwrap_or_default();
    let mut healed: Vec<u64> = runs.iter().flat_map(|run| run.healed_ms.iter().copied()).collect();
    healed.sort_unstable();
    let healed = match healed.last() {
        Some(longest) => format!("{}, {longest}", healed[healed.len() / 2]),
        None => String::new(),
    };
    let cells = [
        name.to_owned(),
        runs.len().to_string(),
        format!("{:.1}", sum(|run| run.seconds) as f64 / 60.0),
        sum(|run| run.covered.writes).to_string(),
        sum(|run| run.covered.reads).to_string(),
        sum(|run| run.covered.reads_during_faults).to_string(),
        sum(|run| run.covered.unknown).to_string(),
        sum(|run| run.faults.values().sum()).to_string(),
        sum(|run| run.covered.lead_changes).to_string(),
        sum(|run| run.covered.snapshots_installed).to_string(),
        healed,
        format!(
            "{}, {}",
            longest(|run| run.covered.longest_without_write_ms),
            longest(|run| run.covered.longest_without_read_ms)
        ),
        format!("{} of {}", runs.iter().filter(|run| run.valid).count(), runs.len()),
    ];
    format!("| {} |\n", cells.join(" | "))
}
