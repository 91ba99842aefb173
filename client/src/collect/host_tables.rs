//! Which of the host's tables go out when.
//!
//! `node_info`, `load` and `processes` move, so they are read each time. `hardware` and `systeminfo` hardly do: they
//! are read again every minute and go out until a push that has them is acknowledged. After that they go out when they
//! have changed, and every ten minutes, as the catalog may have been restored to a time before.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use unum_proto::model::limits::EPOCH_MAX;
use unum_proto::model::{Invalid, NodeDescription, Push, Row, TableSnapshot};

use super::HostCollector;
use super::tables::{PublishedTable, hardware, load, processes, systeminfo};
use crate::Table;

/// Between two reads of the tables that hardly change.
const STATIC_READ_INTERVAL: Duration = Duration::from_secs(60);

/// The longest time in which an unchanged table is not sent.
const STATIC_SEND_INTERVAL: Duration = Duration::from_secs(600);

/// Processes that an agent publishes when nobody says how many.
pub const PROCESSES_DEFAULT: usize = 50;

/// Processes that an agent publishes at most: with command lines of full length they still fit one push.
pub const PROCESSES_MAX: usize = 300;

/// Reads all tables that an agent publishes. Rates are since the last call, so keep one and call it every interval.
#[derive(Debug)]
pub struct HostTables {
    host: HostCollector,
    load: load::Reader,
    processes: processes::Reader,
    hardware: hardware::Reader,
    systeminfo: systeminfo::Reader,
    statics: [Static; 2],
    statics_read: Option<Instant>,
}

/// A table that hardly changes.
#[derive(Debug)]
struct Static {
    table: PublishedTable,
    rows: Vec<Row>,
    /// What the catalog has, and since when it is known to.
    acknowledged: Option<(Vec<Row>, Instant)>,
    /// Whether the last collection had it.
    collected: bool,
}

impl HostTables {
    /// Tables whose rates start now, with at most so many processes; with none of them, table `processes` is empty.
    pub fn new(processes: usize) -> Self {
        let empty = |table| Static { table, rows: Vec::new(), acknowledged: None, collected: false };
        Self {
            host: HostCollector::new(),
            load: load::Reader::new(),
            processes: processes::Reader::new(processes.min(PROCESSES_MAX)),
            hardware: hardware::Reader::new(),
            systeminfo: systeminfo::Reader::default(),
            statics: [empty(hardware::TABLE), empty(systeminfo::TABLE)],
            statics_read: None,
        }
    }

    /// The address under which this host is best known.
    pub fn ip(&self) -> IpAddr {
        self.host.ip()
    }

    /// The tables to push now under the name of `node`, parted into pushes that are within the limit: nearly always
    /// one. Takes tens of milliseconds of reading files: not for an async thread that others wait for.
    pub fn collect(&mut self, node: &NodeDescription) -> Result<Vec<Vec<TableSnapshot>>, Invalid> {
        let mut tables = vec![self.host.collect(node)?];
        tables.push(snapshot(&load::TABLE, self.load.read(&self.host))?);
        tables.push(snapshot(&processes::TABLE, self.processes.read())?);
        if self.statics_read.is_none_or(|read| read.elapsed() >= STATIC_READ_INTERVAL) {
            self.statics_read = Some(Instant::now());
            let [hardware, systeminfo] = &mut self.statics;
            hardware.rows = self.hardware.read(&self.host);
            systeminfo.rows = self.systeminfo.read();
        }
        for table in &mut self.statics {
            table.collected = table.is_due();
            if table.collected {
                tables.push(snapshot(&table.table, table.rows.clone())?);
            }
        }
        Ok(in_pushes(node, tables))
    }

    /// Says that everything of the last collection is in the catalog. Without it, it goes out again.
    pub fn acknowledged(&mut self) {
        for table in &mut self.statics {
            if std::mem::take(&mut table.collected) {
                table.acknowledged = Some((table.rows.clone(), Instant::now()));
            }
        }
    }
}

impl Static {
    fn is_due(&self) -> bool {
        match &self.acknowledged {
            Some((rows, at)) => *rows != self.rows || at.elapsed() >= STATIC_SEND_INTERVAL,
            None => true,
        }
    }
}

fn snapshot(table: &PublishedTable, rows: Vec<Row>) -> Result<TableSnapshot, Invalid> {
    let table = Table::new(table.name, table.columns)?;
    Ok(rows.into_iter().fold(table, Table::row).snapshot())
}

/// The tables in as few pushes as their sizes allow, in order.
fn in_pushes(node: &NodeDescription, tables: Vec<TableSnapshot>) -> Vec<Vec<TableSnapshot>> {
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
            push = vec![cut(node, table)];
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
fn cut(node: &NodeDescription, table: TableSnapshot) -> TableSnapshot {
    let rows = table.rows.len();
    let mut push = vec![table];
    while !fits(node, &mut push) && !push[0].rows.is_empty() {
        let keep = push[0].rows.len() * 3 / 4;
        push[0].rows.truncate(keep);
    }
    let table = push.remove(0);
    if table.rows.len() < rows {
        let (name, published) = (&table.schema.name, table.rows.len());
        tracing::warn!(table = %name, published, of = rows, "too large for a push: only the first rows are published");
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
        let mut tables = HostTables::new(3);
        let all = vec![vec!["node_info", "load", "processes", "hardware", "systeminfo"]];
        let moving = vec![vec!["node_info", "load", "processes"]];
        let first = tables.collect(&node()).unwrap();
        assert_eq!(names(&first), all);
        for push in first {
            Push::new(node(), 1, 1, push).unwrap().check_size().unwrap();
        }
        assert_eq!(names(&tables.collect(&node()).unwrap()), all);
        tables.acknowledged();
        assert_eq!(names(&tables.collect(&node()).unwrap()), moving);
        tables.acknowledged();
        tables.statics[1].rows.pop();
        assert_eq!(names(&tables.collect(&node()).unwrap()), [["node_info", "load", "processes", "systeminfo"]]);
    }

    #[test]
    fn two_reads_of_what_hardly_changes_are_the_same() {
        let mut tables = HostTables::new(0);
        let read = |tables: &mut HostTables| {
            tables.statics_read = None;
            tables.collect(&node()).unwrap();
            tables.statics.each_ref().map(|table| table.rows.clone())
        };
        // A setting may change between two reads, as anybody may change it; a measure changes between any two.
        let mut first = read(&mut tables);
        let alike = (0..5).any(|_| {
            let second = read(&mut tables);
            std::mem::replace(&mut first, second.clone()) == second
        });
        assert!(alike, "something here is no setting: {first:?}");
        // On this platform, whichever it is, there is something to tell.
        assert!(first.iter().all(|rows| !rows.is_empty()));
    }

    #[test]
    fn no_processes_are_an_empty_table() {
        let processes = |max| HostTables::new(max).collect(&node()).unwrap()[0][2].rows.len();
        assert_eq!((processes(0), processes(2)), (0, 2));
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
            let pushes = in_pushes(&node(), tables);
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
