//! A short run of each kind of fault that needs nothing but processes, judged as `unum-chaos` judges the long ones.

use std::time::Duration;

use super::trial::{Trial, case};
use crate::check::INVALID;
use crate::promise::BROKEN;
use crate::scenarios::{Options, Scenario};

pub(super) const TRIAL: Trial = Trial {
    name: "chaos",
    about: "short runs of faults that need nothing but processes",
    cases: &[case!(slice 90 kill_leader), case!(slice 90 pause_leader), case!(slice 90 restart)],
};

const FAULTS: Duration = Duration::from_secs(6);

async fn run(scenario: &str, seed: u64) -> anyhow::Result<()> {
    let scenario = Scenario::named(scenario).expect("a scenario of that name");
    let (report, _) = scenario.run(&Options::new(FAULTS, seed)).await?;
    anyhow::ensure!(!report.verdict.starts_with(INVALID), "{BROKEN} (by its history): {report:#?}");
    anyhow::ensure!(report.valid, "{report:#?}");
    Ok(())
}

async fn kill_leader(seed: u64) -> anyhow::Result<()> {
    run("kill-leader", seed).await
}

async fn pause_leader(seed: u64) -> anyhow::Result<()> {
    run("pause-leader", seed).await
}

async fn restart(seed: u64) -> anyhow::Result<()> {
    run("restart", seed).await
}
