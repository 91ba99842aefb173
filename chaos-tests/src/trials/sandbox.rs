//! A run that is ended from outside leaves no process behind.

use std::path::Path;

use super::trial::{Trial, cannot_run, case};
use crate::cluster::{Process, binary, signal, until};
use crate::sandbox;

pub(super) const TRIAL: Trial = Trial {
    name: "sandbox",
    about: "a chaos run that is ended from outside leaves no process (root)",
    cases: &[
        case!(slice 120 a_run_that_is_killed_leaves_nothing),
        case!(slice 120 a_run_that_is_terminated_leaves_nothing),
    ],
};

/// How many processes of that program name this directory in their arguments.
fn processes(program: &str, dir: &Path) -> usize {
    let dir = dir.to_string_lossy();
    let command = |process: std::fs::DirEntry| std::fs::read_to_string(process.path().join("cmdline")).ok();
    let all = std::fs::read_dir("/proc").expect("a list of processes").flatten().filter_map(command);
    all.filter(|line| {
        line.split('\0').next().is_some_and(|first| first.ends_with(program)) && line.contains(dir.as_ref())
    })
    .count()
}

async fn leaves_nothing_after(name: &str) -> anyhow::Result<()> {
    cannot_run(sandbox::unavailable())?;
    let dir = tempfile::tempdir()?;
    let place = dir.path().to_string_lossy();
    let chaos = binary("unum-chaos")?.to_string_lossy().into_owned();
    let (temporary, out) = (format!("TMPDIR={place}"), format!("{place}/out"));
    let args = [temporary.as_str(), &chaos, "run", "--scenario", "kill-leader", "--minutes", "2", "--out", &out];
    // `env` becomes the program: the signal is the program's.
    let run = Process::spawn("env".as_ref(), &args.map(str::to_owned), &dir.path().join("log"))?;
    let replicas = async || (processes("/unumd", dir.path()) == 3).then_some(());
    until("three replicas run", replicas).await.map_err(|error| error.context(run.log()))?;
    signal(run.id(), name)?;
    let nobody = async || {
        let left = processes("/unumd", dir.path()) + processes("/unum-chaos", dir.path());
        (left == 0).then_some(())
    };
    until("no process is left", nobody).await
}

async fn a_run_that_is_killed_leaves_nothing(_: u64) -> anyhow::Result<()> {
    leaves_nothing_after("KILL").await
}

async fn a_run_that_is_terminated_leaves_nothing(_: u64) -> anyhow::Result<()> {
    leaves_nothing_after("TERM").await
}
