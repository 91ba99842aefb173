//! The chaos tests are tested: bugs that are planted in a build of the server are found by their scenarios.
//!
//! Here are those that take seconds and need no root; `unum-chaos planted` looks for all.

use super::trial::{Trial, cannot_run, case};
use crate::scenarios::planted::{Planted, control};

pub(super) const TRIAL: Trial = Trial {
    name: "planted",
    about: "bugs that are planted in a build of the server are found",
    cases: &[
        case!(slice 60 without_a_bug_none_is_found),
        case!(slice 90 skip_barrier),
        case!(long 90 reuse_round),
        case!(slice 90 half_push),
        case!(long 90 stamp_relay),
        case!(long 90 accept_old_epoch),
        case!(long 90 drop_dedup),
        case!(long 90 refuse_legal),
    ],
};

fn planted(bug: &str) -> anyhow::Result<&'static Planted> {
    let planted = Planted::named(bug).into_iter().next().expect("a bug of that name");
    cannot_run(planted.unavailable())?;
    Ok(planted)
}

async fn is_found(bug: &str, seed: u64) -> anyhow::Result<()> {
    let planted = planted(bug)?;
    let caught = planted.hunt(seed).await?;
    anyhow::ensure!(caught.is_some(), "{bug} was not found within {} s", planted.within.as_secs());
    Ok(())
}

async fn without_a_bug_none_is_found(seed: u64) -> anyhow::Result<()> {
    control(planted("skip-barrier")?.scenario(), seed).await
}

async fn skip_barrier(seed: u64) -> anyhow::Result<()> {
    is_found("skip-barrier", seed).await
}

async fn reuse_round(seed: u64) -> anyhow::Result<()> {
    is_found("reuse-round", seed).await
}

async fn half_push(seed: u64) -> anyhow::Result<()> {
    is_found("half-push", seed).await
}

async fn stamp_relay(seed: u64) -> anyhow::Result<()> {
    is_found("stamp-relay", seed).await
}

async fn accept_old_epoch(seed: u64) -> anyhow::Result<()> {
    is_found("accept-old-epoch", seed).await
}

async fn drop_dedup(seed: u64) -> anyhow::Result<()> {
    is_found("drop-dedup", seed).await
}

async fn refuse_legal(seed: u64) -> anyhow::Result<()> {
    is_found("refuse-legal", seed).await
}
