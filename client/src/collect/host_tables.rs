//! What an agent asks of its host, and which of the tables go out when.
//!
//! `node_info`, `load` and `processes` move, so they are read each time. `hardware` and `systeminfo` hardly do: they
//! are read again every minute and go out until a push that has them is acknowledged. After that they go out when they
//! have changed, and every ten minutes, as the catalog may have been restored to a time before.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use unum_proto::model::limits::EPOCH_MAX;
use unum_proto::model::{Invalid, NodeDescription, Push, Row, TableSnapshot};

use super::host;
use super::reader::{Busiest, HostAnswer, HostQuestion, HostReader, ProcessReader, Tables, Wanted};
use super::spaces::Spaces;
use super::tables::{PublishedTable, hardware, load, processes, systeminfo};
use crate::Table;
use crate::helper::{Helper, Program, Silence};

/// Between two reads of the tables that hardly change.
const STATIC_READ_INTERVAL: Duration = Duration::from_secs(60);

/// The longest time in which an unchanged table is not sent.
const STATIC_SEND_INTERVAL: Duration = Duration::from_secs(600);

/// How long all of the host but its mounts may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Processes that an agent publishes when nobody says how many.
pub const PROCESSES_DEFAULT: usize = 50;

/// Processes that an agent publishes at most: with command lines of full length they still fit one push.
pub const PROCESSES_MAX: usize = 300;

/// Reads all tables that an agent publishes. Rates are since the last call, so keep one and call it every interval.
///
/// What may never answer is asked in child processes, so a call takes seconds at most, whatever hangs.
#[derive(Debug)]
pub struct HostTables {
    host: Helper<HostReader>,
    processes: Helper<ProcessReader>,
    spaces: Spaces,
    processes_max: usize,
    whole: bool,
    started_at_us: i64,
    statics: [Static; 2],
    statics_read: Option<Instant>,
}

/// What was read of a host.
#[derive(Debug)]
pub struct Collected {
    /// Its tables, parted into pushes that are within the limit: nearly always one.
    pub pushes: Vec<Vec<TableSnapshot>>,
    /// What could not be read, or was too much to be published, in words that are the same as long as it is so.
    pub unread: Vec<String>,
}

/// A table that hardly changes.
#[derive(Debug)]
struct Static {
    table: PublishedTable,
    /// None before it was read.
    rows: Option<Vec<Row>>,
    /// What the catalog has, and since when it is known to.
    acknowledged: Option<(Vec<Row>, Instant)>,
    /// Whether the last collection had it.
    collected: bool,
}

impl HostTables {
    /// Tables whose rates start with the first call, with at most so many processes; with none of them, table `processes` is
    /// empty.
    pub fn new(program: &Program, processes: usize) -> Self {
        let empty = |table| Static { table, rows: None, acknowledged: None, collected: false };
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            host: Helper::new(program),
            processes: Helper::new(program),
            spaces: Spaces::new(program),
            processes_max: processes.min(PROCESSES_MAX),
            whole: false,
            started_at_us: started.as_micros().try_into().unwrap_or(i64::MAX),
            statics: [empty(hardware::TABLE), empty(systeminfo::TABLE)],
            statics_read: None,
        }
    }

    /// The same tables, `node_info` of the whole host, whatever bounds this process.
    #[must_use]
    pub fn of_whole_host(self) -> Self {
        Self { whole: true, ..self }
    }

    /// The tables to push now under the name of `node`.
    ///
    /// # Errors
    /// When what was read is within no limits, which would be a bug.
    pub async fn collect(&mut self, node: &NodeDescription) -> Result<Collected, Invalid> {
        let all = self.statics_read.is_none_or(|read| read.elapsed() >= STATIC_READ_INTERVAL);
        let wanted = if all { Wanted::All } else { Wanted::Moving };
        if all {
            // Also if it does not answer in time: the next round is for what moves.
            self.statics_read = Some(Instant::now());
        }
        let mut unread = Vec::new();
        let read = self.read(node, wanted, &mut unread).await;
        let mut tables = vec![snapshot(&host::TABLE, vec![read.info])?];
        if let Some(rows) = read.load {
            tables.push(snapshot(&load::TABLE, rows)?);
        }
        match self.busiest().await {
            Ok(rows) => tables.push(snapshot(&processes::TABLE, rows)?),
            Err(silence) => unread.push(format!("processes: {silence}")),
        }
        if let (Some(hardware), Some(systeminfo)) = (read.hardware, read.systeminfo) {
            self.statics[0].rows = Some(hardware);
            self.statics[1].rows = Some(systeminfo);
        }
        for table in &mut self.statics {
            let due = table.due().cloned();
            table.collected = due.is_some();
            if let Some(rows) = due {
                tables.push(snapshot(&table.table, rows)?);
            }
        }
        Ok(Collected { pushes: in_pushes(node, tables, &mut unread), unread })
    }

    /// `node_info` alone, and what could not be read of it.
    ///
    /// # Errors
    /// As of [`HostTables::collect`].
    pub async fn collect_info(&mut self, node: &NodeDescription) -> Result<(TableSnapshot, Vec<String>), Invalid> {
        let mut unread = Vec::new();
        let read = self.read(node, Wanted::Info, &mut unread).await;
        Ok((snapshot(&host::TABLE, vec![read.info])?, unread))
    }

    /// Says that everything of the last collection is in the catalog. Without it, it goes out again.
    pub fn acknowledged(&mut self) {
        for table in &mut self.statics {
            if std::mem::take(&mut table.collected) {
                table.acknowledged = table.rows.clone().map(|rows| (rows, Instant::now()));
            }
        }
    }

    /// All of the host but its processes; who it is, if it does not answer.
    async fn read(&mut self, node: &NodeDescription, wanted: Wanted, unread: &mut Vec<String>) -> Tables {
        match self.ask(node, wanted, unread).await {
            Ok(tables) => {
                unread.extend(tables.cut.iter().cloned());
                tables
            }
            Err(silence) => {
                unread.push(format!("host: {silence}"));
                let info = host::unread(node, self.started_at_us);
                Tables { info, load: None, hardware: None, systeminfo: None, cut: Vec::new() }
            }
        }
    }

    async fn ask(
        &mut self,
        node: &NodeDescription,
        wanted: Wanted,
        unread: &mut Vec<String>,
    ) -> Result<Tables, Silence> {
        let mounts = match self.host.ask(&HostQuestion::Mounts, ANSWER_LIMIT).await? {
            HostAnswer::Mounts(mounts) => mounts,
            HostAnswer::Tables(_) => return Err(other_answer()),
        };
        let mut round = self.spaces.ask(mounts).await;
        unread.append(&mut round.unread);
        let (node, started_at_us, whole) = (node.clone(), self.started_at_us, self.whole);
        let question = HostQuestion::Tables { node, started_at_us, whole, spaces: round.spaces, wanted };
        match self.host.ask(&question, ANSWER_LIMIT).await? {
            HostAnswer::Tables(tables) => Ok(tables),
            HostAnswer::Mounts(_) => Err(other_answer()),
        }
    }

    async fn busiest(&mut self) -> Result<Vec<Row>, Silence> {
        match self.processes_max {
            0 => Ok(Vec::new()),
            most => self.processes.ask(&Busiest(most), ANSWER_LIMIT).await,
        }
    }
}

fn other_answer() -> Silence {
    Silence::Fails("it answered another question".into())
}

impl Static {
    /// Its rows, if they have to go out.
    fn due(&self) -> Option<&Vec<Row>> {
        let rows = self.rows.as_ref()?;
        let is_known = |(known, at): &(Vec<Row>, Instant)| known == rows && at.elapsed() < STATIC_SEND_INTERVAL;
        (!self.acknowledged.as_ref().is_some_and(is_known)).then_some(rows)
    }
}

fn snapshot(table: &PublishedTable, rows: Vec<Row>) -> Result<TableSnapshot, Invalid> {
    let table = Table::new(table.name, table.columns)?;
    Ok(rows.into_iter().fold(table, Table::row).snapshot())
}

/// The tables in as few pushes as their sizes allow, in order.
fn in_pushes(node: &NodeDescription, tables: Vec<TableSnapshot>, unread: &mut Vec<String>) -> Vec<Vec<TableSnapshot>> {
    let mut pushes: Vec<Vec<TableSnapshot>> = vec![Vec::new()];
    for table in tables {
        let mut push = pushes.pop().unwrap_or_default();
        push.push(table);
        if !fits(node, &mut push)
            && let Some(table) = push.pop()
        {
            // An empty push before a table that is too large by itself says nothing.
            if !push.is_empty() {
                pushes.push(push);
            }
            push = vec![cut(node, table, unread)];
        }
        pushes.push(push);
    }
    pushes
}

fn fits(node: &NodeDescription, tables: &mut Vec<TableSnapshot>) -> bool {
    let push = Push {
        node: node.clone(),
        epoch: EPOCH_MAX,
        sequence: u64::MAX,
        tables: std::mem::take(tables),
        refused: Vec::new(),
        whole: false,
    };
    let fits = push.check_size().is_ok();
    *tables = push.tables;
    fits
}

/// The table without the last rows, if it does not fit a push. Its own bounds should have seen to that.
fn cut(node: &NodeDescription, table: TableSnapshot, unread: &mut Vec<String>) -> TableSnapshot {
    let rows = table.rows.len();
    let mut push = vec![table];
    while !fits(node, &mut push) && !push[0].rows.is_empty() {
        let keep = push[0].rows.len() * 3 / 4;
        push[0].rows.truncate(keep);
    }
    let table = push.remove(0);
    if table.rows.len() < rows {
        let (name, published) = (&table.schema.name, table.rows.len());
        unread.push(format!("too many bytes in table {name}: {published} of {rows} rows are published"));
    }
    table
}

#[cfg(test)]
mod tests {
    use unum_proto::model::{NodeKey, Value};

    use super::*;
    use crate::collect::PUBLISHED_TABLES;

    fn node() -> NodeDescription {
        NodeDescription::new(NodeKey::parse("tikv", "tikv_1").unwrap())
    }

    fn names(pushes: &[Vec<TableSnapshot>]) -> Vec<Vec<&str>> {
        pushes.iter().map(|push| push.iter().map(|table| table.schema.name.as_str()).collect()).collect()
    }

    #[test]
    fn what_hardly_changes_goes_out_until_it_is_acknowledged_and_again_when_it_changes() {
        let mut table = Static { table: hardware::TABLE, rows: None, acknowledged: None, collected: false };
        assert_eq!(table.due(), None, "nobody has read it");
        table.rows = Some(vec![vec!["a".into()]]);
        assert!(table.due().is_some());
        table.acknowledged = table.rows.clone().map(|rows| (rows, Instant::now()));
        assert_eq!(table.due(), None);
        table.rows = Some(Vec::new());
        assert!(table.due().is_some());
    }

    #[test]
    fn tables_are_parted_where_a_push_is_full_and_cut_where_one_alone_is_too_large() {
        let table = |name: &str, rows: usize| {
            let column = [("a", unum_proto::model::DataType::Text, "")];
            let row = vec![Value::Text("x".repeat(1000))];
            TableSnapshot {
                schema: unum_proto::model::TableSchema::of(name, &column).unwrap().into(),
                rows: vec![row; rows],
                collected_at_us: 0,
            }
        };
        for (rows, expected) in [
            ([1, 1, 1], vec![vec!["a", "b", "c"]]),
            ([300, 200, 100], vec![vec!["a", "b"], vec!["c"]]),
            ([300, 300, 1], vec![vec!["a"], vec!["b", "c"]]),
            ([600, 1, 1], vec![vec!["a", "b", "c"]]),
        ] {
            let tables = ["a", "b", "c"].into_iter().zip(rows).map(|(name, rows)| table(name, rows)).collect();
            let pushes = in_pushes(&node(), tables, &mut Vec::new());
            assert_eq!(names(&pushes), expected, "{rows:?}");
            for push in pushes {
                Push::new(node(), 1, 1, push).unwrap().check_size().unwrap();
            }
        }
    }

    #[test]
    fn every_published_table_has_a_schema() {
        for table in PUBLISHED_TABLES {
            Table::new(table.name, table.columns).unwrap();
            assert!(!table.comment.is_empty() && table.columns.iter().all(|(_, _, comment)| !comment.is_empty()));
        }
    }
}
