//! The judge: Unum's SQL beside a real MariaDB, statement by statement.
//!
//! 1. `mariadb` and `unum` start a database of the run's own; `tables` gives both the same rows, to Unum as those of one
//!    node or of several. Together they are the `court`.
//! 2. `generate` makes cases from a seed: expressions over every function of MySQL's manual, and whole SELECTs; some come
//!    twice with other literals, so that the second runs by a kept plan. A case is a `tree` that can be cut.
//! 3. `compare` judges the two answers: doubles within a relative error, everything else exactly.
//! 4. What fails is cut down by `shrink`; what `differences` lists by construct is excused; `report` groups the rest.
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
pub mod report;
pub mod shrink;
pub mod tables;
pub mod tree;
pub mod unum;

use futures::stream::{self, StreamExt, TryStreamExt};

use case::Case;
use compare::Verdict;
use court::{Court, IN_FLIGHT};
use generate::Kind;
use report::{Failure, Report, group_of};
use tree::Dialect;

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
    let in_turn = |cases: Vec<Case>| async move {
        let mut judged = Vec::with_capacity(cases.len());
        for case in cases {
            let verdict = court.judge(&case).await?;
            judged.push((case, verdict));
        }
        anyhow::Ok(judged)
    };
    let judged: Vec<Vec<(Case, Verdict)>> = stream::iter(groups).map(in_turn).buffered(IN_FLIGHT).try_collect().await?;
    let mut report = Report::default();
    let mut failing = Vec::new();
    let mut grouped = Vec::new();
    for (case, verdict) in judged.into_iter().flatten() {
        match &verdict {
            Verdict::Same => report.counts.same += 1,
            Verdict::BothRefuse => report.counts.both_refuse += 1,
            Verdict::Undecided => report.counts.undecided += 1,
            Verdict::UnumRefuses(_) | Verdict::UnumOnly(_) => grouped.push((case, verdict)),
            Verdict::Wrong(_) | Verdict::Shape(_) | Verdict::Broken(_) => failing.push((case, verdict)),
        }
    }
    failing.sort_by_key(|(_, verdict)| matches!(verdict, Verdict::Shape(_)));
    let smaller = |(position, (case, verdict)): (usize, (Case, Verdict))| async move {
        let original = case.statement(Dialect::Unum);
        let (case, verdict) =
            if position < SHRUNK_MAX { shrink::shrink(court, case, verdict).await? } else { (case, verdict) };
        anyhow::Ok(Failure { case, verdict, original })
    };
    let shrunk: Vec<Failure> =
        stream::iter(failing.into_iter().enumerate()).map(smaller).buffered(IN_FLIGHT).try_collect().await?;
    for failure in shrunk {
        match &failure.verdict {
            _ if failure.is_listed() => {
                report.counts.listed += 1;
                continue;
            }
            Verdict::Shape(_) => report.counts.shape += 1,
            Verdict::Broken(_) => report.counts.broken += 1,
            _ => report.counts.wrong += 1,
        }
        report.failures.push(failure);
    }
    refusals(court, grouped, &mut report).await?;
    Ok(report)
}

/// Groups what only one of them takes by its error, and makes the shortest of each group smaller.
async fn refusals(court: &Court, mut all: Vec<(Case, Verdict)>, report: &mut Report) -> anyhow::Result<()> {
    all.sort_by_key(|(case, _)| case.weight());
    for (case, verdict) in all {
        let (groups, why) = match &verdict {
            Verdict::UnumRefuses(why) => (&mut report.refused, why),
            Verdict::UnumOnly(why) => (&mut report.taken, why),
            _ => continue,
        };
        let (count, example) = groups.entry(group_of(why)).or_default();
        *count += 1;
        if example.is_none() {
            let original = case.statement(Dialect::Unum);
            *example = Some(Failure { case, verdict, original });
        }
    }
    for (groups, is_refusal) in [(&mut report.refused, true), (&mut report.taken, false)] {
        let smaller = |(count, example): &mut (usize, Option<Failure>)| {
            let (count, failure) = (*count, example.take());
            async move {
                let Some(failure) = failure else { return anyhow::Ok((count, None)) };
                let (case, verdict) = shrink::shrink(court, failure.case, failure.verdict).await?;
                Ok((count, Some(Failure { case, verdict, original: failure.original })))
            }
        };
        let asked: Vec<_> = groups.values_mut().map(smaller).collect();
        let shrunk: Vec<(usize, Option<Failure>)> = stream::iter(asked).buffered(IN_FLIGHT).try_collect().await?;
        for (group, (count, example)) in groups.values_mut().zip(shrunk) {
            let counted = match (example.as_ref().is_some_and(Failure::is_listed), is_refusal) {
                (true, _) => &mut report.counts.listed,
                (false, true) => &mut report.counts.unum_refuses,
                (false, false) => &mut report.counts.unum_only,
            };
            *counted += count;
            *group = (count, example);
        }
    }
    Ok(())
}
