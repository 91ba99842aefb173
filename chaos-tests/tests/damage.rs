//! A stopped replica's files are damaged: what is served afterwards is all there, or it is not served.
//!
//! Each case damages a fresh copy of the same directory in one place, and lets `unumd check` read it as a start would.
//! Either it refuses, saying that the store is corrupt and how to rejoin; or everything it reads is equal to what was
//! there: vote, log chain, and the revision and state hash that the whole log leads to. Anything else is silent loss.

use std::path::{Path, PathBuf};

use unum_chaos_tests::cluster::{Cluster, Finished, binary, run};
use unum_chaos_tests::counter::{counter, publisher};

/// Cases of this run, spread over the files by their length and over the kinds of damage.
const CASES: u64 = 320;

/// Cases that run side by side.
const WORKERS: u64 = 4;

#[derive(Debug, Clone, Copy)]
enum Damage {
    FlipBit,
    ZeroPage,
    Truncate,
}

/// xorshift: the seed is the case, so that one case can be run again.
struct Random(u64);

impl Random {
    fn new(case: u64) -> Self {
        Self((case + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        match path.is_dir() {
            true => files(&path, found)?,
            false => found.push(path),
        }
    }
    found.sort();
    Ok(())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().expect("entries have names"));
        match path.is_dir() {
            true => copy(&path, &target)?,
            false => drop(std::fs::copy(&path, &target)?),
        }
    }
    Ok(())
}

/// Damages one place; says which.
fn damage(dir: &Path, case: u64) -> anyhow::Result<String> {
    let mut random = Random::new(case);
    let mut all = Vec::new();
    files(dir, &mut all)?;
    all.retain(|path| path.file_name().is_none_or(|name| name != "LOCK"));
    // Large files are hit as often as small ones: each file has its own meaning.
    let path = &all[random.below(all.len() as u64) as usize];
    let mut bytes = std::fs::read(path)?;
    let kind = [Damage::FlipBit, Damage::FlipBit, Damage::ZeroPage, Damage::Truncate][random.below(4) as usize];
    // Where there is something: most of sled's file may be untouched zeroes.
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1) as u64;
    if used == 0 {
        return Ok(format!("{} is empty", path.display()));
    }
    let at = random.below(used) as usize;
    match kind {
        Damage::FlipBit => bytes[at] ^= 1 << random.below(8),
        Damage::ZeroPage => {
            let start = at - at % 4096;
            let end = bytes.len().min(start + 4096);
            bytes[start..end].fill(0);
        }
        Damage::Truncate => bytes.truncate(at),
    }
    std::fs::write(path, &bytes)?;
    Ok(format!("{kind:?} at byte {at} of {} used in {}", used, path.strip_prefix(dir)?.display()))
}

fn check(dir: &Path) -> anyhow::Result<Finished> {
    run(&binary("unumd")?, &["check", "--data-dir", &dir.to_string_lossy()], "")
}

/// What is in the directory, log included: vote, log with its chain, and the state that the whole log leads to. The
/// catalog's own records may be behind the log, because they are not synced with it; what they lack is applied again.
fn contents(report: &str) -> Vec<&str> {
    let behind = |line: &&str| line.starts_with("revision ") || line.ends_with(" tables");
    let rest = |line| log(line).map_or(line, |(_, rest)| rest);
    report.lines().filter(|line| !behind(line)).map(rest).collect()
}

/// The first entry of the log, and what else its line says.
fn log(line: &str) -> Option<(u64, &str)> {
    let (first, rest) = line.strip_prefix("log entries ")?.split_once(' ')?;
    Some((first.parse().ok()?, rest))
}

/// Whether the log begins where it did, or before: a purge is not synced, and one that is undone is done again.
fn begins_no_later(damaged: &str, whole: &str) -> bool {
    let first = |report: &str| report.lines().find_map(log).map(|(first, _)| first);
    first(damaged).zip(first(whole)).is_some_and(|(damaged, whole)| damaged <= whole)
}

/// What came of one case: it was detected, or harmless, or it is a bug.
fn judge(whole: &str, finished: &Finished) -> Result<&'static str, String> {
    match finished.code {
        Some(0) if contents(&finished.stdout) == contents(whole) && begins_no_later(&finished.stdout, whole) => {
            Ok("harmless")
        }
        Some(0) => Err(format!("silently other:\n{}instead of\n{whole}", finished.stdout)),
        Some(1) if finished.stderr.contains("the store is corrupt") && finished.stderr.contains("--join") => {
            Ok("detected")
        }
        _ => Err(format!("neither detected nor harmless: {finished:?}")),
    }
}

/// A directory with some history: purged log, raft snapshots, tables that grew, a vote.
async fn stopped_replica(dir: &Path) -> anyhow::Result<()> {
    let config = "[raft]\nraft_snapshot_entries = 40\nraft_log_entries_kept = 20\n";
    let mut cluster = Cluster::start_with(1, config).await?;
    let client = cluster.client(1)?;
    for node in ["a", "b", "c", "d"] {
        let mut publisher = publisher(&client, node);
        for value in 1..=30 {
            publisher.push(counter(value)).await?;
        }
    }
    assert_eq!(cluster.stop(1)?, Some(0));
    copy(&cluster.member(1).data_dir, dir)
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_detected_or_harmless_and_never_silent() -> anyhow::Result<()> {
    let dir = tempfile::Builder::new().prefix("unum-damage-").tempdir()?;
    let original = dir.path().join("original");
    stopped_replica(&original).await?;
    let whole = check(&original)?;
    assert_eq!(whole.code, Some(0), "{whole:?}");
    println!("{}", whole.stdout);

    // The judge itself: a state that lost a push and still checks would be seen.
    let other = Finished { stdout: whole.stdout.replace("state hash", "state hash 1"), ..whole.clone() };
    assert!(judge(&whole.stdout, &other).is_err());
    let first = whole.stdout.lines().find_map(log).map(|(first, _)| first).unwrap_or_default();
    let begins = |at: u64| Finished {
        stdout: whole.stdout.replace(&format!("log entries {first} "), &format!("log entries {at} ")),
        ..whole.clone()
    };
    assert!(judge(&whole.stdout, &begins(first + 1)).is_err() && judge(&whole.stdout, &begins(0)).is_ok());

    let workers = (0..WORKERS).map(|worker| {
        let (dir, original, whole) = (dir.path().to_owned(), original.clone(), whole.stdout.clone());
        tokio::task::spawn_blocking(move || -> anyhow::Result<Vec<(String, Result<&'static str, String>)>> {
            let mut judged = Vec::new();
            for case in (worker..CASES).step_by(WORKERS as usize) {
                let damaged = dir.join(case.to_string());
                copy(&original, &damaged)?;
                let what = damage(&damaged, case)?;
                judged.push((format!("case {case}: {what}"), judge(&whole, &check(&damaged)?)));
                std::fs::remove_dir_all(&damaged)?;
            }
            Ok(judged)
        })
    });
    let (mut detected, mut harmless, mut wrong) = (0, 0, Vec::new());
    for worker in workers.collect::<Vec<_>>() {
        for (case, verdict) in worker.await?? {
            match verdict {
                Ok("detected") => detected += 1,
                Ok(_) => harmless += 1,
                Err(why) => wrong.push(format!("{case}: {why}")),
            }
        }
    }
    println!("{CASES} cases: {detected} detected, {harmless} harmless, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(detected > CASES / 4, "too little was hit to mean anything");
    Ok(())
}
