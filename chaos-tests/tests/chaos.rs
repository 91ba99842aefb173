//! A short run of each kind of fault that needs nothing but processes, judged as `unum-chaos` judges the long ones.

use std::time::Duration;

use unum_chaos_tests::scenarios::{Options, Scenario};

const SECONDS: Duration = Duration::from_secs(6);

async fn run(name: &str) -> anyhow::Result<()> {
    let scenario = Scenario::named(name).expect("a scenario of that name");
    let (report, _) = scenario.run(&Options::new(SECONDS, 1)).await?;
    assert!(report.valid, "{report:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_leader_breaks_no_promise() -> anyhow::Result<()> {
    run("kill-leader").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_leader_breaks_no_promise() -> anyhow::Result<()> {
    run("pause-leader").await
}

#[tokio::test(flavor = "multi_thread")]
async fn restarts_break_no_promise() -> anyhow::Result<()> {
    run("restart").await
}
