//! The made-up nodes of a bench, and their rows.

use unum_client::collect::HostTables;
use unum_client::{Client, DataType, Error, NodeDescription, NodeKey, Program, Publisher, Table, TableSnapshot, Value};
use unum_proto::model::limits::TTL_MS_MAX;

use super::clients::{Clients, PUBLISHERS_PER_CONNECTION};
use super::load;

const TYPES: [&str; 4] = ["bench_pd", "bench_tidb", "bench_tiflash", "bench_tikv"];

/// Pushes in flight while the catalog is filled.
const FILLING: usize = 64;

/// Statements that each node says it runs.
const PROCESSES: i64 = 2;

/// Rows of the third table.
const LABELS: i64 = 5;

/// Nodes that do not exist, each with this host's `node_info` under its own name.
pub struct Nodes {
    count: u32,
    template: TableSnapshot,
    padding: String,
}

impl Nodes {
    /// So many nodes, with rows of so many bytes.
    pub async fn new(program: &Program, count: u32, row_bytes: u32) -> Result<Self, Error> {
        let (template, _) = HostTables::new(program, 0).collect_info(&description(0)?).await?;
        let bytes: usize = template.rows[0].iter().map(Value::bytes).sum();
        let padding = "x".repeat((row_bytes as usize).saturating_sub(bytes));
        Ok(Self { count, template, padding })
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The id of one of them.
    pub fn id(number: u32) -> String {
        format!("n{number:06}")
    }

    /// `node_info` of one of them; `busy` tells one push from the next.
    pub fn node_info(&self, number: u32, busy: u64) -> TableSnapshot {
        let mut table = self.template.clone();
        let position = |name: &str| table.schema.position(name);
        let cells = [
            (position("node_type"), Value::from(node_type(number))),
            (position("id"), Self::id(number).as_str().into()),
            (position("cpu"), (busy as f64 % 10_000.0 / 100.0).into()),
            (position("kernel"), self.padding.as_str().into()),
        ];
        for (position, value) in cells {
            if let Some(position) = position {
                table.rows[0][position] = value;
            }
        }
        table
    }

    fn processlist(&self, number: u32) -> Result<TableSnapshot, Error> {
        let columns = [("id", DataType::UInt64, ""), ("time", DataType::Int64, ""), ("info", DataType::Text, "")];
        let mut table = Table::new("processlist", &columns)?;
        for process in 0..PROCESSES {
            table = table.row([(process as u64).into(), (i64::from(number) % 60).into(), "SELECT 1".into()]);
        }
        Ok(table.snapshot())
    }

    fn labels(&self) -> Result<TableSnapshot, Error> {
        let mut table = Table::new("bench_labels", &[("name", DataType::Text, ""), ("value", DataType::Text, "")])?;
        for label in 0..LABELS {
            table = table.row([format!("label_{label}").into(), "some value".into()]);
        }
        Ok(table.snapshot())
    }

    /// Pushes each node once with so many tables; returns their publishers in order.
    pub async fn push_all(&self, clients: &Clients<'_>, tables: u8) -> Result<Vec<Publisher>, Error> {
        let connections = clients.shared(self.count as usize, PUBLISHERS_PER_CONNECTION)?;
        // Those of an earlier bench are live for a day.
        let publisher =
            |(client, number): (&Client, u32)| Ok((number, client.publisher(description(number)?).taking_over()));
        let made = connections.iter().zip(0..).map(publisher);
        let publishers = made.collect::<Result<Vec<(u32, Publisher)>, Error>>()?;
        load::each(publishers, FILLING, async |(number, mut publisher)| {
            let all = [self.node_info(number, 0), self.processlist(number)?, self.labels()?];
            publisher.push_whole(all.into_iter().take(usize::from(tables)).collect()).await?;
            Ok(publisher)
        })
        .await
    }
}

fn node_type(number: u32) -> &'static str {
    TYPES[number as usize % TYPES.len()]
}

fn description(number: u32) -> Result<NodeDescription, Error> {
    let mut node = NodeDescription::new(NodeKey::parse(node_type(number), &Nodes::id(number))?);
    node.ip = "127.0.0.1".to_owned();
    // Nobody keeps them alive after the bench.
    node.ttl_ms = TTL_MS_MAX;
    Ok(node)
}
