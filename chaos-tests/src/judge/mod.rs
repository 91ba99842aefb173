//! The judge: Unum's SQL beside a real MariaDB, statement by statement.
//!
//! 1. `mariadb` and `unum` start a database of the run's own; `tables` gives both the same rows, to Unum as those of one
//!    node or of several. Together they are the `court`.
//! 2. `generate` makes cases from a seed: expressions over every function of MySQL's manual, and whole SELECTs; some come
//!    twice with other literals, so that the second runs by a kept plan. A case is a `tree` that can be cut.
//! 3. `compare` judges the two answers: doubles within a relative error, everything else exactly.
//! 4. What fails is cut down by `shrink`; what `differences` lists by construct is excused; `report` groups the rest.
//!
//! A `mysql` that runs may be called as a witness: MariaDB is not MySQL everywhere.
//!
//! `matrix` goes through all types of all arguments, and `corpus` runs SQLite's sqllogictest files.
//!
//! It judges values, not speed, and never the names of result columns. It does not look at what Unum has beyond MySQL.

pub mod case;
pub mod cell;
pub mod compare;
pub mod corpus;
pub mod court;
pub mod differences;
pub mod generate;
pub mod mariadb;
pub mod matrix;
pub mod mysql;
pub mod report;
pub mod shrink;
pub mod tables;
pub mod tree;
pub mod unum;

use std::time::Instant;

use futures::stream::{self, StreamExt, TryStreamExt};

use case::Case;
use compare::Verdict;
use court::{Court, IN_FLIGHT};
use generate::Kind;
use report::{Failure, Report, group_of};
use tree::Dialect;

use crate::host::tell;

/// How many failures are made smaller; the others are counted only.
const SHRUNK_MAX: usize = 1500;

/// What is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many statements, or a few more.
    pub cases: usize,
    /// What they come from.
    pub seed: u64,
    /// What they are.
    pub kind: Kind,
}

/// Runs cases and says what came of them.
pub async fn run(court: &Court, options: &Options) -> anyhow::Result<Report> {
    let mut made = Vec::new();
    let mut statements = 0;
    for number in 0.. {
        if statements >= options.cases {
            break;
        }
        let cases = generate::cases(options.kind, options.seed, number);
        statements += cases.len();
        made.push(cases);
    }
    judge_all(court, made).await
}

/// Judges groups of cases, those of a group in turn, and makes what fails smaller.
pub async fn judge_all(court: &Court, groups: Vec<Vec<Case>>) -> anyhow::Result<Report> {
    let started = Instant::now();
    let judged: Vec<Vec<Judged>> =
        stream::iter(groups).map(|cases| in_turn(court, cases)).buffered(IN_FLIGHT).try_collect().await?;
    let judged: Vec<Judged> = judged.into_iter().flatten().collect();
    let took = started.elapsed().as_secs_f64();
    tell(&format!("{} statements in {took:.0} s, {:.0} a second", judged.len(), judged.len() as f64 / took));
    let mut report = Report::default();
    let (mut failing, mut grouped) = (Vec::new(), Vec::new());
    for judged in judged {
        match &judged.verdict {
            Verdict::Same => report.counts.same += 1,
            Verdict::BothRefuse => report.counts.both_refuse += 1,
            Verdict::Upheld => report.counts.upheld += 1,
            Verdict::Undecided => report.counts.undecided += 1,
            Verdict::UnumRefuses(_) | Verdict::UnumOnly(_) if judged.kept_from.is_none() => grouped.push(judged),
            _ => failing.push(judged),
        }
    }
    failing.sort_by_key(|failure| matches!(failure.verdict, Verdict::Shape(_)));
    let smaller = |(position, failure)| smaller(court, failure, position < SHRUNK_MAX);
    let shrunk: Vec<Failure> =
        stream::iter(failing.into_iter().enumerate()).map(smaller).buffered(IN_FLIGHT).try_collect().await?;
    for failure in shrunk {
        match &failure.verdict {
            _ if failure.is_listed() => {
                report.counts.listed += 1;
                report.listed.push(failure);
                continue;
            }
            Verdict::Shape(_) => report.counts.shape += 1,
            Verdict::Broken(_) => report.counts.broken += 1,
            Verdict::Late => report.counts.late += 1,
            _ => report.counts.wrong += 1,
        }
        report.failures.push(failure);
    }
    refusals(court, grouped, &mut report).await?;
    tell(&format!("and made smaller in {:.0} s", started.elapsed().as_secs_f64() - took));
    Ok(report)
}

/// What comes of a case before it is made smaller.
type Judged = Failure;

/// Judges the cases of a group in turn: a later one that fails where a fresh plan does not, fails by the kept one.
async fn in_turn(court: &Court, cases: Vec<Case>) -> anyhow::Result<Vec<Judged>> {
    let mut judged = Vec::with_capacity(cases.len());
    let mut before: Option<String> = None;
    for case in cases {
        let verdict = court.judge(&case).await?;
        let mut kept_from = None;
        if let (false, Some(before)) = (verdict.is_fine(), &before) {
            let fresh = court.judge_with_a_fresh_plan(&case).await?;
            kept_from = fresh.is_fine().then(|| before.clone());
        }
        before = Some(case.statement(Dialect::Unum));
        judged.push(Judged { case, verdict, kept_from });
    }
    Ok(judged)
}

/// The failure as small as it becomes, if it is to be made smaller, and is none of a kept plan nor of patience.
async fn smaller(court: &Court, failure: Failure, wanted: bool) -> anyhow::Result<Failure> {
    if !wanted || failure.kept_from.is_some() || failure.verdict == Verdict::Late {
        return Ok(failure);
    }
    let (case, verdict) = shrink::shrink(court, failure.case, failure.verdict).await?;
    Ok(Failure { case, verdict, kept_from: None })
}

/// Groups what only one of them takes by its error, and makes the shortest of each group smaller.
async fn refusals(court: &Court, mut all: Vec<Judged>, report: &mut Report) -> anyhow::Result<()> {
    all.sort_by_key(|judged| judged.case.weight());
    for judged in all {
        let (groups, why) = match &judged.verdict {
            Verdict::UnumRefuses(why) => (&mut report.refused, why),
            Verdict::UnumOnly(why) => (&mut report.taken, why),
            _ => continue,
        };
        let (count, example) = groups.entry(group_of(why)).or_default();
        *count += 1;
        example.get_or_insert(judged);
    }
    for (groups, is_refusal) in [(&mut report.refused, true), (&mut report.taken, false)] {
        let examples: Vec<Failure> = groups.values().filter_map(|(_, example)| example.clone()).collect();
        let asked = stream::iter(examples).map(|failure| smaller(court, failure, true)).buffered(IN_FLIGHT);
        let shrunk: Vec<Failure> = asked.try_collect().await?;
        for ((count, example), smallest) in groups.values_mut().zip(shrunk) {
            let counted = match (smallest.is_listed(), is_refusal) {
                (true, _) => &mut report.counts.listed,
                (false, true) => &mut report.counts.unum_refuses,
                (false, false) => &mut report.counts.unum_only,
            };
            *counted += *count;
            *example = Some(smallest);
        }
    }
    Ok(())
}
