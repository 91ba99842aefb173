//! Named runs: which faults, how often, and what a run must have covered to count.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::check::{self, Verdict};
use crate::cluster::{Cluster, PATIENCE, until};
use crate::faults::{Fault, Installed, Target};
use crate::history::{Action, Operation, Outcome};
use crate::report::Report;
use crate::traffic::{Shape, Traffic};

/// Writes must succeed again so long after a fault is over (invariant I10).
const HEALED_WITHIN: Duration = Duration::from_secs(10);

/// Between two faults, at most: healing and quiet are part of what is tried.
const QUIET_MAX: Duration = Duration::from_millis(1500);

const SHAPE: Shape = Shape { writers: 8, readers: 8 };

/// A named run.
#[derive(Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// One of these at a time.
    pub faults: &'static [Fault],
    /// Whether the lead has to have moved.
    pub moves_lead: bool,
}

/// All scenarios.
pub const ALL: [Scenario; 7] = [
    Scenario { name: "calm", about: "no fault at all", faults: &[], moves_lead: false },
    Scenario {
        name: "kill-leader",
        about: "the leader dies, and is back at once or after others were elected",
        faults: &[Fault::Kill(Target::Leader, MS_0), Fault::Kill(Target::Leader, MS_2000)],
        moves_lead: true,
    },
    Scenario {
        name: "kill-follower",
        about: "a follower dies and comes back",
        faults: &[Fault::Kill(Target::Follower, MS_0), Fault::Kill(Target::Follower, MS_2000)],
        moves_lead: false,
    },
    Scenario {
        name: "kill-all",
        about: "all replicas die at one moment",
        faults: &[Fault::Kill(Target::All, MS_0)],
        moves_lead: true,
    },
    Scenario {
        name: "pause-leader",
        about: "the leader stands still beyond the election timeout while reads are in flight, and wakes up",
        faults: &[Fault::Pause(Target::Leader, MS_2000), Fault::Pause(Target::Leader, MS_500)],
        moves_lead: true,
    },
    Scenario {
        name: "pause-follower",
        about: "a follower stands still and wakes up",
        faults: &[Fault::Pause(Target::Follower, MS_2000), Fault::Pause(Target::Follower, MS_500)],
        moves_lead: false,
    },
    Scenario {
        name: "restart",
        about: "replicas are restarted in order, one or all",
        faults: &[Fault::Restart(Target::Leader), Fault::Restart(Target::Follower), Fault::Restart(Target::All)],
        moves_lead: true,
    },
];

const MS_0: Duration = Duration::ZERO;
const MS_500: Duration = Duration::from_millis(500);
const MS_2000: Duration = Duration::from_millis(2000);

impl Scenario {
    /// The scenario of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|scenario| scenario.name == name)
    }

    /// Runs it that long on a cluster of its own, and judges what came of it.
    ///
    /// # Errors
    /// When the cluster could not be brought up or brought back: that is a finding, too.
    pub async fn run(&self, time: Duration, seed: u64) -> anyhow::Result<(Report, Vec<Operation>)> {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut cluster = Cluster::start(3).await?;
        let replicas: Vec<(u64, String)> = cluster.members.iter().map(|m| (m.id, m.addr.clone())).collect();
        let traffic = Traffic::start(&replicas, SHAPE, seed)?;
        let mut run = Run { seed, term_before: cluster.term().await?, ..Run::default() };
        let started = Instant::now();
        while started.elapsed() < time {
            tokio::time::sleep(QUIET_MAX.mul_f64(random.random())).await;
            let Some(fault) = self.faults.choose(&mut random) else { continue };
            run.fault(*fault, &mut cluster, &traffic, &mut random)
                .await
                .with_context(|| format!("{fault}, seed {seed}"))?;
        }
        let history = traffic.stop().await?;
        for id in 1..=3 {
            cluster.wait_until_answers(id).await?;
        }
        let states = cluster.equal_states().await;
        run.lead_changes = cluster.term().await? - run.term_before;
        let mut verdict = check::check(&history).and(run.verdict(self, &history));
        if let Err(error) = states {
            verdict = verdict.and(Verdict::Invalid(vec![error.to_string()]));
        }
        Ok((run.report(self, &history, started.elapsed(), verdict), history))
    }
}

/// What happened during one run.
#[derive(Debug, Default)]
struct Run {
    seed: u64,
    term_before: u64,
    lead_changes: u64,
    faults: BTreeMap<String, u64>,
    skipped: Vec<String>,
    /// From when to when a fault was there, on the history's clock.
    times: Vec<(u64, u64)>,
    /// From the end of a fault to the next acknowledged write.
    healed_ms: Vec<u64>,
    unhealed: Vec<String>,
}

impl Run {
    async fn fault(
        &mut self,
        fault: Fault,
        cluster: &mut Cluster,
        traffic: &Traffic,
        random: &mut SmallRng,
    ) -> anyhow::Result<()> {
        let begin_us = traffic.recorder().now_us();
        match fault.happen(cluster, random).await? {
            Installed::Skipped(why) => {
                self.skipped.push(format!("{fault}: {why}"));
                return Ok(());
            }
            Installed::Yes(_) => *self.faults.entry(fault.to_string()).or_default() += 1,
        }
        let end_us = traffic.recorder().now_us();
        self.times.push((begin_us, end_us));
        match until_written(traffic, end_us).await {
            Ok(healed_ms) if u128::from(healed_ms) <= HEALED_WITHIN.as_millis() => self.healed_ms.push(healed_ms),
            Ok(late_ms) => self.unhealed.push(format!("{fault}: the first write after {late_ms} ms")),
            Err(_) => self.unhealed.push(format!("{fault}: no write within {} s", PATIENCE.as_secs())),
        }
        Ok(())
    }

    /// What is no good of the run besides its history; a run that did not cover what it is for counts for nothing.
    fn verdict(&self, scenario: &Scenario, history: &[Operation]) -> Verdict {
        let unhealed = match self.unhealed.is_empty() {
            true => Verdict::Valid,
            false => Verdict::Invalid(self.unhealed.clone()),
        };
        let covered = Covered::of(history, &self.times);
        let missing = [
            (covered.writes == 0, "no write was acknowledged"),
            (covered.reads == 0, "no read was answered"),
            (!scenario.faults.is_empty() && self.times.is_empty(), "no fault happened"),
            (!scenario.faults.is_empty() && covered.reads_during_faults == 0, "no read was answered during a fault"),
            (scenario.moves_lead && self.lead_changes == 0, "the lead never moved"),
        ];
        let missing: Vec<&str> = missing.into_iter().filter(|(is, _)| *is).map(|(_, what)| what).collect();
        match missing.is_empty() {
            true => unhealed,
            false => unhealed.and(Verdict::Unknown(missing.join(", "))),
        }
    }

    fn report(self, scenario: &Scenario, history: &[Operation], took: Duration, verdict: Verdict) -> Report {
        let covered = Covered::of(history, &self.times);
        Report {
            scenario: scenario.name.to_owned(),
            seed: self.seed,
            seconds: took.as_secs(),
            writes: covered.writes,
            writes_unknown: covered.unknown,
            reads: covered.reads,
            reads_during_faults: covered.reads_during_faults,
            failed: covered.failed,
            faults: self.faults,
            skipped: self.skipped,
            lead_changes: self.lead_changes,
            healed_ms_max: self.healed_ms.iter().copied().max().unwrap_or(0),
            valid: verdict == Verdict::Valid,
            verdict: verdict.to_string(),
        }
    }
}

/// Waits for a write that began after that moment and was acknowledged; returns how long after it was.
async fn until_written(traffic: &Traffic, after_us: u64) -> anyhow::Result<u64> {
    let written = |operation: &Operation| match (&operation.action, &operation.outcome) {
        (Action::Write { .. }, Outcome::Done { end_us, .. }) if operation.begin_us >= after_us => Some(*end_us),
        _ => None,
    };
    let end_us = until("a write is acknowledged", async || traffic.recorder().find_last(written)).await?;
    Ok((end_us - after_us) / 1000)
}

/// What a history has.
#[derive(Debug, Default)]
struct Covered {
    writes: u64,
    unknown: u64,
    reads: u64,
    reads_during_faults: u64,
    failed: u64,
}

impl Covered {
    fn of(history: &[Operation], faults: &[(u64, u64)]) -> Self {
        let mut covered = Self::default();
        for operation in history {
            match (&operation.action, &operation.outcome) {
                (_, Outcome::Failed { .. }) => covered.failed += 1,
                (_, Outcome::Unknown { .. }) => covered.unknown += 1,
                (Action::Write { .. }, Outcome::Done { .. }) => covered.writes += 1,
                (Action::Read { .. }, Outcome::Done { end_us, .. }) => {
                    covered.reads += 1;
                    let during = faults.iter().any(|(begin, end)| operation.begin_us < *end && *begin < *end_us);
                    covered.reads_during_faults += u64::from(during);
                }
            }
        }
        covered
    }
}
