//! Both databases with the same tables, and what comes of a case before them.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::case::Case;
use super::compare::{self, Verdict};
use super::mariadb::MariaDb;
use super::tables;
use super::tree::Dialect;
use super::unum::Unum;

/// How many cases are before the court at a time.
pub const IN_FLIGHT: usize = 8;

/// Both of them.
#[derive(Debug)]
pub struct Court {
    pub(super) mariadb: MariaDb,
    pub(super) unum: Unum,
    /// How many fresh plans were asked for.
    fresh: AtomicUsize,
}

impl Court {
    /// Starts both and gives them the tables, the rows spread over so many nodes.
    pub async fn open(unumd: &str, nodes: usize) -> anyhow::Result<Self> {
        let court = Self {
            mariadb: MariaDb::start(IN_FLIGHT).await?,
            unum: Unum::start(unumd).await?,
            fresh: AtomicUsize::new(0),
        };
        let tables = tables::all();
        court.mariadb.create(&tables, nodes).await?;
        court.unum.push(&tables, nodes).await?;
        Ok(court)
    }

    /// Asks both, Unum in words for which it keeps no plan.
    pub async fn judge_with_a_fresh_plan(&self, case: &Case) -> anyhow::Result<Verdict> {
        let number = self.fresh.fetch_add(1, Ordering::Relaxed);
        let (ours, theirs) = (case.statement(Dialect::MariaDb), case.statement_for_a_fresh_plan(number));
        let (mariadb, unum) = tokio::join!(self.mariadb.ask(&ours), self.unum.ask(&theirs));
        Ok(compare::judge(mariadb?, unum?, case.ordered()))
    }

    /// Asks both.
    pub async fn judge(&self, case: &Case) -> anyhow::Result<Verdict> {
        let (ours, theirs) = (case.statement(Dialect::MariaDb), case.statement(Dialect::Unum));
        let (mariadb, unum) = tokio::join!(self.mariadb.ask(&ours), self.unum.ask(&theirs));
        Ok(compare::judge(mariadb?, unum?, case.ordered()))
    }

    /// What both say to a statement, for a reader.
    pub async fn both(&self, sql: &str) -> anyhow::Result<String> {
        let (mariadb, unum) = tokio::join!(self.mariadb.ask(sql), self.unum.ask(sql));
        let (mariadb, unum) = (mariadb?.shown(), unum?.shown());
        Ok(match mariadb == unum {
            true => format!("{sql}\n  both     {unum}"),
            false => format!("{sql}\n  MariaDB  {mariadb}\n  Unum     {unum}"),
        })
    }
}
