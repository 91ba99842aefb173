//! One run of one scenario: a cluster, its traffic, episodes of faults, and a judgement.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::scenario::{Scenario, Step};
use crate::check::{self, Verdict};
use crate::cluster::{Cluster, PATIENCE, Setup, until};
use crate::faults::{Active, Fault, Group, Installed};
use crate::history::{Action, Operation, Outcome};
use crate::host::ToolFailed;
use crate::report::{Covered, Report};
use crate::traffic::Traffic;

/// Writes must succeed again so long after the last fault is over (invariant I10).
const HEALED_WITHIN: Duration = Duration::from_secs(10);

/// Between two episodes, at most: healing and quiet are part of what is tried.
const QUIET_MAX: Duration = Duration::from_millis(1500);

/// Between two faults of an episode, at most.
const GAP_MAX: Duration = Duration::from_millis(700);

/// Traffic goes on so long when all is whole again, so that the end is looked at, too.
const LAST_LOOK: Duration = Duration::from_millis(500);

/// How a scenario is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// For how long.
    pub time: Duration,
    /// What decides faults and traffic.
    pub seed: u64,
    /// The server: `unumd`, or a build of it with planted bugs.
    pub unumd: String,
    /// Environment of the server.
    pub env: Vec<(String, String)>,
}

impl Options {
    /// The server as it is.
    pub fn new(time: Duration, seed: u64) -> Self {
        Self { time, seed, unumd: "unumd".to_owned(), env: Vec::new() }
    }
}

impl Scenario {
    /// Runs it on a cluster of its own, and judges what came of it. A cluster that does not come back is a finding like
    /// any other.
    ///
    /// # Errors
    /// When there was no run: the cluster could not be set up.
    pub async fn run(&self, options: &Options) -> anyhow::Result<(Report, Vec<Operation>)> {
        let mut run = self.start(options).await?;
        let term_before = run.cluster.term().await?;
        let started = Instant::now();
        if let Err(error) = run.whole(options.time).await {
            run.found.broke_off(&error);
        }
        // Where a replica did not come back, nobody need say more.
        let whole = run.found.wrong.is_empty() && !run.found.tool_failed;
        let lead_changes = if whole { run.last_look(term_before).await } else { 0 };
        let seconds = started.elapsed().as_secs();
        let Run { cluster, traffic, mut found, .. } = run;
        let history = traffic.stop().await?;
        let mut covered = Covered::of(&history);
        covered.snapshots_installed = snapshots_installed(&cluster);
        covered.lead_changes = lead_changes;
        if whole {
            found.wrong.extend(cluster.equal_states().await.err().map(|error| format!("{error:#}")));
        }
        let verdict = self.judge(&history, &covered, &mut found);
        let report = Report {
            scenario: self.name.to_owned(),
            seed: options.seed,
            seconds,
            covered,
            faults: found.faults,
            kinds: found.kinds,
            skipped: found.skipped,
            healed_ms: found.healed_ms,
            valid: verdict == Verdict::Valid,
            verdict: verdict.to_string(),
        };
        Ok((report, history))
    }

    /// A cluster that answers, and its traffic.
    async fn start(&self, options: &Options) -> anyhow::Result<Run<'_>> {
        let rig = &self.rig;
        let mut cluster = Cluster::prepare_with(Setup {
            size: rig.voters,
            config: rig.config.to_owned(),
            hosts: rig.hosts,
            disk_mib: rig.disks.then_some(DISK_MIB),
            clocks: rig.clocks,
            unumd: options.unumd.clone(),
            env: options.env.clone(),
        })?;
        cluster.start_all().await?;
        for _ in 0..rig.learners {
            let id = cluster.next_id();
            cluster.join(id)?;
            cluster.wait_until_answers(id).await?;
        }
        let replicas: Vec<(u64, String)> = cluster.members.iter().map(|m| (m.id, m.addr.clone())).collect();
        let traffic = Traffic::start(&replicas, rig.workload, options.seed)?;
        let random = SmallRng::seed_from_u64(options.seed);
        Ok(Run { scenario: self, cluster, traffic, random, found: Found::default() })
    }

    /// What clients saw, what the run found beside that, and whether it was enough to count.
    fn judge(&self, history: &[Operation], covered: &Covered, found: &mut Found) -> Verdict {
        let mut verdict = check::check(history);
        if !found.wrong.is_empty() {
            verdict = verdict.and(Verdict::Invalid(std::mem::take(&mut found.wrong)));
        }
        let mut missing = std::mem::take(&mut found.indeterminate);
        let mut want = |there: bool, without: &str| missing.extend((!there).then(|| without.to_owned()));
        want(covered.writes > 0, "no write was acknowledged");
        want(covered.reads > 0, "no read was answered");
        want(self.steps.is_empty() || !found.faults.is_empty(), "no fault happened");
        missing.extend(self.must.iter().filter_map(|must| must.missing(covered, &found.kinds)));
        if missing.is_empty() { verdict } else { verdict.and(Verdict::Unknown(missing.join(", "))) }
    }
}

/// Room for a store under this traffic, its compaction, and the reserve.
const DISK_MIB: u64 = 160;

struct Run<'a> {
    scenario: &'a Scenario,
    cluster: Cluster,
    traffic: Traffic,
    random: SmallRng,
    found: Found,
}

/// What happened beside the history.
#[derive(Debug, Default)]
struct Found {
    faults: BTreeMap<String, u64>,
    kinds: BTreeMap<String, u64>,
    skipped: BTreeMap<String, u64>,
    /// From the end of each episode to the next acknowledged write.
    healed_ms: Vec<u64>,
    wrong: Vec<String>,
    /// Why it cannot be told.
    indeterminate: Vec<String>,
    /// A fault may still be there: the cluster need not be whole.
    tool_failed: bool,
}

impl Found {
    /// The run ended early. A tool that does not do its work says nothing of the cluster.
    fn broke_off(&mut self, error: &anyhow::Error) {
        self.tool_failed = error.chain().any(|cause| cause.is::<ToolFailed>());
        let findings = if self.tool_failed { &mut self.indeterminate } else { &mut self.wrong };
        findings.push(format!("{error:#}"));
    }
}

impl Run<'_> {
    /// Episodes, and a cluster that is whole after them.
    async fn whole(&mut self, time: Duration) -> anyhow::Result<()> {
        self.episodes(time).await?;
        self.come_back().await
    }

    /// How many terms began.
    async fn last_look(&mut self, term_before: u64) -> u64 {
        match self.cluster.term().await {
            Ok(term) if term >= term_before => return term - term_before,
            Ok(term) => self.found.wrong.push(format!("the term went back from {term_before} to {term}")),
            Err(error) => self.found.wrong.push(format!("nobody says the term: {error:#}")),
        }
        0
    }

    /// Episodes until the time is over. Each step has its turn before one has another.
    async fn episodes(&mut self, time: Duration) -> anyhow::Result<()> {
        let started = Instant::now();
        let mut turns: Vec<Step> = Vec::new();
        while started.elapsed() < time {
            tokio::time::sleep(QUIET_MAX.mul_f64(self.random.random())).await;
            if self.scenario.steps.is_empty() {
                continue;
            }
            let many = self.random.random_range(1..=self.scenario.at_once);
            let mut steps: Vec<Step> = Vec::new();
            for _ in 0..many {
                if turns.is_empty() {
                    turns = self.scenario.steps.to_vec();
                    turns.shuffle(&mut self.random);
                }
                let fits = |step: &Step| steps.iter().all(|other| other.fault.group() != step.fault.group());
                if let Some(place) = turns.iter().position(fits) {
                    steps.push(turns.swap_remove(place));
                }
            }
            // Members change while the others are there.
            steps.sort_by_key(|step| step.fault.group());
            self.episode(&steps).await?;
        }
        Ok(())
    }

    /// Brings faults about one after the other, ends them, and waits until writes succeed.
    async fn episode(&mut self, steps: &[Step]) -> anyhow::Result<()> {
        let mut active: Vec<(Step, u64, Active)> = Vec::new();
        for step in steps {
            if !active.is_empty() {
                tokio::time::sleep(GAP_MAX.mul_f64(self.random.random())).await;
            }
            let asked_us = self.traffic.recorder().now_us();
            let cut_off: Vec<u64> = active.iter().flat_map(|(.., fault)| fault.cut_off()).copied().collect();
            let begun = step.fault.begin(&mut self.cluster, &cut_off, &mut self.random).await;
            match begun.with_context(|| step.fault.to_string())? {
                Installed::Skipped(why) => {
                    if active.is_empty() && step.fault != Fault::TransferLead {
                        self.found.wrong.push(format!("{}: {why}, and nothing was wrong", step.fault));
                    }
                    *self.found.skipped.entry(format!("{}: {why}", step.fault)).or_default() += 1;
                }
                Installed::Yes(fault) => {
                    *self.found.faults.entry(step.fault.to_string()).or_default() += 1;
                    *self.found.kinds.entry(step.fault.kind().to_owned()).or_default() += 1;
                    // Who may answer nothing may not from when the fault is whole; else it counts from its start.
                    let silent = step.no_majority || !fault.cut_off().is_empty();
                    let since_us = if silent { self.traffic.recorder().now_us() } else { asked_us };
                    active.push((*step, since_us, fault));
                }
            }
        }
        if active.is_empty() {
            return Ok(());
        }
        let hold = active.iter().map(|(step, ..)| step.hold).max().unwrap_or_default();
        tokio::time::sleep(hold.mul_f64(self.random.random_range(0.5..1.0))).await;
        let names: Vec<String> = active.iter().map(|(step, ..)| step.fault.to_string()).collect();
        // New members have links that were not cut.
        let members_change = active.iter().any(|(step, ..)| step.fault.group() == Group::Members);
        let mut end_us = 0;
        for (step, begin_us, fault) in active {
            let cut_off = if members_change { &[] } else { fault.cut_off() };
            let cut_off = cut_off.iter().map(|id| self.cluster.member(*id).place).collect();
            let action = Action::Fault { name: step.fault.to_string(), no_majority: step.no_majority, cut_off };
            end_us = self.traffic.recorder().now_us();
            let outcome = Outcome::Done { end_us, revision: 0 };
            self.traffic.recorder().add(Operation { client: 0, begin_us, action, outcome });
            fault.end(&mut self.cluster).await.with_context(|| step.fault.to_string())?;
        }
        self.heal(&names.join(" with "), end_us).await
    }

    /// Waits until writes succeed again, from when the last fault began to end, and all replicas answer.
    async fn heal(&mut self, after: &str, end_us: u64) -> anyhow::Result<()> {
        let written = until_written(&self.traffic, end_us).await;
        let healed_ms = written.map_err(|error| self.with_those_that_ended(error).context(after.to_owned()))?;
        if u128::from(healed_ms) > HEALED_WITHIN.as_millis() {
            self.found.wrong.push(format!("{after}: the first write after {healed_ms} ms"));
        }
        self.found.healed_ms.push(healed_ms);
        for id in self.cluster.members.iter().map(|member| member.id).collect::<Vec<_>>() {
            self.cluster.wait_until_answers(id).await.with_context(|| after.to_owned())?;
        }
        Ok(())
    }

    /// An error, with what was said by replicas that have ended by themselves.
    fn with_those_that_ended(&mut self, error: anyhow::Error) -> anyhow::Error {
        let ids: Vec<u64> = self.cluster.members.iter().map(|member| member.id).collect();
        ids.into_iter().fold(error, |error, id| match self.cluster.ended(id) {
            Ok(Some((code, log))) => error.context(format!("replica {id} has ended with {code:?}:\n{log}")),
            _ => error,
        })
    }

    /// Waits until every replica answers, and lets the traffic look at that.
    async fn come_back(&mut self) -> anyhow::Result<()> {
        for id in self.cluster.members.iter().map(|member| member.id).collect::<Vec<_>>() {
            self.cluster.wait_until_answers(id).await?;
        }
        tokio::time::sleep(LAST_LOOK).await;
        Ok(())
    }
}

/// Waits for a write that began after that moment and was acknowledged; returns how long after the first one was.
async fn until_written(traffic: &Traffic, after_us: u64) -> anyhow::Result<u64> {
    let written = |operation: &Operation| match (&operation.action, operation.done()) {
        (Action::Write { .. }, Some((end_us, _))) if operation.begin_us >= after_us => Some(end_us),
        _ => None,
    };
    let look = async || traffic.recorder().least(written);
    let end_us = until("a write is acknowledged", look).await.context(format!("{} s", PATIENCE.as_secs()))?;
    Ok((end_us - after_us) / 1000)
}

/// How many raft snapshots the replicas have installed since they were started.
fn snapshots_installed(cluster: &Cluster) -> u64 {
    let of_one = |id: u64| cluster.metric(id, "unum_raft_snapshots_installed_total");
    // One that none was sent to has no such line.
    cluster.members.iter().filter_map(|member| of_one(member.id)).sum::<f64>() as u64
}
