//! Bugs that are planted in a build of the server, and the scenario that has to find each.
//!
//! The build is `cargo build --workspace --features unum-server/planted-bugs --bin unumd-planted`; the bugs are in the
//! server's `base::planted`.

use std::time::{Duration, Instant};

use super::{Options, Scenario};
use crate::check::INVALID;
use crate::cluster::binary;
use crate::promise::BROKEN;

/// The build of the server.
pub const UNUMD: &str = "unumd-planted";

/// The variable that names the bug to the server.
const VARIABLE: &str = "UNUM_PLANTED_BUG";

/// One try. A bug may need several until its moment comes.
const TRY: Duration = Duration::from_secs(8);

/// How much is shown of what stands before the words that a bug is found by.
const CHARS_BEFORE: usize = 60;

/// A bug.
#[derive(Debug)]
pub struct Planted {
    /// Its name in the server.
    pub bug: &'static str,
    /// Which scenario has to find it.
    pub scenario: &'static str,
    /// By one of these words: what else is found is not this bug.
    pub by: &'static [&'static str],
    /// In which time at most, with the start of the cluster and the judgement.
    pub within: Duration,
}

const fn planted(bug: &'static str, scenario: &'static str, by: &'static [&'static str], within_s: u64) -> Planted {
    Planted { bug, scenario, by, within: Duration::from_secs(within_s) }
}

/// Of a read that did not see what was acknowledged before, as each of the two checks that see it says it.
const STALE: &[&str] = &["have no order", "was known before"];

/// Of something acknowledged that is gone: a replica sees it when it starts, or a client.
const LOST: &[&str] = &["the log ends before", "is missing", "was used", "have no order", "was known before"];

/// All of them.
pub const PLANTED: &[Planted] = &[
    planted("skip-barrier", "calm", STALE, 60),
    planted("reuse-round", "calm", STALE, 60),
    planted("stamp-relay", "calm", &["that has none"], 60),
    planted("half-push", "calm", &["half a push"], 60),
    planted("accept-old-epoch", "calm", &["had pushed before"], 60),
    planted("ignore-revision", "calm", &["there was another change"], 60),
    planted("drop-dedup", "calm", &["was applied:"], 60),
    planted("refuse-legal", "calm", &["refused: "], 60),
    planted("diverge", "calm", &["the states differ", "has the state hash"], 120),
    planted("lose-last-purged", "restart", &["is missing"], 60),
    planted("trust-own-lead", "pause-leader", STALE, 120),
    planted("trust-own-lead", "partition", &["answered by a replica that was cut off"], 120),
    planted("trust-own-lead", "kill-many", &["answered without a majority"], 120),
    planted("forget-vote", "kill-many", &["the vote is older"], 120),
    planted("resurrect", "blackhole", &["removed before"], 300),
    planted("ack-before-sync", "power-cut", LOST, 300),
];

/// How a bug was found.
#[derive(Debug)]
pub struct Caught {
    /// After so long, with the start of the cluster and the judgement.
    pub after: Duration,
    /// By what.
    pub by: String,
}

impl Planted {
    /// The bug of that name, in each scenario that has to find it.
    pub fn named(bug: &str) -> Vec<&'static Self> {
        PLANTED.iter().filter(|planted| planted.bug == bug).collect()
    }

    /// Its scenario.
    pub fn scenario(&self) -> &'static Scenario {
        Scenario::named(self.scenario).expect("a scenario of that name")
    }

    /// Why it cannot be looked for here, if it cannot.
    pub fn unavailable(&self) -> Option<String> {
        if binary(UNUMD).is_err() {
            let build = "cargo build --workspace --features unum-server/planted-bugs --bin unumd-planted";
            return Some(format!("{UNUMD} is not built: {build}"));
        }
        self.scenario().unavailable()
    }

    /// Looks for it; None if it was not found in time.
    ///
    /// # Errors
    /// When there was no run: that is not the bug.
    pub async fn hunt(&self, seed: u64) -> anyhow::Result<Option<Caught>> {
        let started = Instant::now();
        for seed in seed.. {
            let options = Options {
                unumd: UNUMD.to_owned(),
                env: vec![(VARIABLE.to_owned(), self.bug.to_owned())],
                ..Options::new(TRY, seed)
            };
            let (report, _) = self.scenario().run(&options).await?;
            let after = started.elapsed();
            if after > self.within {
                break;
            }
            let found = report.verdict.starts_with(INVALID);
            if found && let Some(by) = self.by.iter().find_map(|words| report.verdict.find(words)) {
                // From the finding on, for others may stand before it; or, where it has a log, from near the words on.
                let before = &report.verdict[..by];
                let from = before.rfind("; ").map_or(0, |end| end + 2);
                let near = before.char_indices().nth_back(CHARS_BEFORE).map_or(0, |(at, _)| at);
                let from = from.max(near);
                return Ok(Some(Caught { after, by: report.verdict[from..].to_owned() }));
            }
        }
        Ok(None)
    }
}

/// A run of the build without a bug has to be good: whatever is found otherwise was not the bug.
///
/// # Errors
/// When it is not.
pub async fn control(scenario: &Scenario, seed: u64) -> anyhow::Result<()> {
    let options = Options { unumd: UNUMD.to_owned(), ..Options::new(TRY, seed) };
    let (report, _) = scenario.run(&options).await?;
    let broken = if report.verdict.starts_with(INVALID) { BROKEN } else { "not valid" };
    anyhow::ensure!(report.valid, "{broken}: {} without a bug: {}", scenario.name, report.verdict);
    Ok(())
}
