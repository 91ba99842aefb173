//! What a run came to, for people and for programs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One run of one scenario.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Which scenario.
    pub scenario: String,
    /// With which seed.
    pub seed: u64,
    /// How long it took.
    pub seconds: u64,
    /// Acknowledged writes.
    pub writes: u64,
    /// Writes of unknown outcome.
    pub writes_unknown: u64,
    /// Answered reads.
    pub reads: u64,
    /// … of which a fault was there.
    pub reads_during_faults: u64,
    /// Operations that failed without an effect.
    pub failed: u64,
    /// How often each fault happened.
    pub faults: BTreeMap<String, u64>,
    /// Faults that could not be, with why.
    pub skipped: Vec<String>,
    /// Terms that began.
    pub lead_changes: u64,
    /// The longest from the end of a fault to an acknowledged write, ms.
    pub healed_ms_max: u64,
    /// Whether the run is good.
    pub valid: bool,
    /// The judgement in words.
    pub verdict: String,
}

/// All runs as a Markdown table, and the faults by kind.
pub fn markdown(reports: &[Report]) -> String {
    let mut text = String::from(
        "| scenario | seed | s | writes | unknown | reads | during faults | failed | faults | terms | healed ms | verdict |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for run in reports {
        let cells = [
            run.scenario.clone(),
            run.seed.to_string(),
            run.seconds.to_string(),
            run.writes.to_string(),
            run.writes_unknown.to_string(),
            run.reads.to_string(),
            run.reads_during_faults.to_string(),
            run.failed.to_string(),
            run.faults.values().sum::<u64>().to_string(),
            run.lead_changes.to_string(),
            run.healed_ms_max.to_string(),
            run.verdict.replace('|', "/").replace('\n', " "),
        ];
        text += &format!("| {} |\n", cells.join(" | "));
        run.faults.iter().for_each(|(fault, times)| *kinds.entry(fault).or_default() += times);
    }
    text += "\n| fault | times |\n|---|---|\n";
    kinds.iter().for_each(|(fault, times)| text += &format!("| {fault} | {times} |\n"));
    text
}
