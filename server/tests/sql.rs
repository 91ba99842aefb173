//! SQL on a state in memory: statements and their answers, as a golden file.
//!
//! No cluster is needed: SQL runs over a value.

// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use unum_proto::model::{DataType, NodeDescription, NodeKey, Push, TableSchema, TableSnapshot, Value};
use unum_server::catalog::{Command, StampedPush, State};
use unum_server::sql::{Engine, Error, Limits, ReplicaRow, View};

const COLUMNS: &[(&str, DataType, &str)] = &[
    ("id", DataType::Text, "the node"),
    ("cpu", DataType::Float64, "percent busy"),
    ("started_at", DataType::Timestamp, "when it started"),
];

fn push(
    node_type: &str,
    id: &str,
    name: &str,
    columns: &[(&str, DataType, &str)],
    rows: Vec<Vec<Value>>,
) -> StampedPush {
    let mut node = NodeDescription::new(NodeKey::parse(node_type, id).unwrap());
    node.labels.insert("zone".into(), "eu".into());
    let table = TableSnapshot { schema: TableSchema::of(name, columns).unwrap(), rows, collected_at_us: 1_000_000 };
    StampedPush::new(Push::new(node, 7, 1, vec![table]).unwrap())
}

fn view() -> Arc<View> {
    let info = |node_type: &str, id: &str, cpu: Option<f64>| {
        let row = vec![id.into(), cpu.into(), Value::Timestamp(1_700_000_000_000_000)];
        push(node_type, id, "node_info", COLUMNS, vec![row])
    };
    let query = |time: i64, text: &str| vec![time.into(), text.into()];
    let queries: &[(&str, DataType, &str)] = &[("time_ms", DataType::Int64, ""), ("query", DataType::Text, "")];
    let pushes = vec![
        info("tikv", "tikv_1", Some(12.5)),
        info("tikv", "tikv_2", Some(80.0)),
        info("unum", "unum_1", None),
        push("tidb", "tidb_1", "slow_query", queries, vec![query(900, "SELECT 'it''s'"), query(100, "COMMIT")]),
    ];
    let mut state = State::default();
    state.apply(4, Command::Pushes { received_at_us: 2_000_000, pushes });
    let replica = |id, role| ReplicaRow {
        id,
        addr: format!("host:{id}"),
        role,
        term: 3,
        last_log: Some(4),
        applied: None,
        lag: None,
        state_hash: Some(0xfeed),
    };
    let replicas = vec![replica(1, "leader"), replica(2, "follower")];
    Arc::new(View { state: Arc::new(state), own: NodeKey::parse("unum", "unum_1").unwrap(), replicas })
}

const LIMITS: Limits = Limits { memory_bytes: 64 << 20, rows: 1000, bytes: 1 << 20 };

async fn answer(limits: Limits, sql: &str) -> Result<String, Error> {
    let mut output = Engine::new(limits).start(view(), sql).await?;
    let mut csv = Vec::new();
    let mut writer = arrow::csv::WriterBuilder::new().with_header(true).with_null("NULL".into()).build(&mut csv);
    while let Some(batch) = output.next().await? {
        writer.write(&batch).unwrap();
    }
    drop(writer);
    let (up, total) = output.nodes;
    Ok(format!("{}({up} of {total} nodes up)\n", String::from_utf8(csv).unwrap()))
}

const STATEMENTS: &[&str] = &[
    "SELECT id, cpu, node_type, node_id, status, collected_at, received_at, revision FROM cluster_node_infos ORDER BY id",
    "SELECT id FROM cluster_node_info WHERE cpu > 50",
    "SELECT id, cpu FROM node_info",
    "SELECT * FROM slow_query",
    "SELECT node_type, count(*) AS n, max(cpu) FROM cluster_node_infos GROUP BY node_type ORDER BY node_type",
    "SELECT n.id, s.query FROM nodes n LEFT JOIN cluster_slow_query s ON s.node_id = n.id AND s.time_ms > 500 ORDER BY n.id",
    "WITH busy AS (SELECT id FROM cluster_node_infos WHERE cpu > 10) SELECT count(*) AS n FROM busy",
    "SELECT id, rank() OVER (ORDER BY cpu DESC) AS r FROM cluster_node_infos WHERE cpu IS NOT NULL ORDER BY r",
    "SELECT id FROM nodes WHERE id IN (SELECT node_id FROM cluster_slow_query)",
    "SELECT id, status, labels, epoch, sequence, revision FROM nodes ORDER BY id LIMIT 2",
    "SELECT id, role, term, applied FROM replicas ORDER BY id",
    "SELECT name, columns, nodes, rows FROM tables ORDER BY name",
    "SELECT query FROM cluster_slow_query WHERE query = \"COMMIT\"",
    "SELECT `Id` FROM (SELECT id AS `Id` FROM nodes) x ORDER BY 1 LIMIT 1",
    "SELECT 1 + 1 AS two",
    "SHOW TABLES",
    "SHOW TABLES LIKE 'cluster%'",
    "SHOW DATABASES",
    "DESC cluster_slow_query",
    "SHOW COLUMNS FROM slow_query",
    "EXPLAIN SELECT id FROM nodes WHERE status = 'up'",
    "DESC nodess",
    "SELECT * FROM cluster_slow_querys",
    "SELECT * FROM other.nodes",
    "SELECT * FROM nodes.nodes",
    "SELECT cpuu FROM cluster_node_infos",
    "SELECT id FROM nodes WHERE id = ",
    "INSERT INTO nodes VALUES (1)",
    "UPDATE nodes SET id = 'x'",
    "SET x = 1",
    "SELECT nofunction(id) FROM nodes",
    "SELECT a.id FROM nodes a CROSS JOIN nodes b CROSS JOIN nodes c CROSS JOIN nodes d CROSS JOIN nodes e CROSS JOIN nodes f",
];

#[tokio::test]
async fn statements_have_their_answers() {
    let mut golden = String::new();
    for sql in STATEMENTS {
        let answer = match answer(LIMITS, sql).await {
            Ok(answer) => answer,
            Err(error) => format!("error: {error}\n"),
        };
        golden.push_str(&format!("> {sql}\n{answer}\n"));
    }
    insta::assert_snapshot!(golden);
}

#[tokio::test]
async fn a_query_that_needs_too_much_memory_is_ended() {
    let limits = Limits { memory_bytes: 10_000, ..LIMITS };
    let sql = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5000) \
               SELECT count(DISTINCT i) FROM n";
    let error = answer(limits, sql).await.unwrap_err();
    assert!(matches!(&error, Error::TooLarge(why) if why.contains("sql.query_memory_bytes_max")), "{error}");
}

#[tokio::test]
async fn nothing_that_is_typed_panics() {
    for sql in [
        "'",
        "\0",
        "SELECT '",
        "/*",
        "((((((((((",
        "SELECT 1/0",
        "SELECT * FROM",
        "🦀",
        ";;;",
        "EXPLAIN EXPLAIN SELECT 1",
    ] {
        let _ = answer(LIMITS, sql).await;
    }
    let deep = format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(matches!(answer(LIMITS, &deep).await, Err(Error::Invalid(_))));
}
