//! Both databases with the same tables, and what comes of a case before them.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::case::Case;
use super::cell::Answer;
use super::compare::{self, Verdict};
use super::mariadb::MariaDb;
use super::mysql::MySql;
use super::tables;
use super::tree::Dialect;
use super::unum::Unum;

/// How many cases are before the court at a time.
pub const IN_FLIGHT: usize = 8;

/// Whose word counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// MariaDB's, but that what MySQL answers is right.
    MariaDb,
    /// MySQL's alone.
    MySql,
}

/// Both of them.
#[derive(Debug)]
pub struct Court {
    pub(super) mariadb: MariaDb,
    pub(super) unum: Unum,
    witness: Option<(MySql, Word)>,
    /// How many fresh plans were asked for.
    fresh: AtomicUsize,
}

impl Court {
    /// Starts both and gives them the tables, the rows spread over so many nodes.
    pub async fn open(unumd: &str, nodes: usize) -> anyhow::Result<Self> {
        let court = Self {
            mariadb: MariaDb::start(IN_FLIGHT).await?,
            unum: Unum::start(unumd).await?,
            witness: None,
            fresh: AtomicUsize::new(0),
        };
        let tables = tables::all();
        court.mariadb.create(&tables, nodes).await?;
        court.unum.push(&tables, nodes).await?;
        Ok(court)
    }

    /// Calls the MySQL at a socket as a witness, with the same tables.
    pub async fn call(&mut self, socket: &Path, word: Word, nodes: usize) -> anyhow::Result<()> {
        let mysql = MySql::connect(socket, IN_FLIGHT, &tables::all(), nodes).await?;
        self.witness = Some((mysql, word));
        Ok(())
    }

    /// Asks both, Unum in words for which it keeps no plan.
    pub async fn judge_with_a_fresh_plan(&self, case: &Case) -> anyhow::Result<Verdict> {
        let number = self.fresh.fetch_add(1, Ordering::Relaxed);
        self.judged(case, &case.statement_for_a_fresh_plan(number)).await
    }

    /// Asks both.
    pub async fn judge(&self, case: &Case) -> anyhow::Result<Verdict> {
        self.judged(case, &case.statement(Dialect::Unum)).await
    }

    async fn judged(&self, case: &Case, sql: &str) -> anyhow::Result<Verdict> {
        let ordered = case.ordered();
        match &self.witness {
            None => {
                let ours = case.statement(Dialect::MariaDb);
                let (mariadb, unum) = tokio::join!(self.mariadb.ask(&ours), self.unum.ask(sql));
                Ok(compare::judge(mariadb?, unum?, ordered))
            }
            Some((mysql, Word::MySql)) => {
                let ours = case.statement(Dialect::Unum);
                let (mysql, unum) = tokio::join!(mysql.ask(&ours), self.unum.ask(sql));
                Ok(compare::judge(mysql?, unum?, ordered))
            }
            Some((mysql, Word::MariaDb)) => {
                let ours = case.statement(Dialect::MariaDb);
                let (mariadb, unum) = tokio::join!(self.mariadb.ask(&ours), self.unum.ask(sql));
                let (mariadb, unum) = (mariadb?, unum?);
                let verdict = compare::judge(mariadb, unum.clone(), ordered);
                let is_heard = !verdict.is_fine() && !matches!(unum, Answer::Late | Answer::Broken(_));
                if is_heard {
                    let witnessed = compare::judge(mysql.ask(&case.statement(Dialect::Unum)).await?, unum, ordered);
                    if matches!(witnessed, Verdict::Same | Verdict::BothRefuse) {
                        return Ok(Verdict::Upheld);
                    }
                }
                Ok(verdict)
            }
        }
    }

    /// What all say to a statement, for a reader.
    pub async fn both(&self, sql: &str) -> anyhow::Result<String> {
        let (mariadb, unum) = tokio::join!(self.mariadb.ask(sql), self.unum.ask(sql));
        let (mariadb, unum) = (mariadb?.shown(), unum?.shown());
        let mut said = match mariadb == unum {
            true => format!("{sql}\n  both     {unum}"),
            false => format!("{sql}\n  MariaDB  {mariadb}\n  Unum     {unum}"),
        };
        if let Some((mysql, _)) = &self.witness {
            let mysql = mysql.ask(sql).await?.shown();
            let is_same = if mysql == unum { "MySQL    as Unum".to_owned() } else { format!("MySQL    {mysql}") };
            said.push_str(&format!("\n  {is_same}"));
        }
        Ok(said)
    }
}
