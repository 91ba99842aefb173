//! Unum's SQL beside a real MariaDB: see `judge`.
//!
//! The slice is 1,000 statements of each kind, of which some come twice; `unum-trial judge` runs as many as are wanted, and
//! has a report by construct.

use super::trial::{Trial, cannot_run, case};
use crate::host::tell;
use crate::judge::court::Court;
use crate::judge::generate::Kind;
use crate::judge::{self, Options, mariadb};
use crate::promise::Promise;

pub(super) const TRIAL: Trial = Trial {
    name: "mysql",
    about: "SQL answers as a MariaDB does (mariadbd)",
    cases: &[
        case!(slice 280 expressions_on_one_node),
        case!(slice 280 selects_on_three_nodes),
        case!(long 1200 expressions_on_three_nodes),
        case!(long 1200 selects_on_one_node),
        case!(long 36000 many_expressions),
        case!(long 36000 many_selects),
    ],
};

const SLICE: usize = 1000;
const MANY: usize = 100_000;

/// How many of a thousand statements Unum may refuse that MariaDB takes; `judge::differences` has what does not count.
const REFUSED_MAX: usize = 10;

async fn agree(kind: Kind, cases: usize, nodes: usize, seed: u64) -> anyhow::Result<()> {
    cannot_run(mariadb::unavailable())?;
    let court = Court::open("unumd", nodes).await?;
    let report = judge::run(&court, &Options { cases, seed, kind }).await?;
    let counts = &report.counts;
    tell(&counts.to_string());
    let is_at_most = |count: usize, of_a_thousand: usize| count * 1000 <= of_a_thousand * counts.total();
    let refused = counts.unum_refuses + counts.late;
    let is_kept = counts.wrong + counts.broken == 0 && is_at_most(refused, REFUSED_MAX);
    Promise::WrongRows.ensure(is_kept, || report.text())
}

async fn expressions_on_one_node(seed: u64) -> anyhow::Result<()> {
    agree(Kind::Expression, SLICE, 1, seed).await
}

async fn selects_on_three_nodes(seed: u64) -> anyhow::Result<()> {
    agree(Kind::Select, SLICE, 3, seed).await
}

async fn expressions_on_three_nodes(seed: u64) -> anyhow::Result<()> {
    agree(Kind::Expression, SLICE, 3, seed).await
}

async fn selects_on_one_node(seed: u64) -> anyhow::Result<()> {
    agree(Kind::Select, SLICE, 1, seed).await
}

async fn many_expressions(seed: u64) -> anyhow::Result<()> {
    agree(Kind::Expression, MANY, 3, seed).await
}

async fn many_selects(seed: u64) -> anyhow::Result<()> {
    agree(Kind::Select, MANY, 3, seed).await
}
