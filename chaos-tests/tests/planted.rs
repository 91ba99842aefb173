//! The tests are tested: bugs that are planted in a build of the server are found by their scenarios.
//!
//! Here are those that take seconds and need no root; `unum-chaos planted` looks for all.

use unum_chaos_tests::host::tell;
use unum_chaos_tests::scenarios::planted::{Planted, control};

/// The bug is found in its time.
async fn is_found(bug: &str) -> anyhow::Result<()> {
    let planted = Planted::named(bug).into_iter().next().expect("a bug of that name");
    if let Some(why) = planted.unavailable() {
        tell(&format!("not run: {bug} is found: {why}"));
        return Ok(());
    }
    let caught = planted.hunt(1).await?;
    anyhow::ensure!(caught.is_some(), "{bug} was not found within {} s", planted.within.as_secs());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_bug_none_is_found() -> anyhow::Result<()> {
    let planted = Planted::named("skip-barrier").into_iter().next().expect("a bug of that name");
    match planted.unavailable() {
        Some(why) => tell(&format!("not run: without a bug none is found: {why}")),
        None => control(planted.scenario(), 1).await?,
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_without_its_barrier_is_found() -> anyhow::Result<()> {
    is_found("skip-barrier").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_joins_an_older_round_is_found() -> anyhow::Result<()> {
    is_found("reuse-round").await
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_push_is_found() -> anyhow::Result<()> {
    is_found("half-push").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_under_the_name_of_its_relay_is_found() -> anyhow::Result<()> {
    is_found("stamp-relay").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_of_an_older_life_is_found() -> anyhow::Result<()> {
    is_found("accept-old-epoch").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_applied_is_found() -> anyhow::Result<()> {
    is_found("drop-dedup").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legal_push_that_is_refused_is_found() -> anyhow::Result<()> {
    is_found("refuse-legal").await
}
